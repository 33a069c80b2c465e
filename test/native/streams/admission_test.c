/* Peers that are held until the program has decided about them, and connections that it ends. */
#include "hosted_loop.h"
#include "raw_peer.h"
#include "sockets.h"
#include "ws_peer.h"

#include <nanomsg/admission.h>
#include <nanomsg/limits.h>
#include <nanomsg/pair.h>
#include <nanomsg/pipeline.h>

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENT_MS 20000

/* A bound socket that asks about its peers. */
static int asking(int protocol, const char *address, int limit_ms)
{
    int s = SOCKET(protocol);

    SET_INT(s, NN_SOL_SOCKET, NN_ADMISSION_TIMEO, limit_ms);
    CHECK_OK(nn_socket_monitor(s, true));
    CHECK_OK(nn_bind(s, address));
    return s;
}

/* The next peer that is held. */
static struct nn_event candidate_of(int s)
{
    struct nn_event event;

    CHECK_EQUAL(CHECK_OK(nn_socket_next_candidate(s, &event, PATIENT_MS)), 1);
    CHECK_EQUAL(event.type, NN_EVENT_CANDIDATE);
    CHECK(event.is_bound);
    return event;
}

/* The next event, of this type; its problem goes to text. */
static struct nn_event expect_event(int s, int type, char text[128])
{
    struct nn_event event;
    int64_t deadline_ms = test_wait_deadline();
    size_t size = 127;

    while (CHECK_OK(nn_socket_next_event(s, &event)) == 0) {
        if (test_pause(deadline_ms))
            FAIL("no event comes");
    }
    CHECK_EQUAL(event.type, type);
    if (nn_socket_event_peer(s, NN_PEER_PROBLEM, text, &size) < 0)
        size = 0;
    text[size] = '\0';
    return event;
}

static void expect_none_left(int s)
{
    struct nn_event event;

    WAIT_STATISTIC(s, NN_STAT_HANDSHAKES, 0);
    WAIT_STATISTIC(s, NN_STAT_PEER_CONNECTIONS, 0);
    CHECK_EQUAL(nn_socket_next_candidate(s, &event, 0), 0);
}

TEST_OVER_STREAMS(a_peer_is_told_nothing_before_it_is_admitted)
{
    const char *address = new_address();
    int pull = asking(NN_PULL, address, -1);
    int fd = raw_connect(address);
    char text[128];
    uint8_t byte;

    raw_send_handshake(fd, NN_PUSH);
    raw_send_message(fd, address, "work", 4);
    struct nn_event event = candidate_of(pull);
    CHECK_EQUAL(event.protocol, NN_PUSH);
    CHECK(event.pipe != 0);
    CHECK_STRING(event.address, address);
    CHECK_EQUAL(nn_get_statistic(pull, NN_STAT_HANDSHAKES), 1);
    CHECK_EQUAL(nn_get_statistic(pull, NN_STAT_CURRENT_CONNECTIONS), 0);
    CHECK_SILENT(pull);
    CHECK_EQUAL(recv(fd, &byte, 1, MSG_DONTWAIT), -1);

    CHECK_OK(nn_socket_admit(pull, event.pipe, NULL));
    raw_expect_handshake(fd, NN_PULL);
    CHECK_RECEIVES(pull, "work");
    CHECK_EQUAL(expect_event(pull, NN_EVENT_CONNECT, text).pipe, event.pipe);
    CHECK_EQUAL(nn_get_statistic(pull, NN_STAT_HANDSHAKES), 0);
    CHECK_ERRNO(nn_socket_admit(pull, event.pipe, NULL), ENOENT);
    close(fd);
}

TEST_OVER_STREAMS(a_peer_that_is_refused_is_disconnected_and_an_event)
{
    const char *address = new_address();
    int pull = asking(NN_PULL, address, -1);
    int fd = raw_connect(address);
    char text[128];

    raw_send_handshake(fd, NN_PUSH);
    CHECK_OK(nn_socket_admit(pull, candidate_of(pull).pipe, "its name is not on the list"));
    CHECK_EQUAL(raw_count_to_end(fd), 0);
    struct nn_event event = expect_event(pull, NN_EVENT_REJECT, text);
    CHECK_EQUAL(event.error, EPERM);
    CHECK_EQUAL(event.protocol, NN_PUSH);
    CHECK_STRING(text, "its name is not on the list");
    CHECK_EQUAL(nn_get_statistic(pull, NN_STAT_REFUSED_PEERS), 1);
    expect_none_left(pull);
    close(fd);
}

TEST(a_socket_loses_nothing_where_it_is_refused)
{
    const char *first_address = test_tcp_address();
    int first = asking(NN_PULL, first_address, -1);
    const char *second_address = test_tcp_address();
    int second = test_socket_bound(NN_PULL, second_address);
    int push = test_socket_connected(NN_PUSH, first_address);

    CHECK_OK(nn_socket_admit(first, candidate_of(first).pipe, "no"));
    CHECK_OK(nn_connect(push, second_address));
    WAIT_PEERS(push, 1);
    for (int i = 0; i < 20; i++)
        CHECK_SENDS(push, "work");
    for (int i = 0; i < 20; i++)
        CHECK_RECEIVES(second, "work");
}

TEST(a_peer_that_nothing_decides_about_is_refused_when_the_time_is_over)
{
    const char *address = test_tcp_address();
    int pull = asking(NN_PULL, address, 500);
    int fd = raw_connect(address);
    char text[128];

    raw_send_handshake(fd, NN_PUSH);
    struct nn_event event = candidate_of(pull);
    CHECK_EQUAL(raw_count_to_end(fd), 0);
    CHECK_EQUAL(expect_event(pull, NN_EVENT_REJECT, text).error, EPERM);
    CHECK(strstr(text, "in time") != NULL);
    CHECK_ERRNO(nn_socket_admit(pull, event.pipe, NULL), ENOENT);
    expect_none_left(pull);
    close(fd);
}

TEST_OVER_STREAMS(a_peer_that_leaves_is_held_no_longer)
{
    const char *address = new_address();
    int pull = asking(NN_PULL, address, -1);
    int fd = raw_connect(address);
    char text[128];

    raw_send_handshake(fd, NN_PUSH);
    struct nn_event event = candidate_of(pull);
    close(fd);
    CHECK_EQUAL(expect_event(pull, NN_EVENT_REJECT, text).error, ECONNRESET);
    CHECK_ERRNO(nn_socket_admit(pull, event.pipe, NULL), ENOENT);
    expect_none_left(pull);
}

TEST(what_is_wrong_anyway_is_not_asked_about)
{
    const char *address = test_tcp_address();
    int pull = asking(NN_PULL, address, -1);
    int fd = raw_connect(address);
    struct nn_event event;
    char text[128];

    raw_send_handshake(fd, NN_PAIR);
    raw_expect_handshake(fd, NN_PULL); /* so that it knows why */
    CHECK(raw_is_closed(fd));
    CHECK_EQUAL(expect_event(pull, NN_EVENT_REJECT, text).error, EPROTOTYPE);
    CHECK_EQUAL(nn_socket_next_candidate(pull, &event, 0), 0);
    close(fd);
}

TEST(a_pair_holds_several_and_has_room_for_one)
{
    const char *address = test_tcp_address();
    int pair = asking(NN_PAIR, address, -1);
    int first = raw_connect(address);
    int second = raw_connect(address);

    raw_send_handshake(first, NN_PAIR);
    struct nn_event one = candidate_of(pair);
    raw_send_handshake(second, NN_PAIR);
    struct nn_event other = candidate_of(pair);
    CHECK_OK(nn_socket_admit(pair, one.pipe, NULL));
    CHECK_OK(nn_socket_admit(pair, other.pipe, NULL));
    raw_expect_handshake(first, NN_PAIR);
    raw_expect_handshake(second, NN_PAIR);
    CHECK(raw_is_closed(second));
    WAIT_PEERS(pair, 1);
    close(first);
    close(second);
}

TEST(peers_that_are_held_are_handshakes_under_way)
{
    const char *address = test_tcp_address();
    int pull = SOCKET(NN_PULL);
    int fds[3];

    SET_INT(pull, NN_SOL_SOCKET, NN_ADMISSION_TIMEO, -1);
    SET_INT(pull, NN_SOL_SOCKET, NN_MAX_HANDSHAKES, 2);
    CHECK_OK(nn_bind(pull, address));
    uint32_t oldest = 0;
    for (int i = 0; i < 3; i++) {
        fds[i] = raw_connect(address);
        raw_send_handshake(fds[i], NN_PUSH);
        uint32_t pipe = candidate_of(pull).pipe;
        oldest = i == 0 ? pipe : oldest;
    }
    CHECK(raw_is_closed(fds[0]));
    CHECK_ERRNO(nn_socket_admit(pull, oldest, NULL), ENOENT);
    CHECK_EQUAL(nn_get_statistic(pull, NN_STAT_HANDSHAKES), 2);
    for (int i = 0; i < 3; i++)
        close(fds[i]);
    WAIT_STATISTIC(pull, NN_STAT_HANDSHAKES, 0);
}

TEST(a_websocket_is_answered_when_the_program_has_decided)
{
    const char *address = test_ws_address();
    int pull = asking(NN_PULL, address, -1);
    char headers[1024];
    char text[128];

    for (int i = 0; i < 2; i++) {
        size_t size = sizeof headers;
        int fd = raw_connect(address);
        const char *request = ws_request("/", "pull");
        raw_send(fd, request, strlen(request));
        struct nn_event event = candidate_of(pull);
        CHECK_OK(nn_socket_event_peer(pull, NN_PEER_HEADERS, headers, &size));
        CHECK(strstr(headers, "Sec-WebSocket-Key: ") != NULL);
        CHECK_OK(nn_socket_admit(pull, event.pipe, i == 0 ? "no" : NULL));
        CHECK_STATUS(ws_read_head(fd), i == 0 ? "403" : "101");
        expect_event(pull, i == 0 ? NN_EVENT_REJECT : NN_EVENT_CONNECT, text);
        if (i == 1) {
            ws_send(fd, WS_FIN | WS_BINARY, "work", 4);
            CHECK_RECEIVES(pull, "work");
        }
        close(fd);
    }
}

static int waiting_socket;

static void close_it(void *thread_id)
{
    int64_t deadline_ms = test_wait_deadline();

    while (!test_is_asleep(*(long *)thread_id)) {
        if (test_pause(deadline_ms))
            FAIL("nothing waits");
    }
    CHECK_OK(nn_close(waiting_socket));
}

TEST(waiting_for_a_peer_ends_with_the_time_and_with_the_socket)
{
    struct nn_event event;
    long thread_id = (long)gettid();

    waiting_socket = asking(NN_PULL, test_tcp_address(), -1);
    CHECK_EQUAL(nn_socket_next_candidate(waiting_socket, &event, 10), 0);
    CHECK_ERRNO(nn_socket_next_candidate(waiting_socket, NULL, 0), EFAULT);
    CHECK_ERRNO(nn_socket_admit(waiting_socket, 1, NULL), ENOENT);
    struct test_thread *closer = test_thread_start(close_it, &thread_id);
    CHECK_ERRNO(nn_socket_next_candidate(waiting_socket, &event, -1), EBADF);
    test_thread_join(closer);
    CHECK_ERRNO(nn_socket_admit(waiting_socket, 1, NULL), EBADF);
    CHECK_ERRNO(nn_socket_disconnect(waiting_socket, 1), EBADF);
}

TEST(a_socket_closes_while_peers_are_held)
{
    const char *address = test_tcp_address();
    int pull = asking(NN_PULL, address, -1);
    int fd = raw_connect(address);

    raw_send_handshake(fd, NN_PUSH);
    candidate_of(pull);
    CHECK_OK(nn_close(pull));
    CHECK(raw_is_closed(fd));
    close(fd);
}

/* ---- Ending connections ---- */

TEST_OVER_TRANSPORTS(a_connection_that_is_ended_is_told_to_both_sides)
{
    const char *address = new_address();
    int pull = SOCKET(NN_PULL);
    int push = SOCKET(NN_PUSH);
    char text[128];

    CHECK_OK(nn_socket_monitor(pull, true));
    CHECK_OK(nn_socket_monitor(push, true));
    SET_INT(push, NN_SOL_SOCKET, NN_RECONNECT_IVL, 10);
    CHECK_OK(nn_bind(pull, address));
    CHECK_OK(nn_connect(push, address));
    struct nn_event first = expect_event(pull, NN_EVENT_CONNECT, text);
    expect_event(push, NN_EVENT_CONNECT, text);
    CHECK_ERRNO(nn_socket_disconnect(pull, first.pipe + 1000), ENOENT);
    CHECK_OK(nn_socket_disconnect(pull, first.pipe));
    CHECK_EQUAL(expect_event(pull, NN_EVENT_DISCONNECT, text).error, 0);
    CHECK_EQUAL(expect_event(push, NN_EVENT_DISCONNECT, text).error, ESHUTDOWN);
    struct nn_event again = expect_event(pull, NN_EVENT_CONNECT, text); /* the peer comes back */
    CHECK(again.pipe != first.pipe);
    CHECK_SENDS(push, "work");
    CHECK_RECEIVES(pull, "work");
}

TEST(a_peer_that_is_held_can_be_disconnected)
{
    const char *address = test_tcp_address();
    int pull = asking(NN_PULL, address, -1);
    int fd = raw_connect(address);

    raw_send_handshake(fd, NN_PUSH);
    CHECK_OK(nn_socket_disconnect(pull, candidate_of(pull).pipe));
    CHECK_EQUAL(raw_count_to_end(fd), 0);
    expect_none_left(pull);
    close(fd);
}

/* Runs the loop, and returns whether the host was told of events. */
static bool is_told(struct host *host)
{
    void *user;
    int events;
    bool is_told_now = false;

    nn_loop_run(host->loop, 64);
    while (nn_loop_next_ready(host->loop, &user, &events))
        is_told_now |= (events & NN_LOOP_EVENTS) != 0;
    return is_told_now;
}

TEST(a_host_is_told_of_each_peer_also_when_it_has_not_taken_the_last_one)
{
    const char *address = test_tcp_address();
    struct nn_event event;
    struct host host;
    struct guest pull = {0};
    int fds[2];

    host_open(&host, NULL);
    guest_open(&pull, &host, NN_PULL);
    SET_INT(pull.s, NN_SOL_SOCKET, NN_ADMISSION_TIMEO, -1);
    CHECK_OK(nn_bind(pull.s, address));
    for (int i = 0; i < 2; i++) {
        int64_t deadline_ms = test_wait_deadline();
        fds[i] = raw_connect(address);
        raw_send_handshake(fds[i], NN_PUSH);
        while (!is_told(&host)) {
            if (test_pause(deadline_ms))
                FAIL("the host is not told of peer %d", i);
        }
    }
    for (int i = 2; i >= 0; i--)
        CHECK_EQUAL(CHECK_OK(nn_socket_next_candidate(pull.s, &event, 0)), i > 0);
    host_close(&host);
    close(fds[0]);
    close(fds[1]);
}
