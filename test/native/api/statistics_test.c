/* Statistics: what each counter of a socket counts. */
#include "raw_peer.h"
#include "sockets.h"

#include <nanomsg/limits.h>
#include <nanomsg/bus.h>
#include <nanomsg/pair.h>
#include <nanomsg/pipeline.h>
#include <nanomsg/pubsub.h>
#include <nanomsg/reqrep.h>
#include <nanomsg/statistics.h>
#include <nanomsg/survey.h>

#include <limits.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#define CHECK_STATISTIC(s, statistic, value) CHECK_EQUAL(nn_get_statistic((s), (statistic)), (value))

/* What "none" looks like: -1 as a 64-bit number. */
#define NO_PRIORITY UINT64_MAX

/* ---- Asking ---- */

static const int statistics[] = {
    NN_STAT_ESTABLISHED_CONNECTIONS,
    NN_STAT_ACCEPTED_CONNECTIONS,
    NN_STAT_DROPPED_CONNECTIONS,
    NN_STAT_BROKEN_CONNECTIONS,
    NN_STAT_CONNECT_ERRORS,
    NN_STAT_BIND_ERRORS,
    NN_STAT_ACCEPT_ERRORS,
    NN_STAT_CURRENT_CONNECTIONS,
    NN_STAT_INPROGRESS_CONNECTIONS,
    NN_STAT_CURRENT_EP_ERRORS,
    NN_STAT_MESSAGES_SENT,
    NN_STAT_MESSAGES_RECEIVED,
    NN_STAT_BYTES_SENT,
    NN_STAT_BYTES_RECEIVED,
    NN_STAT_MESSAGES_DROPPED,
    NN_STAT_BYTES_DROPPED,
    NN_STAT_RESENDS,
    NN_STAT_SLOW_PEERS,
    NN_STAT_SLOW_DISCONNECTS,
    NN_STAT_FAILED_HANDSHAKES,
    NN_STAT_WRONG_PROTOCOLS,
    NN_STAT_MALFORMED_HANDSHAKES,
    NN_STAT_TLS_FAILURES,
    NN_STAT_HANDSHAKE_TIMEOUTS,
    NN_STAT_REFUSED_ORIGINS,
    NN_STAT_REQUESTS_IN_FLIGHT,
    NN_STAT_QUEUED_BYTES,
};

TEST(a_new_socket_has_counted_nothing)
{
    static const int types[] = {NN_PAIR, NN_PUB,  NN_SUB,      NN_REQ,        NN_REP,
                                NN_PUSH, NN_PULL, NN_SURVEYOR, NN_RESPONDENT, NN_BUS};

    for (size_t i = 0; i < COUNT_OF(types); i++) {
        int s = SOCKET(types[i]);
        for (size_t j = 0; j < COUNT_OF(statistics); j++)
            CHECK_STATISTIC(s, statistics[j], 0);
        CHECK_STATISTIC(s, NN_STAT_CURRENT_SND_PRIORITY, 0);
    }
}

TEST(an_unknown_statistic_is_EINVAL)
{
    static const int unknown[] = {0, -1, 1, 100, 108, 125, 200, 204, 221, 300, 310, 400, 402, INT_MAX, INT_MIN};
    int s = SOCKET(NN_PAIR);

    for (size_t i = 0; i < COUNT_OF(unknown); i++)
        CHECK_ERRNO((int64_t)nn_get_statistic(s, unknown[i]), EINVAL);
}

TEST(a_statistic_of_no_socket_is_EBADF)
{
    int s = SOCKET(NN_PAIR);

    CHECK_OK(nn_close(s));
    for (size_t i = 0; i < COUNT_OF(statistics); i++)
        CHECK_ERRNO((int64_t)nn_get_statistic(s, statistics[i]), EBADF);
    CHECK_ERRNO((int64_t)nn_get_statistic(-1, 0), EBADF);
}

/* ---- Connections ---- */

TEST_OVER_TRANSPORTS(the_connecting_side_has_established_and_the_bound_side_has_accepted)
{
    enum { PEERS = 3 };
    const char *address = new_address();
    int bound = test_socket_bound(NN_BUS, address);

    for (int i = 0; i < PEERS; i++) {
        int connected = test_socket_connected(NN_BUS, address);
        WAIT_PEERS(connected, 1);
        CHECK_STATISTIC(connected, NN_STAT_ESTABLISHED_CONNECTIONS, 1);
        CHECK_STATISTIC(connected, NN_STAT_ACCEPTED_CONNECTIONS, 0);
        CHECK_STATISTIC(connected, NN_STAT_INPROGRESS_CONNECTIONS, 0);
        WAIT_PEERS(bound, i + 1);
        CHECK_STATISTIC(bound, NN_STAT_ACCEPTED_CONNECTIONS, i + 1);
    }
    CHECK_STATISTIC(bound, NN_STAT_ESTABLISHED_CONNECTIONS, 0);
    CHECK_STATISTIC(bound, NN_STAT_BROKEN_CONNECTIONS, 0);
    CHECK_STATISTIC(bound, NN_STAT_DROPPED_CONNECTIONS, 0);
}

TEST_OVER_TRANSPORTS(the_side_that_ends_a_connection_has_dropped_it_and_for_the_other_it_broke)
{
    const char *address = new_address();
    int bound = test_socket_bound(NN_BUS, address);
    int connected = SOCKET(NN_BUS);

    for (int i = 1; i <= 3; i++) {
        int endpoint = (int)CHECK_OK(nn_connect(connected, address));
        WAIT_PEERS(connected, 1);
        WAIT_PEERS(bound, 1);
        CHECK_OK(nn_shutdown(connected, endpoint));
        WAIT_PEERS(bound, 0);
        CHECK_STATISTIC(connected, NN_STAT_CURRENT_CONNECTIONS, 0);
        CHECK_STATISTIC(connected, NN_STAT_DROPPED_CONNECTIONS, i);
        CHECK_STATISTIC(connected, NN_STAT_BROKEN_CONNECTIONS, 0);
        CHECK_STATISTIC(bound, NN_STAT_DROPPED_CONNECTIONS, 0);
        CHECK_STATISTIC(bound, NN_STAT_BROKEN_CONNECTIONS, i);
    }
}

TEST(a_connection_over_ws_is_broken_by_a_close_frame_too)
{
    const char *address = test_ws_address();
    int bound = SOCKET(NN_PAIR);
    int listening = (int)CHECK_OK(nn_bind(bound, address));
    int connected = SOCKET(NN_PAIR);
    int connecting = (int)CHECK_OK(nn_connect(connected, address));

    WAIT_PEERS(connected, 1);
    CHECK_OK(nn_shutdown(connected, connecting));
    WAIT_STATISTIC(bound, NN_STAT_BROKEN_CONNECTIONS, 1);
    WAIT_PEERS(bound, 0);
    CHECK_STATISTIC(connected, NN_STAT_BROKEN_CONNECTIONS, 0);

    CHECK_OK(nn_connect(connected, address));
    WAIT_PEERS(bound, 1);
    WAIT_PEERS(connected, 1);
    CHECK_OK(nn_shutdown(bound, listening));
    WAIT_STATISTIC(connected, NN_STAT_BROKEN_CONNECTIONS, 1);
    CHECK_STATISTIC(bound, NN_STAT_BROKEN_CONNECTIONS, 1);
}

TEST_OVER_TRANSPORTS(all_connections_of_an_endpoint_are_dropped_with_it)
{
    const char *address = new_address();
    int bound = SOCKET(NN_BUS);
    int endpoint = (int)CHECK_OK(nn_bind(bound, address));
    int peers[3];

    for (int i = 0; i < 3; i++)
        peers[i] = test_socket_connected(NN_BUS, address);
    WAIT_PEERS(bound, 3);
    CHECK_OK(nn_shutdown(bound, endpoint));
    CHECK_STATISTIC(bound, NN_STAT_CURRENT_CONNECTIONS, 0);
    CHECK_STATISTIC(bound, NN_STAT_DROPPED_CONNECTIONS, 3);
    for (int i = 0; i < 3; i++)
        WAIT_STATISTIC(peers[i], NN_STAT_BROKEN_CONNECTIONS, 1);
}

TEST_OVER_TRANSPORTS(a_connection_whose_last_messages_are_received_late_has_broken_too)
{
    const char *address = new_address();
    int pull = test_socket_bound(NN_PULL, address);
    int push = test_socket_connected(NN_PUSH, address);

    CHECK_SENDS(push, "first");
    CHECK_SENDS(push, "second");
    CHECK_OK(nn_close(push));
    CHECK_RECEIVES(pull, "first");
    CHECK_RECEIVES(pull, "second");
    WAIT_PEERS(pull, 0);
    WAIT_STATISTIC(pull, NN_STAT_BROKEN_CONNECTIONS, 1);
    CHECK_STATISTIC(pull, NN_STAT_DROPPED_CONNECTIONS, 0);
}

TEST_OVER_TRANSPORTS(each_connection_after_the_first_is_counted_again)
{
    const char *address = new_address();
    int connected = SOCKET(NN_PAIR);

    SET_INT(connected, NN_SOL_SOCKET, NN_RECONNECT_IVL, 5);
    CHECK_OK(nn_connect(connected, address));
    for (int i = 1; i <= 3; i++) {
        int bound = test_socket_bound(NN_PAIR, address);
        WAIT_STATISTIC(connected, NN_STAT_ESTABLISHED_CONNECTIONS, i);
        WAIT_PEERS(connected, 1);
        CHECK_OK(nn_close(bound));
        WAIT_PEERS(connected, 0);
        CHECK_STATISTIC(connected, NN_STAT_BROKEN_CONNECTIONS, i);
    }
}

TEST_OVER_STREAMS(a_connection_to_another_type_is_established_and_broken_again_and_again)
{
    const char *address = new_address();
    int bound = test_socket_bound(NN_REP, address);
    int connected = SOCKET(NN_PUSH);

    SET_INT(connected, NN_SOL_SOCKET, NN_RECONNECT_IVL, 5);
    CHECK_OK(nn_connect(connected, address));
    WAIT_STATISTIC_AT_LEAST(connected, NN_STAT_BROKEN_CONNECTIONS, 3);
    WAIT_STATISTIC_AT_LEAST(connected, NN_STAT_ESTABLISHED_CONNECTIONS, 3);
    WAIT_STATISTIC_AT_LEAST(bound, NN_STAT_ACCEPTED_CONNECTIONS, 3);
    WAIT_STATISTIC_AT_LEAST(bound, NN_STAT_BROKEN_CONNECTIONS, 3);
    CHECK_STATISTIC(connected, NN_STAT_CURRENT_CONNECTIONS, 0);
    CHECK_STATISTIC(bound, NN_STAT_CURRENT_CONNECTIONS, 0);
}

TEST_OVER_TRANSPORTS(a_second_peer_of_a_pair_is_broken_off)
{
    const char *address = new_address();
    int bound = test_socket_bound(NN_PAIR, address);
    int first = test_socket_connected(NN_PAIR, address);

    WAIT_PEERS(bound, 1);
    WAIT_PEERS(first, 1);
    int second = test_socket_connected(NN_PAIR, address);
    WAIT_STATISTIC_AT_LEAST(bound, NN_STAT_BROKEN_CONNECTIONS, 1);
    WAIT_STATISTIC_AT_LEAST(second, NN_STAT_BROKEN_CONNECTIONS, 1);
    CHECK_STATISTIC(second, NN_STAT_CURRENT_CONNECTIONS, 0);
    CHECK_STATISTIC(bound, NN_STAT_CURRENT_CONNECTIONS, 1);
    CHECK_STATISTIC(first, NN_STAT_BROKEN_CONNECTIONS, 0);
}

/* ---- Connecting ---- */

TEST_OVER_STREAMS(attempts_that_fail_are_counted_until_a_peer_listens)
{
    const char *address = new_address();
    int connected = SOCKET(NN_PUSH);

    SET_INT(connected, NN_SOL_SOCKET, NN_RECONNECT_IVL, 5);
    CHECK_OK(nn_connect(connected, address));
    WAIT_STATISTIC_AT_LEAST(connected, NN_STAT_CONNECT_ERRORS, 3);
    CHECK_STATISTIC(connected, NN_STAT_CURRENT_EP_ERRORS, 1);
    CHECK_STATISTIC(connected, NN_STAT_ESTABLISHED_CONNECTIONS, 0);
    int bound = test_socket_bound(NN_PULL, address);
    WAIT_PEERS(connected, 1);
    CHECK_STATISTIC(connected, NN_STAT_CURRENT_EP_ERRORS, 0);
    uint64_t errors = nn_get_statistic(connected, NN_STAT_CONNECT_ERRORS);
    CHECK_SENDS(connected, "x");
    CHECK_RECEIVES(bound, "x");
    CHECK_STATISTIC(connected, NN_STAT_CONNECT_ERRORS, errors);
}

TEST(endpoints_with_an_error_are_counted_one_by_one)
{
    const char *address = test_tcp_address();
    int bound = test_socket_bound(NN_PULL, address);
    int s = test_socket_connected(NN_PUSH, address);
    int first = (int)CHECK_OK(nn_connect(s, test_tcp_address()));
    int second = (int)CHECK_OK(nn_connect(s, test_ipc_address()));

    WAIT_STATISTIC(s, NN_STAT_CURRENT_EP_ERRORS, 2);
    WAIT_PEERS(bound, 1);
    CHECK_OK(nn_shutdown(s, first));
    CHECK_STATISTIC(s, NN_STAT_CURRENT_EP_ERRORS, 1);
    CHECK_OK(nn_shutdown(s, second));
    CHECK_STATISTIC(s, NN_STAT_CURRENT_EP_ERRORS, 0);
    CHECK_STATISTIC(s, NN_STAT_CURRENT_CONNECTIONS, 1);
}

TEST(a_connection_that_is_not_answered_is_in_progress)
{
    enum { ENDPOINTS = 4 };
    const char *address = test_tcp_address();
    int listener = raw_listen(address);
    int s = SOCKET(NN_PUSH);
    int endpoints[ENDPOINTS];

    CHECK_OK(listen(listener, 0)); /* one connection waits to be accepted; more get no answer */
    for (int i = 0; i < ENDPOINTS; i++)
        endpoints[i] = (int)CHECK_OK(nn_connect(s, address));
    WAIT_STATISTIC(s, NN_STAT_ESTABLISHED_CONNECTIONS, 1);
    CHECK_STATISTIC(s, NN_STAT_INPROGRESS_CONNECTIONS, ENDPOINTS - 1);
    for (int i = 0; i < ENDPOINTS; i++)
        CHECK_OK(nn_shutdown(s, endpoints[i]));
    CHECK_STATISTIC(s, NN_STAT_INPROGRESS_CONNECTIONS, 0);
    close(listener);
}

TEST(a_connection_over_inproc_is_in_progress_until_a_socket_of_the_right_type_is_bound)
{
    const char *address = test_inproc_address();
    int s = SOCKET(NN_PUSH);
    int endpoint = (int)CHECK_OK(nn_connect(s, address));

    CHECK_OK(nn_connect(s, address));
    CHECK_STATISTIC(s, NN_STAT_INPROGRESS_CONNECTIONS, 2);
    int other = test_socket_bound(NN_REP, address);
    CHECK_STATISTIC(s, NN_STAT_INPROGRESS_CONNECTIONS, 2);
    CHECK_OK(nn_close(other));
    int pull = test_socket_bound(NN_PULL, address);
    WAIT_PEERS(s, 2);
    CHECK_STATISTIC(s, NN_STAT_INPROGRESS_CONNECTIONS, 0);
    CHECK_OK(nn_close(pull));
    WAIT_STATISTIC(s, NN_STAT_INPROGRESS_CONNECTIONS, 2);
    CHECK_OK(nn_shutdown(s, endpoint));
    CHECK_STATISTIC(s, NN_STAT_INPROGRESS_CONNECTIONS, 1);
}

/* ---- Binding ---- */

TEST_OVER_TRANSPORTS(an_address_that_cannot_be_bound_is_a_bind_error)
{
    const char *address = new_address();
    int bound = test_socket_bound(NN_PULL, address);
    int s = SOCKET(NN_PULL);

    for (int i = 1; i <= 3; i++) {
        CHECK_ERRNO(nn_bind(s, address), EADDRINUSE);
        CHECK_STATISTIC(s, NN_STAT_BIND_ERRORS, i);
    }
    CHECK_STATISTIC(s, NN_STAT_ACCEPT_ERRORS, 0);
    CHECK_STATISTIC(bound, NN_STAT_BIND_ERRORS, 0);
    CHECK_OK(nn_close(bound));
    CHECK_OK(nn_bind(s, address));
    CHECK_STATISTIC(s, NN_STAT_BIND_ERRORS, 3);
}

/* ---- Messages ---- */

TEST_OVER_TRANSPORTS(messages_and_the_bytes_of_their_bodies_are_counted)
{
    static const size_t sizes[] = {0, 1, 5, 1000, 20000, 100000, 0, 3};
    static uint8_t body[100000];
    const char *address = new_address();
    int push = test_socket_bound(NN_PUSH, address);
    int pull = test_socket_connected(NN_PULL, address);
    uint64_t bytes = 0;

    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        CHECK_OK(nn_send(push, body, sizes[i], 0));
        CHECK_OK(nn_recv(pull, body, 10, 0)); /* what does not fit was received all the same */
        bytes += sizes[i];
        CHECK_STATISTIC(push, NN_STAT_MESSAGES_SENT, i + 1);
        CHECK_STATISTIC(push, NN_STAT_BYTES_SENT, bytes);
        CHECK_STATISTIC(pull, NN_STAT_MESSAGES_RECEIVED, i + 1);
        CHECK_STATISTIC(pull, NN_STAT_BYTES_RECEIVED, bytes);
    }
    CHECK_STATISTIC(push, NN_STAT_MESSAGES_RECEIVED, 0);
    CHECK_STATISTIC(pull, NN_STAT_MESSAGES_SENT, 0);
}

TEST(messages_are_counted_however_they_are_sent_and_received)
{
    const char *address = test_inproc_address();
    int push = test_socket_bound(NN_PUSH, address);
    int pull = test_socket_connected(NN_PULL, address);
    void *message = nn_allocmsg(7, 0);
    struct nn_iovec pieces[] = {{(void *)"abc", 3}, {(void *)"de", 2}};
    struct nn_msghdr header = {.msg_iov = pieces, .msg_iovlen = 2};

    memcpy(message, "message", 7);
    CHECK_OK(nn_send(push, &message, NN_MSG, 0));
    CHECK_OK(nn_sendmsg(push, &header, 0));
    CHECK_STATISTIC(push, NN_STAT_MESSAGES_SENT, 2);
    CHECK_STATISTIC(push, NN_STAT_BYTES_SENT, 12);
    CHECK_OK(nn_recv(pull, &message, NN_MSG, 0));
    CHECK_OK(nn_freemsg(message));
    CHECK_RECEIVES(pull, "abcde");
    CHECK_STATISTIC(pull, NN_STAT_MESSAGES_RECEIVED, 2);
    CHECK_STATISTIC(pull, NN_STAT_BYTES_RECEIVED, 12);
}

TEST(calls_that_fail_count_nothing)
{
    int pair = SOCKET(NN_PAIR);
    int pull = SOCKET(NN_PULL);
    char byte;

    CHECK_ERRNO(nn_send(pair, "x", 1, NN_DONTWAIT), EAGAIN);
    CHECK_ERRNO(nn_recv(pair, &byte, 1, NN_DONTWAIT), EAGAIN);
    SET_INT(pair, NN_SOL_SOCKET, NN_SNDTIMEO, 5);
    CHECK_ERRNO(nn_send(pair, "x", 1, 0), ETIMEDOUT);
    CHECK_ERRNO(nn_send(pull, "x", 1, 0), ENOTSUP);
    CHECK_STATISTIC(pair, NN_STAT_MESSAGES_SENT, 0);
    CHECK_STATISTIC(pair, NN_STAT_BYTES_SENT, 0);
    CHECK_STATISTIC(pair, NN_STAT_MESSAGES_RECEIVED, 0);
    CHECK_STATISTIC(pull, NN_STAT_MESSAGES_SENT, 0);
}

TEST(a_publication_counts_once_for_any_number_of_receivers_and_only_if_one_subscribes)
{
    const char *address = test_inproc_address();
    int pub = test_socket_bound(NN_PUB, address);

    CHECK_SENDS(pub, "to nobody");
    CHECK_STATISTIC(pub, NN_STAT_MESSAGES_SENT, 1);
    int all = SOCKET(NN_SUB);
    int some = SOCKET(NN_SUB);
    CHECK_OK(nn_setsockopt(all, NN_SUB, NN_SUB_SUBSCRIBE, "", 0));
    CHECK_OK(nn_setsockopt(some, NN_SUB, NN_SUB_SUBSCRIBE, "b", 1));
    CHECK_OK(nn_connect(all, address));
    CHECK_OK(nn_connect(some, address));
    WAIT_PEERS(pub, 2);
    CHECK_SENDS(pub, "a");
    CHECK_SENDS(pub, "b");
    CHECK_RECEIVES(all, "a");
    CHECK_RECEIVES(all, "b");
    CHECK_RECEIVES(some, "b");
    CHECK_STATISTIC(pub, NN_STAT_MESSAGES_SENT, 3);
    CHECK_STATISTIC(pub, NN_STAT_BYTES_SENT, 11);
    CHECK_STATISTIC(all, NN_STAT_MESSAGES_RECEIVED, 2);
    CHECK_STATISTIC(some, NN_STAT_MESSAGES_RECEIVED, 1);
    CHECK_STATISTIC(some, NN_STAT_BYTES_RECEIVED, 1);
}

TEST_OVER_STREAMS(a_request_counts_without_its_header_and_once_though_it_is_sent_again)
{
    const char *address = new_address();
    int request = SOCKET(NN_REQ);
    int fd;
    uint8_t first[16];
    uint8_t again[16];

    SET_INT(request, NN_REQ, NN_REQ_RESEND_IVL, 10);
    CHECK_OK(nn_bind(request, address));
    fd = raw_connect_admitted(address, NN_REP, NN_REQ);
    CHECK_SENDS(request, "ask");
    CHECK_EQUAL(raw_receive_message(fd, address, first, sizeof first), 7);
    for (int i = 0; i < 3; i++) {
        CHECK_EQUAL(raw_receive_message(fd, address, again, sizeof again), 7);
        CHECK_BYTES(again, 7, first, 7);
    }
    CHECK_STATISTIC(request, NN_STAT_MESSAGES_SENT, 1);
    CHECK_STATISTIC(request, NN_STAT_BYTES_SENT, 3);
    raw_send_message(fd, address, first, 6);
    CHECK_RECEIVES(request, "as");
    CHECK_STATISTIC(request, NN_STAT_MESSAGES_RECEIVED, 1);
    CHECK_STATISTIC(request, NN_STAT_BYTES_RECEIVED, 2);
    close(fd);
}

/* ---- Priorities ---- */

TEST_OVER_TRANSPORTS(the_priority_in_use_is_that_of_the_best_peer_that_can_take_a_message)
{
    static const int types[][2] = {{NN_PUSH, NN_PULL}, {NN_REQ, NN_REP}};

    for (size_t i = 0; i < COUNT_OF(types); i++) {
        const char *addresses[] = {new_address(), new_address()};
        int s = SOCKET(types[i][0]);

        SET_INT(s, NN_SOL_SOCKET, NN_SNDPRIO, 3);
        CHECK_OK(nn_bind(s, addresses[0]));
        SET_INT(s, NN_SOL_SOCKET, NN_SNDPRIO, 16);
        CHECK_OK(nn_bind(s, addresses[1]));
        CHECK_STATISTIC(s, NN_STAT_CURRENT_SND_PRIORITY, 0);
        int last = test_socket_connected(types[i][1], addresses[1]);
        WAIT_STATISTIC(s, NN_STAT_CURRENT_SND_PRIORITY, 16);
        int best = test_socket_connected(types[i][1], addresses[0]);
        WAIT_STATISTIC(s, NN_STAT_CURRENT_SND_PRIORITY, 3);
        CHECK_OK(nn_close(best));
        WAIT_STATISTIC(s, NN_STAT_CURRENT_SND_PRIORITY, 16);
        CHECK_OK(nn_close(last));
        WAIT_STATISTIC(s, NN_STAT_CURRENT_SND_PRIORITY, NO_PRIORITY);
    }
}
