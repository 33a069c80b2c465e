/* What is lost, repeated, refused, and what waits: the statistics of nanomsg/statistics.h. */
#include "raw_peer.h"
#include "sockets.h"
#include "ws_peer.h"

#include <nanomsg/bus.h>
#include <nanomsg/loop.h>
#include <nanomsg/pipeline.h>
#include <nanomsg/pubsub.h>
#include <nanomsg/reqrep.h>
#include <nanomsg/statistics.h>
#include <nanomsg/survey.h>
#include <nanomsg/ws.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#define CHECK_STATISTIC(s, statistic, value) CHECK_EQUAL(nn_get_statistic((s), (statistic)), (value))

enum { LONG_BYTES = 60000 };

/* Sends until messages have been dropped; returns how many were sent. */
static uint64_t send_until_dropped(int s, uint64_t dropped)
{
    static char body[LONG_BYTES];
    uint64_t sent = 0;

    for (; nn_get_statistic(s, NN_STAT_MESSAGES_DROPPED) < dropped; sent++)
        CHECK_EQUAL(nn_send(s, body, sizeof body, 0), LONG_BYTES);
    return sent;
}

static int connected_sub(const char *address)
{
    int sub = SOCKET(NN_SUB);

    CHECK_OK(nn_setsockopt(sub, NN_SUB, NN_SUB_SUBSCRIBE, "", 0));
    CHECK_OK(nn_connect(sub, address));
    return sub;
}

/* ---- Full peers ---- */

TEST_OVER_TRANSPORTS(what_a_full_subscriber_misses_is_counted_and_the_rest_arrives)
{
    const char *address = new_address();
    int pub = test_socket_bound(NN_PUB, address);
    int sub = connected_sub(address);
    static char body[LONG_BYTES];

    WAIT_PEERS(pub, 1);
    uint64_t sent = send_until_dropped(pub, 5);
    CHECK_STATISTIC(pub, NN_STAT_MESSAGES_SENT, sent);
    CHECK_STATISTIC(pub, NN_STAT_BYTES_DROPPED, 5 * LONG_BYTES);
    CHECK(nn_get_statistic(pub, NN_STAT_QUEUED_BYTES) >= LONG_BYTES);
    for (uint64_t i = 0; i < sent - 5; i++)
        CHECK_EQUAL(nn_recv(sub, body, sizeof body, 0), LONG_BYTES);
    WAIT_STATISTIC(pub, NN_STAT_QUEUED_BYTES, 0);
    CHECK_SENDS(pub, "after");
    CHECK_RECEIVES(sub, "after");
    CHECK_STATISTIC(pub, NN_STAT_MESSAGES_DROPPED, 5);
    CHECK_STATISTIC(sub, NN_STAT_MESSAGES_DROPPED, 0);
}

TEST(each_full_peer_counts_and_one_that_keeps_up_does_not)
{
    static const int types[][2] = {{NN_BUS, NN_BUS}, {NN_SURVEYOR, NN_RESPONDENT}};
    static char body[LONG_BYTES];

    for (size_t i = 0; i < COUNT_OF(types); i++) {
        const char *address = test_inproc_address();
        int s = test_socket_bound(types[i][0], address);
        test_socket_connected(types[i][1], address);
        test_socket_connected(types[i][1], address);
        WAIT_PEERS(s, 2);
        while (nn_get_statistic(s, NN_STAT_MESSAGES_DROPPED) == 0)
            CHECK_EQUAL(nn_send(s, body, sizeof body, 0), LONG_BYTES);
        int fast = test_socket_connected(types[i][1], address);
        WAIT_PEERS(s, 3);
        uint64_t dropped = nn_get_statistic(s, NN_STAT_MESSAGES_DROPPED);
        uint64_t bytes = nn_get_statistic(s, NN_STAT_BYTES_DROPPED);
        CHECK_SENDS(s, "12345");
        CHECK_RECEIVES(fast, "12345");
        CHECK_STATISTIC(s, NN_STAT_MESSAGES_DROPPED, dropped + 2);
        CHECK_STATISTIC(s, NN_STAT_BYTES_DROPPED, bytes + 2 * (types[i][0] == NN_SURVEYOR ? 9 : 5));
    }
}

/* A raw Bus passes on what came from one of two peers, neither of which reads. */
TEST(a_full_peer_does_not_miss_what_came_from_itself)
{
    const char *address = test_inproc_address();
    static char body[LONG_BYTES];
    char control[256];
    struct nn_iovec piece = {body, sizeof body};
    struct nn_msghdr header = {
        .msg_iov = &piece, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    int device = CHECK_OK(nn_socket(AF_SP_RAW, NN_BUS));

    CHECK_OK(nn_bind(device, address));
    int one = test_socket_connected(NN_BUS, address);
    int other = test_socket_connected(NN_BUS, address);
    WAIT_PEERS(device, 2);
    CHECK_SENDS(one, "to be passed on");
    CHECK_EQUAL(CHECK_OK(nn_recvmsg(device, &header, 0)), 15);
    /* Both take as many messages, so that in the end both are full. */
    while (nn_get_statistic(device, NN_STAT_MESSAGES_DROPPED) < 2)
        CHECK_EQUAL(nn_send(device, body, sizeof body, 0), LONG_BYTES);
    uint64_t dropped = nn_get_statistic(device, NN_STAT_MESSAGES_DROPPED);
    piece.iov_len = 15;
    CHECK_EQUAL(CHECK_OK(nn_sendmsg(device, &header, 0)), 15);
    CHECK_STATISTIC(device, NN_STAT_MESSAGES_DROPPED, dropped + 1);
    CHECK_OK(nn_close(other));
}

TEST(what_no_subscription_asks_for_is_not_lost)
{
    const char *address = test_inproc_address();
    int pub = test_socket_bound(NN_PUB, address);

    CHECK_SENDS(pub, "without a peer");
    int sub = SOCKET(NN_SUB);
    CHECK_OK(nn_setsockopt(sub, NN_SUB, NN_SUB_SUBSCRIBE, "b", 1));
    CHECK_OK(nn_connect(sub, address));
    WAIT_PEERS(pub, 1);
    CHECK_SENDS(pub, "a");
    CHECK_SENDS(pub, "b");
    CHECK_RECEIVES(sub, "b");
    CHECK_STATISTIC(pub, NN_STAT_MESSAGES_DROPPED, 0);
    CHECK_STATISTIC(sub, NN_STAT_MESSAGES_DROPPED, 0);
}

/* ---- Requests and answers ---- */

TEST_OVER_STREAMS(an_answer_whose_asker_is_gone_is_counted)
{
    static const int types[][2] = {{NN_REP, NN_REQ}, {NN_RESPONDENT, NN_SURVEYOR}};
    static const char request[] = "\x80\0\0\1ask";

    for (size_t i = 0; i < COUNT_OF(types); i++) {
        const char *address = new_address();
        int s = test_socket_bound(types[i][0], address);
        int fd = raw_connect_admitted(address, types[i][1], types[i][0]);
        raw_send_message(fd, address, request, 7);
        CHECK_RECEIVES(s, "ask");
        close(fd);
        WAIT_PEERS(s, 0);
        CHECK_STATISTIC(s, NN_STAT_MESSAGES_DROPPED, 0);
        CHECK_SENDS(s, "late");
        CHECK_STATISTIC(s, NN_STAT_MESSAGES_DROPPED, 1);
        CHECK_STATISTIC(s, NN_STAT_BYTES_DROPPED, 8);
    }
}

TEST_OVER_STREAMS(requests_in_flight_resends_and_answers_that_nothing_waits_for_are_counted)
{
    const char *address = new_address();
    int s = SOCKET(NN_REQ);
    uint8_t request[16];

    SET_INT(s, NN_REQ, NN_REQ_RESEND_IVL, 10);
    CHECK_OK(nn_bind(s, address));
    CHECK_SENDS(s, "ask");
    CHECK_STATISTIC(s, NN_STAT_REQUESTS_IN_FLIGHT, 1);
    CHECK_STATISTIC(s, NN_STAT_RESENDS, 0);
    int fd = raw_connect_admitted(address, NN_REP, NN_REQ);
    for (int i = 0; i < 3; i++)
        CHECK_EQUAL(raw_receive_message(fd, address, request, sizeof request), 7);
    CHECK(nn_get_statistic(s, NN_STAT_RESENDS) >= 2);
    raw_send_message(fd, address, request, 6);
    raw_send_message(fd, address, request, 7);
    CHECK_RECEIVES(s, "as");
    CHECK_STATISTIC(s, NN_STAT_REQUESTS_IN_FLIGHT, 0);
    WAIT_STATISTIC(s, NN_STAT_MESSAGES_DROPPED, 1);
    CHECK_STATISTIC(s, NN_STAT_BYTES_DROPPED, 7);
    close(fd);
}

TEST(answers_that_come_after_the_survey_are_counted)
{
    const char *address = test_tcp_address();
    int s = test_socket_bound(NN_SURVEYOR, address);
    uint8_t survey[16];

    SET_INT(s, NN_SURVEYOR, NN_SURVEYOR_DEADLINE, 10);
    int fd = raw_connect_admitted(address, NN_RESPONDENT, NN_SURVEYOR);
    WAIT_PEERS(s, 1);
    CHECK_SENDS(s, "ask");
    CHECK_EQUAL(raw_receive_message(fd, address, survey, sizeof survey), 7);
    CHECK_ERRNO(nn_recv(s, survey + 8, 8, 0), ETIMEDOUT);
    raw_send_message(fd, address, survey, 7);
    WAIT_STATISTIC(s, NN_STAT_MESSAGES_DROPPED, 1);
    close(fd);
}

TEST(messages_whose_header_has_no_end_are_counted)
{
    const char *address = test_tcp_address();
    int s = test_socket_bound(NN_REP, address);
    int fd = raw_connect_admitted(address, NN_REQ, NN_REP);

    raw_send_message(fd, address, "\0\0\0\1", 4);
    raw_send_message(fd, address, "\x80\0\0\1ask", 7);
    CHECK_RECEIVES(s, "ask");
    CHECK_STATISTIC(s, NN_STAT_MESSAGES_DROPPED, 1);
    close(fd);
}

/* ---- What does not come in full ---- */

TEST_OVER_STREAMS(a_message_that_is_too_long_or_does_not_end_is_counted)
{
    const char *address = new_address();
    int pull = test_socket_bound(NN_PULL, address);

    SET_INT(pull, NN_SOL_SOCKET, NN_RCVMAXSIZE, 100);
    int fd = raw_connect_admitted(address, NN_PUSH, NN_PULL);
    raw_send_message(fd, address, "whole", 5);
    raw_send_prefix(fd, address, 50);
    raw_send(fd, "0123456789", 10);
    raw_finish(fd);
    CHECK_RECEIVES(pull, "whole");
    WAIT_STATISTIC(pull, NN_STAT_MESSAGES_DROPPED, 1);
    uint64_t bytes = nn_get_statistic(pull, NN_STAT_BYTES_DROPPED);
    CHECK(bytes >= 10 && bytes <= 10 + 9);
    close(fd);
    fd = raw_connect_admitted(address, NN_PUSH, NN_PULL);
    raw_send_prefix(fd, address, 101);
    CHECK(raw_is_closed(fd));
    WAIT_STATISTIC(pull, NN_STAT_MESSAGES_DROPPED, 2);
    close(fd);
    fd = raw_connect_admitted(address, NN_PUSH, NN_PULL);
    raw_send_message(fd, address, "whole", 5);
    close(fd);
    CHECK_RECEIVES(pull, "whole");
    WAIT_PEERS(pull, 0);
    CHECK_STATISTIC(pull, NN_STAT_MESSAGES_DROPPED, 2);
}

TEST(a_message_over_inproc_that_is_too_long_is_counted)
{
    const char *address = test_inproc_address();
    int pull = SOCKET(NN_PULL);

    SET_INT(pull, NN_SOL_SOCKET, NN_RCVMAXSIZE, 4);
    CHECK_OK(nn_bind(pull, address));
    int push = test_socket_connected(NN_PUSH, address);
    CHECK_SENDS(push, "12345");
    CHECK_SENDS(push, "1234");
    CHECK_RECEIVES(pull, "1234");
    CHECK_STATISTIC(pull, NN_STAT_MESSAGES_DROPPED, 1);
    CHECK_STATISTIC(pull, NN_STAT_BYTES_DROPPED, 5);
}

TEST(the_close_frame_of_a_websocket_is_no_message)
{
    const char *address = test_ws_address();
    int pull = test_socket_bound(NN_PULL, address);
    int fd = ws_connect(address, "pull");

    ws_send(fd, WS_CLOSE, "\x03\xe8", 2);
    WAIT_STATISTIC(pull, NN_STAT_BROKEN_CONNECTIONS, 1);
    CHECK_STATISTIC(pull, NN_STAT_MESSAGES_DROPPED, 0);
    close(fd);
    fd = ws_connect(address, "pull");
    ws_send(fd, WS_BINARY, "begun", 5);
    ws_send_prefix(fd, WS_FIN | WS_CONTINUATION, 5);
    close(fd);
    WAIT_STATISTIC(pull, NN_STAT_MESSAGES_DROPPED, 1);
}

TEST(a_message_of_a_websocket_that_ends_between_its_fragments_is_counted)
{
    const char *address = test_ws_address();
    int pull = test_socket_bound(NN_PULL, address);
    int fd = ws_connect(address, "pull");

    ws_send(fd, WS_BINARY, "first", 5);
    ws_send(fd, WS_CONTINUATION | WS_FIN, "last", 4);
    CHECK_RECEIVES(pull, "firstlast");
    ws_send(fd, WS_BINARY, "begun", 5);
    ws_send(fd, WS_CONTINUATION, "on", 2);
    close(fd);
    WAIT_STATISTIC(pull, NN_STAT_BROKEN_CONNECTIONS, 1);
    CHECK_STATISTIC(pull, NN_STAT_MESSAGES_DROPPED, 1);
    CHECK_STATISTIC(pull, NN_STAT_BYTES_DROPPED, 7);
}

/* ---- Peers that do not come in ---- */

TEST_OVER_STREAMS(failed_handshakes_are_counted_by_their_reason)
{
    const char *address = new_address();
    int pull = test_socket_bound(NN_PULL, address);
    int wrong = raw_connect(address);
    int garbage = raw_connect(address);
    int silent = raw_connect(address);

    raw_send_handshake(wrong, NN_SUB);
    raw_send(garbage, "GET / HTTP/1.1\r\n\r\n", 18);
    WAIT_STATISTIC(pull, NN_STAT_WRONG_PROTOCOLS, 1);
    WAIT_STATISTIC(pull, NN_STAT_MALFORMED_HANDSHAKES, 1);
    WAIT_STATISTIC(pull, NN_STAT_HANDSHAKE_TIMEOUTS, 1);
    int left = raw_connect(address);
    raw_send(left, "\0SP", 3);
    close(left);
    WAIT_STATISTIC(pull, NN_STAT_FAILED_HANDSHAKES, 4);
    CHECK_STATISTIC(pull, NN_STAT_TLS_FAILURES, 0);
    CHECK_STATISTIC(pull, NN_STAT_REFUSED_ORIGINS, 0);
    close(wrong);
    close(garbage);
    close(silent);
}

TEST(pages_of_other_origins_are_counted)
{
    const char *address = test_ws_address();
    int pull = SOCKET(NN_PULL);

    CHECK_OK(nn_setsockopt(pull, NN_WS, NN_WS_ORIGINS, "https://ours.example", 20));
    CHECK_OK(nn_bind(pull, address));
    int fd = raw_connect(address);
    CHECK_STATUS(ws_ask(fd, "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                            "Sec-WebSocket-Protocol: pull.sp.nanomsg.org\r\nOrigin: https://other.example\r\n\r\n"),
                 "403");
    WAIT_STATISTIC(pull, NN_STAT_REFUSED_ORIGINS, 1);
    CHECK_STATISTIC(pull, NN_STAT_FAILED_HANDSHAKES, 1);
    close(fd);
}

/* ---- One connection ---- */

static uint32_t only_pipe(int s)
{
    uint32_t pipe = 0;

    CHECK_EQUAL(nn_socket_pipes(s, &pipe, 1), 1);
    return pipe;
}

TEST_OVER_TRANSPORTS(what_goes_through_a_connection_is_counted_for_it_alone)
{
    const char *address = new_address();
    int rep = test_socket_bound(NN_REP, address);
    int first = test_socket_connected(NN_REQ, address);
    struct nn_pipe_statistics told;

    WAIT_PEERS(rep, 1);
    uint32_t pipe = only_pipe(rep);
    int second = test_socket_connected(NN_REQ, address);
    WAIT_PEERS(rep, 2);
    for (int i = 0; i < 3; i++) {
        CHECK_SENDS(i < 2 ? first : second, "ask");
        CHECK_RECEIVES(rep, "ask");
        CHECK_SENDS(rep, "answer");
        CHECK_RECEIVES(i < 2 ? first : second, "answer");
    }
    CHECK_OK(nn_socket_pipe_statistics(rep, pipe, &told));
    CHECK_EQUAL(told.messages_received, 2);
    CHECK_EQUAL(told.bytes_received, 2 * (4 + 3));
    CHECK_EQUAL(told.messages_sent, 2);
    CHECK_EQUAL(told.bytes_sent, 2 * (4 + 6));
    CHECK_EQUAL(told.messages_dropped, 0);
    CHECK(told.age_ms < 60000);
    CHECK_OK(nn_socket_pipe_statistics(second, only_pipe(second), &told));
    CHECK_EQUAL(told.messages_sent, 1);
    CHECK_EQUAL(told.messages_received, 1);
    CHECK_EQUAL(told.bytes_received, 4 + 6);
}

TEST_OVER_TRANSPORTS(what_a_full_peer_misses_and_what_waits_for_it_is_counted_for_it)
{
    const char *address = new_address();
    int pub = test_socket_bound(NN_PUB, address);
    struct nn_pipe_statistics told;

    connected_sub(address);
    WAIT_PEERS(pub, 1);
    uint64_t sent = send_until_dropped(pub, 3);
    CHECK_OK(nn_socket_pipe_statistics(pub, only_pipe(pub), &told));
    CHECK_EQUAL(told.messages_dropped, 3);
    CHECK_EQUAL(told.bytes_dropped, 3 * LONG_BYTES);
    CHECK_EQUAL(told.messages_sent, sent - 3);
    CHECK(told.queued_bytes >= LONG_BYTES);
    CHECK_EQUAL(told.queued_bytes, nn_get_statistic(pub, NN_STAT_QUEUED_BYTES));
}

TEST(a_connection_that_is_not_there_has_no_statistics)
{
    struct nn_pipe_statistics told;
    int pub = SOCKET(NN_PUB);

    CHECK_ERRNO(nn_socket_pipe_statistics(pub, 1, &told), ENOENT);
    CHECK_ERRNO(nn_socket_pipe_statistics(pub, 1, NULL), EFAULT);
    CHECK_STATISTIC(pub, NN_STAT_RESENDS, 0);
    CHECK_OK(nn_close(pub));
    CHECK_ERRNO(nn_socket_pipe_statistics(pub, 1, &told), EBADF);
}
