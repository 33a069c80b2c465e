/* Peers that do not take what is for them: what is told of them, and when they are slow no more. */
#include "raw_peer.h"
#include "sockets.h"

#include <nanomsg/bus.h>
#include <nanomsg/limits.h>
#include <nanomsg/loop.h>
#include <nanomsg/pipeline.h>
#include <nanomsg/pubsub.h>
#include <nanomsg/reqrep.h>
#include <nanomsg/statistics.h>
#include <nanomsg/survey.h>

#include <errno.h>
#include <unistd.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#define CHECK_STATISTIC(s, statistic, value) CHECK_EQUAL(nn_get_statistic((s), (statistic)), (value))

enum { LONG_BYTES = 60000 };

static char body[LONG_BYTES];

static int watched_bound(int protocol, const char *address)
{
    int s = test_socket_bound(protocol, address);

    CHECK_OK(nn_socket_monitor(s, true));
    return s;
}

static int connected_sub(const char *address)
{
    int sub = SOCKET(NN_SUB);

    CHECK_OK(nn_setsockopt(sub, NN_SUB, NN_SUB_SUBSCRIBE, "", 0));
    CHECK_OK(nn_connect(sub, address));
    return sub;
}

/* Sends until the statistic is that; returns how many of the messages went to the one peer. */
static uint64_t send_until(int s, int statistic, uint64_t value)
{
    uint64_t dropped = nn_get_statistic(s, NN_STAT_MESSAGES_DROPPED);
    uint64_t sent = 0;

    for (; nn_get_statistic(s, statistic) < value; sent++)
        CHECK_EQUAL(nn_send(s, body, sizeof body, 0), LONG_BYTES);
    return sent - (nn_get_statistic(s, NN_STAT_MESSAGES_DROPPED) - dropped);
}

/* The next event of this type; what else is told is passed over. */
static struct nn_event event_of(int s, int type)
{
    struct nn_event event = {.type = 0};
    int64_t deadline_ms = test_wait_deadline();

    while (event.type != type) {
        if (CHECK_OK(nn_socket_next_event(s, &event)) == 0 && test_pause(deadline_ms))
            FAIL("no event %d comes", type);
    }
    return event;
}

static void check_not_slow(int s)
{
    struct nn_event event;

    while (CHECK_OK(nn_socket_next_event(s, &event)) == 1)
        CHECK(event.type != NN_EVENT_SLOW);
}

TEST_OVER_TRANSPORTS(a_full_subscriber_is_told_once_until_it_has_taken_what_waits)
{
    const char *address = new_address();
    int pub = watched_bound(NN_PUB, address);
    int sub = connected_sub(address);
    struct nn_event connected = event_of(pub, NN_EVENT_CONNECT);

    uint64_t taken = send_until(pub, NN_STAT_MESSAGES_DROPPED, 1);
    struct nn_event slow = event_of(pub, NN_EVENT_SLOW);
    CHECK_EQUAL(slow.pipe, connected.pipe);
    CHECK_EQUAL(slow.protocol, NN_SUB);
    CHECK_STRING(slow.remote_address, connected.remote_address);
    CHECK(slow.is_bound && slow.error == 0);
    CHECK_EQUAL(slow.messages_dropped, 1);
    CHECK_EQUAL(slow.bytes_dropped, LONG_BYTES);
    CHECK(slow.queued_bytes >= LONG_BYTES);
    CHECK_EQUAL(send_until(pub, NN_STAT_MESSAGES_DROPPED, 5), 0);
    check_not_slow(pub);
    CHECK_STATISTIC(pub, NN_STAT_SLOW_PEERS, 1);

    for (uint64_t i = 0; i < taken; i++)
        CHECK_EQUAL(nn_recv(sub, body, sizeof body, 0), LONG_BYTES);
    send_until(pub, NN_STAT_SLOW_PEERS, 2);
    slow = event_of(pub, NN_EVENT_SLOW);
    CHECK(slow.messages_dropped >= 6);
    CHECK_STATISTIC(sub, NN_STAT_SLOW_PEERS, 0);
}

TEST(a_bus_and_a_surveyor_tell_each_peer_that_is_slow)
{
    static const int types[][2] = {{NN_BUS, NN_BUS}, {NN_SURVEYOR, NN_RESPONDENT}};

    for (size_t i = 0; i < COUNT_OF(types); i++) {
        const char *address = test_inproc_address();
        int s = watched_bound(types[i][0], address);
        test_socket_connected(types[i][1], address);
        test_socket_connected(types[i][1], address);
        WAIT_PEERS(s, 2);
        while (nn_get_statistic(s, NN_STAT_SLOW_PEERS) < 2)
            CHECK_EQUAL(nn_send(s, body, sizeof body, 0), LONG_BYTES);
        CHECK(event_of(s, NN_EVENT_SLOW).pipe != event_of(s, NN_EVENT_SLOW).pipe);
        int fast = test_socket_connected(types[i][1], address);
        WAIT_PEERS(s, 3);
        CHECK_SENDS(s, "to all");
        CHECK_RECEIVES(fast, "to all");
        check_not_slow(s);
    }
}

TEST_OVER_STREAMS(an_asker_that_does_not_read_its_answers_is_slow)
{
    static const int types[][2] = {{NN_REP, NN_REQ}, {NN_RESPONDENT, NN_SURVEYOR}};
    static const char request[] = "\x80\0\0\1ask";

    for (size_t i = 0; i < COUNT_OF(types); i++) {
        const char *address = new_address();
        int s = watched_bound(types[i][0], address);
        int fd = raw_connect_admitted(address, types[i][1], types[i][0]);

        while (nn_get_statistic(s, NN_STAT_SLOW_PEERS) == 0) {
            CHECK_STATISTIC(s, NN_STAT_MESSAGES_DROPPED, 0);
            raw_send_message(fd, address, request, 7);
            CHECK_RECEIVES(s, "ask");
            CHECK_EQUAL(nn_send(s, body, sizeof body, 0), LONG_BYTES);
        }
        CHECK_EQUAL(event_of(s, NN_EVENT_SLOW).messages_dropped, 1);
        close(fd);
    }
}

TEST(a_peer_that_makes_the_sender_wait_is_not_slow)
{
    const char *address = test_tcp_address();
    int push = watched_bound(NN_PUSH, address);
    int fd = raw_connect_admitted(address, NN_PULL, NN_PUSH);

    WAIT_PEERS(push, 1);
    while (nn_send(push, body, sizeof body, NN_DONTWAIT) == LONG_BYTES) {
    }
    CHECK_EQUAL(nn_errno(), EAGAIN);
    check_not_slow(push);
    CHECK_STATISTIC(push, NN_STAT_SLOW_PEERS, 0);
    close(fd);
}

/* ---- NN_ON_SLOW ---- */

/* Sends to all peers until that many were disconnected; the honest one gets every message. */
static void send_until_disconnected(int s, int honest, uint64_t count)
{
    while (nn_get_statistic(s, NN_STAT_SLOW_DISCONNECTS) < count) {
        CHECK_EQUAL(nn_send(s, body, sizeof body, 0), LONG_BYTES);
        CHECK_EQUAL(nn_recv(honest, body, sizeof body, 0), LONG_BYTES);
    }
}

TEST_OVER_STREAMS(a_slow_peer_is_disconnected_and_one_that_keeps_up_misses_nothing)
{
    const char *address = new_address();
    int pub = watched_bound(NN_PUB, address);

    SET_INT(pub, NN_SOL_SOCKET, NN_ON_SLOW, NN_SLOW_DISCONNECT);
    int sub = connected_sub(address);
    WAIT_PEERS(pub, 1);
    int fd = raw_connect_admitted(address, NN_SUB, NN_PUB);
    WAIT_PEERS(pub, 2);
    send_until_disconnected(pub, sub, 1);
    struct nn_event slow = event_of(pub, NN_EVENT_SLOW);
    struct nn_event ended = event_of(pub, NN_EVENT_DISCONNECT);
    CHECK_EQUAL(ended.pipe, slow.pipe);
    CHECK_EQUAL(ended.error, ENOBUFS);
    raw_count_to_end(fd);
    CHECK_STATISTIC(pub, NN_STAT_CURRENT_CONNECTIONS, 1);
    CHECK_STATISTIC(pub, NN_STAT_MESSAGES_DROPPED, 1);
    CHECK_STATISTIC(pub, NN_STAT_SLOW_PEERS, 1);
    CHECK_SENDS(pub, "after");
    CHECK_RECEIVES(sub, "after");
    close(fd);
}

TEST(slow_peers_over_inproc_are_disconnected_while_messages_go_to_all)
{
    static const int types[][2] = {{NN_BUS, NN_BUS}, {NN_SURVEYOR, NN_RESPONDENT}};

    for (size_t i = 0; i < COUNT_OF(types); i++) {
        const char *address = test_inproc_address();
        int s = watched_bound(types[i][0], address);
        SET_INT(s, NN_SOL_SOCKET, NN_ON_SLOW, NN_SLOW_DISCONNECT);
        test_socket_connected(types[i][1], address);
        WAIT_PEERS(s, 1);
        int honest = test_socket_connected(types[i][1], address);
        WAIT_PEERS(s, 2);
        test_socket_connected(types[i][1], address);
        WAIT_PEERS(s, 3);
        send_until_disconnected(s, honest, 2);
        CHECK_EQUAL(event_of(s, NN_EVENT_DISCONNECT).error, ENOBUFS);
        CHECK_EQUAL(event_of(s, NN_EVENT_DISCONNECT).error, ENOBUFS);
    }
}

TEST_OVER_STREAMS(an_asker_that_does_not_read_its_answers_is_disconnected)
{
    static const char request[] = "\x80\0\0\1ask";
    const char *address = new_address();
    int rep = watched_bound(NN_REP, address);

    SET_INT(rep, NN_SOL_SOCKET, NN_ON_SLOW, NN_SLOW_DISCONNECT);
    int fd = raw_connect_admitted(address, NN_REQ, NN_REP);
    while (nn_get_statistic(rep, NN_STAT_SLOW_DISCONNECTS) == 0) {
        raw_send_message(fd, address, request, 7);
        CHECK_RECEIVES(rep, "ask");
        CHECK_EQUAL(nn_send(rep, body, sizeof body, 0), LONG_BYTES);
    }
    CHECK_EQUAL(event_of(rep, NN_EVENT_DISCONNECT).error, ENOBUFS);
    int req = test_socket_connected(NN_REQ, address);
    CHECK_SENDS(req, "other");
    CHECK_RECEIVES(rep, "other");
    close(fd);
}
