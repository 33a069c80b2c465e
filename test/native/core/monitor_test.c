/* Events of connections: what nn_socket_monitor tells of peers that come, go, and are turned away. */
#include "hosted_loop.h"
#include "raw_peer.h"
#include "sockets.h"
#include "ws_peer.h"

#include <nanomsg/bus.h>
#include <nanomsg/ipc.h>
#include <nanomsg/pair.h>
#include <nanomsg/pipeline.h>
#include <nanomsg/pubsub.h>
#include <nanomsg/reqrep.h>
#include <nanomsg/ws.h>

#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* Declares a case once for each transport, WebSocket included. */
#define TEST_OVER_ALL(case_name)                                                                                       \
    static void all_##case_name(const char *(*new_address)(void));                                                     \
    TEST(case_name##_over_ws)                                                                                          \
    {                                                                                                                  \
        all_##case_name(test_ws_address);                                                                              \
    }                                                                                                                  \
    TEST_OVER_TRANSPORTS(case_name)                                                                                    \
    {                                                                                                                  \
        all_##case_name(new_address);                                                                                  \
    }                                                                                                                  \
    static void all_##case_name(const char *(*new_address)(void))

static int watched(int protocol)
{
    int s = SOCKET(protocol);

    SET_INT(s, NN_SOL_SOCKET, NN_RECONNECT_IVL, 10);
    CHECK_OK(nn_socket_monitor(s, true));
    return s;
}

static int watched_bound(int protocol, const char *address)
{
    int s = watched(protocol);

    CHECK_OK(nn_bind(s, address));
    return s;
}

static int watched_connected(int protocol, const char *address)
{
    int s = watched(protocol);

    CHECK_OK(nn_connect(s, address));
    return s;
}

static struct nn_event any_event(int s)
{
    struct nn_event event;
    int64_t deadline_ms = test_wait_deadline();

    while (CHECK_OK(nn_socket_next_event(s, &event)) == 0) {
        if (test_pause(deadline_ms))
            FAIL("no event comes");
    }
    return event;
}

/* The next event, which must be of this type. */
static struct nn_event event_of(int s, int type)
{
    struct nn_event event = any_event(s);

    if (event.type != type)
        FAIL("event %d with errno %d came in place of %d", event.type, event.error, type);
    return event;
}

/* The next of this type, whatever else is tried meanwhile. */
static struct nn_event later_event_of(int s, int type)
{
    struct nn_event event;

    do {
        event = any_event(s);
    } while (event.type != type);
    return event;
}

#define CHECK_NO_EVENT(s)                                                                                              \
    do {                                                                                                               \
        struct nn_event unexpected;                                                                                    \
        CHECK_EQUAL(CHECK_OK(nn_socket_next_event((s), &unexpected)), 0);                                              \
    } while (0)

static bool has_ports(const char *address)
{
    return strncmp(address, "tcp:", 4) == 0 || strncmp(address, "ws:", 3) == 0;
}

/* Where the listener is found, without what only a WebSocket has behind the port. */
static const char *place_of(const char *address)
{
    static char place[NN_EVENT_ADDRESS_BYTES];
    char *slash;

    snprintf(place, sizeof place, "%s", address);
    if (has_ports(address) && (slash = strchr(strstr(place, "://") + 3, '/')) != NULL)
        *slash = '\0';
    return place;
}

/* ---- Peers that come and go ---- */

TEST_OVER_ALL(a_monitor_gets_a_peer_that_comes)
{
    const char *address = new_address();
    int rep = watched_bound(NN_REP, address);
    int req = watched_connected(NN_REQ, address);

    struct nn_event accepted = event_of(rep, NN_EVENT_CONNECT);
    struct nn_event connected = later_event_of(req, NN_EVENT_CONNECT);

    CHECK_EQUAL(accepted.protocol, NN_REQ);
    CHECK_EQUAL(connected.protocol, NN_REP);
    CHECK_EQUAL(accepted.endpoint, 1);
    CHECK(accepted.is_bound && !connected.is_bound);
    CHECK_EQUAL(accepted.error, 0);
    CHECK_EQUAL(accepted.lost, 0);
    CHECK(accepted.pipe != 0 && connected.pipe != 0 && accepted.pipe != connected.pipe);
    CHECK_STRING(accepted.address, address);
    CHECK_STRING(connected.address, address);
    CHECK_NO_EVENT(rep);
    CHECK_NO_EVENT(req);
}

TEST_OVER_ALL(the_ends_of_a_connection_are_told_by_address)
{
    const char *address = new_address();
    int rep = watched_bound(NN_REP, address);
    int req = watched_connected(NN_REQ, address);

    struct nn_event accepted = event_of(rep, NN_EVENT_CONNECT);
    struct nn_event connected = later_event_of(req, NN_EVENT_CONNECT);

    CHECK_STRING(accepted.local_address, place_of(address));
    CHECK_STRING(connected.remote_address, accepted.local_address);
    CHECK_STRING(accepted.remote_address, connected.local_address);
    CHECK_EQUAL(strcmp(accepted.local_address, accepted.remote_address) != 0, has_ports(address));
}

TEST_OVER_ALL(a_closing_side_gets_that_it_closed_and_the_other_that_its_peer_did)
{
    const char *address = new_address();
    int bound = watched_bound(NN_BUS, address);
    int connected = watched(NN_BUS);
    int endpoint = (int)CHECK_OK(nn_connect(connected, address));
    struct nn_event came = event_of(bound, NN_EVENT_CONNECT);
    struct nn_event ours = later_event_of(connected, NN_EVENT_CONNECT);

    CHECK_OK(nn_shutdown(connected, endpoint));
    struct nn_event closed = event_of(connected, NN_EVENT_DISCONNECT);
    struct nn_event left = event_of(bound, NN_EVENT_DISCONNECT);

    CHECK_EQUAL(closed.error, 0);
    CHECK_EQUAL(closed.pipe, ours.pipe);
    CHECK_EQUAL(left.error, ESHUTDOWN);
    CHECK_EQUAL(left.pipe, came.pipe);
    CHECK_EQUAL(left.protocol, NN_BUS);
    CHECK_STRING(left.address, came.address);
    CHECK_STRING(left.remote_address, came.remote_address);
    CHECK_STRING(left.local_address, came.local_address);
}

TEST_OVER_ALL(a_listener_that_is_shut_down_names_its_peers_and_itself)
{
    const char *address = new_address();
    int bound = watched(NN_BUS);
    int endpoint = (int)CHECK_OK(nn_bind(bound, address));
    int peer = watched_connected(NN_BUS, address);
    struct nn_event came = event_of(bound, NN_EVENT_CONNECT);

    later_event_of(peer, NN_EVENT_CONNECT);
    CHECK_OK(nn_shutdown(bound, endpoint));
    struct nn_event closed = event_of(bound, NN_EVENT_DISCONNECT);

    CHECK_EQUAL(closed.error, 0);
    CHECK_EQUAL(closed.endpoint, endpoint);
    CHECK_STRING(closed.address, address);
    CHECK_STRING(closed.remote_address, came.remote_address);
    CHECK_EQUAL(later_event_of(peer, NN_EVENT_DISCONNECT).error, ESHUTDOWN);
}

TEST_OVER_ALL(a_connection_that_was_there_before_is_known_when_it_ends)
{
    const char *address = new_address();
    int bound = test_socket_bound(NN_BUS, address);
    int peer = watched_connected(NN_BUS, address);
    struct nn_event connected = later_event_of(peer, NN_EVENT_CONNECT);

    WAIT_PEERS(bound, 1);
    CHECK_OK(nn_socket_monitor(bound, true));
    CHECK_OK(nn_close(peer));
    struct nn_event left = event_of(bound, NN_EVENT_DISCONNECT);

    CHECK_STRING(left.remote_address, connected.local_address);
    CHECK_STRING(left.address, address);
}

TEST_OVER_ALL(a_peer_that_left_is_told_after_its_last_message)
{
    const char *address = new_address();
    int pull = watched_bound(NN_PULL, address);
    int push = test_socket_connected(NN_PUSH, address);

    event_of(pull, NN_EVENT_CONNECT);
    CHECK_SENDS(push, "last words");
    CHECK(test_is_ready(pull, NN_POLLIN, 10000));
    CHECK_OK(nn_close(push));
    CHECK_NO_EVENT(pull);
    CHECK_RECEIVES(pull, "last words");
    CHECK_EQUAL(event_of(pull, NN_EVENT_DISCONNECT).error, ESHUTDOWN);
}

/* ---- Peers of messages ---- */

/* Receives a message, which must be there, and returns the pipe that brought it. */
static uint32_t pipe_of_next(int s)
{
    struct nn_received received;

    CHECK_EQUAL(CHECK_OK(nn_socket_receive_batch(s, &received, 1)), 1);
    if (received.chunk != NULL)
        nn_chunk_release(received.chunk);
    return received.pipe;
}

TEST_OVER_ALL(a_message_tells_its_peer_without_a_monitor)
{
    const char *address = new_address();
    struct nn_event peer;
    int pull = SOCKET(NN_PULL);

    CHECK_OK(nn_bind(pull, address));
    int push = watched_connected(NN_PUSH, address);
    struct nn_event connected = event_of(push, NN_EVENT_CONNECT);
    CHECK_SENDS(push, "hello");
    CHECK(test_is_ready(pull, NN_POLLIN, 10000));
    uint32_t pipe = pipe_of_next(pull);
    CHECK(pipe != 0);

    CHECK_OK(nn_socket_peer(pull, pipe, &peer));
    CHECK_EQUAL(peer.type, NN_EVENT_CONNECT);
    CHECK_EQUAL(peer.pipe, pipe);
    CHECK_EQUAL(peer.protocol, NN_PUSH);
    CHECK(peer.is_bound);
    CHECK_STRING(peer.address, address);
    CHECK_STRING(peer.remote_address, connected.local_address);
    CHECK_STRING(peer.local_address, connected.remote_address);

    CHECK_ERRNO(nn_socket_peer(pull, pipe, NULL), EFAULT);
    CHECK_ERRNO(nn_socket_peer(push, pipe, &peer), ENOENT); /* it is another socket's */
    CHECK_OK(nn_close(push));
    WAIT_PEERS(pull, 0);
    CHECK_ERRNO(nn_socket_peer(pull, pipe, &peer), ENOENT);
    CHECK_OK(nn_close(pull));
    CHECK_ERRNO(nn_socket_peer(pull, pipe, &peer), EBADF);
}

TEST(messages_of_two_peers_tell_them_apart_also_behind_a_filter)
{
    const char *address = test_inproc_address();
    struct nn_event peer;
    int sub = SOCKET(NN_SUB);

    CHECK_OK(nn_setsockopt(sub, NN_SUB, NN_SUB_SUBSCRIBE, "a", 1));
    CHECK_OK(nn_bind(sub, address));
    int first = test_socket_connected(NN_PUB, address);
    int second = test_socket_connected(NN_PUB, address);
    WAIT_PEERS(sub, 2);
    WAIT_PEERS(first, 1);
    WAIT_PEERS(second, 1);

    CHECK_SENDS(first, "a1");
    CHECK(test_is_ready(sub, NN_POLLIN, 10000)); /* which has looked at it */
    uint32_t of_first = pipe_of_next(sub);
    CHECK_SENDS(second, "b");
    CHECK_SENDS(second, "a2");
    CHECK(test_is_ready(sub, NN_POLLIN, 10000));
    uint32_t of_second = pipe_of_next(sub);
    CHECK(of_first != of_second);
    CHECK_OK(nn_socket_peer(sub, of_second, &peer));
    CHECK_EQUAL(peer.protocol, NN_PUB);
}

/* ---- Reasons ---- */

TEST(a_reset_is_reported_with_the_address_of_the_peer)
{
    const char *address = test_tcp_address();
    int pull = watched_bound(NN_PULL, address);
    int fd = raw_connect_admitted(address, NN_PUSH, NN_PULL);
    struct nn_event came = event_of(pull, NN_EVENT_CONNECT);

    raw_reset(fd);
    struct nn_event left = event_of(pull, NN_EVENT_DISCONNECT);
    CHECK_EQUAL(left.error, ECONNRESET);
    CHECK_STRING(left.remote_address, came.remote_address);
}

TEST_OVER_STREAMS(a_message_that_is_too_long_is_the_reason)
{
    const char *address = new_address();
    int pull = watched(NN_PULL);

    SET_INT(pull, NN_SOL_SOCKET, NN_RCVMAXSIZE, 10);
    CHECK_OK(nn_bind(pull, address));
    int fd = raw_connect_admitted(address, NN_PUSH, NN_PULL);
    event_of(pull, NN_EVENT_CONNECT);
    raw_send_prefix(fd, address, 11);
    CHECK_EQUAL(event_of(pull, NN_EVENT_DISCONNECT).error, EMSGSIZE);
    CHECK(raw_is_closed(fd));
    close(fd);
}

TEST(bytes_that_are_no_frame_are_the_reason)
{
    const char *address = test_ipc_address();
    int pull = watched_bound(NN_PULL, address);
    int fd = raw_connect_admitted(address, NN_PUSH, NN_PULL);

    event_of(pull, NN_EVENT_CONNECT);
    raw_send(fd, "\2\0\0\0\0\0\0\0\0", 9); /* ipc knows messages of type 1 only */
    CHECK_EQUAL(event_of(pull, NN_EVENT_DISCONNECT).error, EPROTO);
    CHECK(raw_is_closed(fd));
    close(fd);
}

/* ---- Peers that are turned away ---- */

TEST(frames_that_break_the_rules_of_websocket_are_the_reason)
{
    static const struct {
        const char *bytes;
        size_t count;
        int error;
    } wrong[] = {
        {"\x82\x01x", 3, EPROTO},
        {"\x81\x81\0\0\0\0\xff", 7, EILSEQ},
        {"\x82\xff\0\0\0\0\x7f\xff\xff\xff\0\0\0\0", 14, EMSGSIZE},
    };
    const char *address = test_ws_address();
    int pull = watched_bound(NN_PULL, address);

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        int fd = ws_connect(address, "pull");
        event_of(pull, NN_EVENT_CONNECT);
        raw_send(fd, wrong[i].bytes, wrong[i].count);
        CHECK_EQUAL(event_of(pull, NN_EVENT_DISCONNECT).error, wrong[i].error);
        close(fd);
    }
    CHECK_NO_EVENT(pull);
}

TEST_OVER_STREAMS(a_peer_of_the_wrong_type_is_rejected_by_name)
{
    const char *address = new_address();
    int pull = watched_bound(NN_PULL, address);
    int fd = raw_connect(address);

    raw_send_handshake(fd, NN_REQ);
    struct nn_event event = event_of(pull, NN_EVENT_REJECT);
    CHECK_EQUAL(event.error, EPROTOTYPE);
    CHECK_EQUAL(event.protocol, NN_REQ);
    CHECK_EQUAL(event.pipe, 0);
    CHECK_STRING(event.address, address);
    CHECK(event.remote_address[0] != '\0');
    CHECK(raw_is_closed(fd));
    close(fd);
}

TEST_OVER_ALL(two_sockets_that_do_not_fit_are_told)
{
    const char *address = new_address();
    int pull = watched_bound(NN_PULL, address);
    int req = watched_connected(NN_REQ, address);
    struct nn_event event = later_event_of(req, NN_EVENT_REJECT);

    /* On a stream each side sees what the other is, unless that one was faster and has left. */
    CHECK(event.error == (new_address == test_ws_address ? ECONNREFUSED : EPROTOTYPE) || event.error == ECONNRESET);
    CHECK_STRING(event.address, address);
    if (new_address != test_inproc_address) {
        event = event_of(pull, NN_EVENT_REJECT);
        CHECK(event.error == EPROTOTYPE || event.error == ECONNRESET);
    }
}

TEST_OVER_STREAMS(a_bad_handshake_is_rejected)
{
    const char *address = new_address();
    int pull = watched_bound(NN_PULL, address);
    int fd = raw_connect(address);

    raw_send(fd, "GET / HTTP/1.0\r\n\r\n", 18);
    struct nn_event event = event_of(pull, NN_EVENT_REJECT);
    CHECK_EQUAL(event.error, EPROTO);
    CHECK_EQUAL(event.protocol, 0);
    CHECK(raw_is_closed(fd));
    close(fd);
}

TEST(a_peer_that_resets_before_its_handshake_is_known_nevertheless)
{
    const char *address = test_tcp_address();
    int pull = watched_bound(NN_PULL, address);
    int fd = raw_connect(address);

    raw_expect_handshake(fd, NN_PULL);
    raw_reset(fd);
    struct nn_event event = event_of(pull, NN_EVENT_REJECT);
    CHECK_EQUAL(event.error, ECONNRESET);
    CHECK(strncmp(event.remote_address, "tcp://127.0.0.1:", 16) == 0);
}

TEST_OVER_ALL(a_pair_that_has_its_peer_tells_whom_it_turned_away)
{
    const char *address = new_address();
    int pair = watched_bound(NN_PAIR, address);
    int first = test_socket_connected(NN_PAIR, address);

    event_of(pair, NN_EVENT_CONNECT);
    WAIT_PEERS(first, 1);
    int second = watched_connected(NN_PAIR, address);
    struct nn_event event = event_of(pair, NN_EVENT_REJECT);
    CHECK_EQUAL(event.error, EBUSY);
    CHECK_STRING(event.address, address);
    CHECK(event.remote_address[0] != '\0');
    later_event_of(second, NN_EVENT_REJECT);
}

TEST(a_peer_that_says_nothing_is_rejected_at_its_deadline)
{
    const char *address = test_tcp_address();
    int pull = watched_bound(NN_PULL, address);
    int fd = raw_connect(address);

    CHECK_EQUAL(event_of(pull, NN_EVENT_REJECT).error, ETIMEDOUT);
    CHECK(raw_is_closed(fd));
    close(fd);
}

/* ---- Failures ---- */

TEST_OVER_STREAMS(each_attempt_that_fails_is_told)
{
    const char *address = new_address();
    int push = watched_connected(NN_PUSH, address);

    for (int i = 0; i < 3; i++) {
        struct nn_event event = event_of(push, NN_EVENT_FAILURE);
        CHECK_EQUAL(event.error, has_ports(address) ? ECONNREFUSED : ENOENT);
        CHECK_EQUAL(event.endpoint, 1);
        CHECK_EQUAL(event.pipe, 0);
        CHECK_STRING(event.address, address);
        CHECK_STRING(event.remote_address, address);
        CHECK_STRING(event.local_address, "");
    }
    test_socket_bound(NN_PULL, address);
    later_event_of(push, NN_EVENT_CONNECT);
}

/* No case depends on the names that this machine can look up: none can be looked up. */
int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
    (void)name;
    (void)service;
    (void)hints;
    *found = NULL;
    return EAI_NONAME;
}

TEST(a_name_that_does_not_exist_fails_without_an_address)
{
    int push = watched_connected(NN_PUSH, "tcp://nobody.invalid:5555");
    struct nn_event event = event_of(push, NN_EVENT_FAILURE);

    CHECK(event.error != 0);
    CHECK_STRING(event.address, "tcp://nobody.invalid:5555");
    CHECK_STRING(event.remote_address, "");
}

TEST(a_name_that_cannot_be_resolved_without_descriptors_says_so)
{
    int push = watched(NN_PUSH);
    struct rlimit limit;

    CHECK_OK(getrlimit(RLIMIT_NOFILE, &limit));
    struct rlimit none = {.rlim_cur = 0, .rlim_max = limit.rlim_max};
    CHECK_OK(setrlimit(RLIMIT_NOFILE, &none));
    CHECK_OK(nn_connect(push, "tcp://nobody.invalid:5555"));
    struct nn_event event = event_of(push, NN_EVENT_FAILURE);
    CHECK_OK(setrlimit(RLIMIT_NOFILE, &limit));
    CHECK_EQUAL(event.error, EMFILE);
}

TEST(a_connection_that_cannot_be_accepted_is_told)
{
    const char *address = test_tcp_address();
    int pull = watched_bound(NN_PULL, address);
    int fd = raw_open(address);
    struct rlimit limit;
    struct rlimit none;

    CHECK_OK(getrlimit(RLIMIT_NOFILE, &limit));
    none = limit;
    none.rlim_cur = 0;
    CHECK_OK(setrlimit(RLIMIT_NOFILE, &none));
    raw_connect_opened(fd, address);
    struct nn_event event = event_of(pull, NN_EVENT_FAILURE);
    CHECK_OK(setrlimit(RLIMIT_NOFILE, &limit));
    CHECK_EQUAL(event.error, EMFILE);
    CHECK_STRING(event.address, address);
    raw_send_handshake(fd, NN_PUSH);
    later_event_of(pull, NN_EVENT_CONNECT);
    close(fd);
}

/* ---- The queue ---- */

TEST(nothing_is_told_until_it_is_switched_on_and_after_it_is_switched_off)
{
    int bound = test_socket_bound(NN_BUS, "inproc://a");

    test_socket_connected(NN_BUS, "inproc://a");
    WAIT_PEERS(bound, 1);
    CHECK_NO_EVENT(bound);
    CHECK_OK(nn_socket_monitor(bound, true));
    CHECK_OK(nn_socket_monitor(bound, true));
    CHECK_NO_EVENT(bound);
    test_socket_connected(NN_BUS, "inproc://a");
    WAIT_PEERS(bound, 2);
    CHECK_OK(nn_socket_monitor(bound, false));
    CHECK_OK(nn_socket_monitor(bound, false));
    CHECK_NO_EVENT(bound);
    CHECK_OK(nn_socket_monitor(bound, true));
    CHECK_NO_EVENT(bound);
}

TEST(events_that_are_not_taken_are_dropped_and_counted)
{
    enum { LOST = 6, EVENTS = NN_EVENTS_LIMIT + LOST };
    int bound = watched_bound(NN_BUS, "inproc://a");
    int peer = SOCKET(NN_BUS);

    for (int i = 0; i < EVENTS / 2; i++) {
        int endpoint = (int)CHECK_OK(nn_connect(peer, "inproc://a"));
        WAIT_PEERS(bound, 1);
        CHECK_OK(nn_shutdown(peer, endpoint));
        WAIT_PEERS(bound, 0);
    }
    CHECK_EQUAL(event_of(bound, NN_EVENT_CONNECT).lost, LOST);
    CHECK_EQUAL(event_of(bound, NN_EVENT_DISCONNECT).lost, 0);
    for (int i = 2; i < NN_EVENTS_LIMIT; i += 2) {
        uint32_t pipe = event_of(bound, NN_EVENT_CONNECT).pipe;
        CHECK_EQUAL(event_of(bound, NN_EVENT_DISCONNECT).pipe, pipe);
    }
    CHECK_NO_EVENT(bound);
}

TEST(a_closed_socket_has_no_events)
{
    struct nn_event event;
    int s = watched_bound(NN_BUS, "inproc://a");

    test_socket_connected(NN_BUS, "inproc://a");
    WAIT_PEERS(s, 1);
    CHECK_ERRNO(nn_socket_next_event(s, NULL), EFAULT);
    CHECK_OK(nn_close(s));
    CHECK_ERRNO(nn_socket_next_event(s, &event), EBADF);
    CHECK_ERRNO(nn_socket_monitor(s, true), EBADF);
}

/* ---- On a loop of the host's ---- */

/* Counts how often events are announced for the socket; other news are dropped. */
static int announced(struct host *host, const void *guest)
{
    void *user;
    int events;
    int count = 0;

    while (nn_loop_next_ready(host->loop, &user, &events))
        count += user == guest && (events & NN_LOOP_EVENTS) != 0;
    return count;
}

TEST(a_host_is_told_once_until_it_has_taken_all_events)
{
    struct host host;
    struct guest guest = {0};
    struct nn_event event;

    host_open(&host, NULL);
    guest_open(&guest, &host, NN_BUS);
    CHECK_OK(nn_bind(guest.s, "inproc://a"));
    int unseen = test_socket_connected(NN_BUS, "inproc://a");
    WAIT_PEERS(unseen, 1);
    CHECK_EQUAL(announced(&host, &guest), 0);

    CHECK_OK(nn_socket_monitor(guest.s, true));
    for (int round = 0; round < 2; round++) {
        int peers[2];
        for (int i = 0; i < 2; i++) {
            peers[i] = test_socket_connected(NN_BUS, "inproc://a");
            WAIT_PEERS(peers[i], 1);
        }
        CHECK(host_is_readable(&host, 5000));
        nn_loop_run(host.loop, 64);
        CHECK_EQUAL(announced(&host, &guest), 1);
        for (int i = 0; i < 2; i++) {
            CHECK_EQUAL(CHECK_OK(nn_socket_next_event(guest.s, &event)), 1);
            CHECK_EQUAL(event.type, NN_EVENT_CONNECT);
        }
        CHECK_EQUAL(CHECK_OK(nn_socket_next_event(guest.s, &event)), 0);
    }
    host_close(&host);
}

/* ---- What is known of the peer ---- */

/* Fails the case where it is not known. Returns the size. */
static size_t fact_of(int s, int what, void *value, size_t size)
{
    CHECK_OK(nn_socket_event_peer(s, what, value, &size));
    return size;
}

static void check_unknown(int s, int what)
{
    char value[16];
    size_t size = sizeof value;

    CHECK_ERRNO(nn_socket_event_peer(s, what, value, &size), ENODATA);
}

TEST(a_monitor_gets_the_process_of_a_local_peer)
{
    const char *address = test_ipc_address();
    int pull = watched_bound(NN_PULL, address);
    struct nn_ipc_credentials credentials;

    check_unknown(pull, NN_PEER_CREDENTIALS); /* nothing has been taken */
    int fd = raw_connect_admitted(address, NN_PUSH, NN_PULL);
    event_of(pull, NN_EVENT_CONNECT);
    CHECK_EQUAL(fact_of(pull, NN_PEER_CREDENTIALS, &credentials, sizeof credentials), sizeof credentials);
    CHECK_EQUAL(credentials.pid, getpid());
    CHECK_EQUAL(credentials.uid, getuid());
    CHECK_EQUAL(credentials.gid, getgid());
    check_unknown(pull, NN_PEER_HEADERS);
    check_unknown(pull, NN_PEER_CERTIFICATE);
    check_unknown(pull, NN_PEER_PROBLEM);
    close(fd);
    event_of(pull, NN_EVENT_DISCONNECT);
    credentials.pid = 0;
    fact_of(pull, NN_PEER_CREDENTIALS, &credentials, sizeof credentials);
    CHECK_EQUAL(credentials.pid, getpid());
}

TEST(a_monitor_gets_the_headers_of_a_request)
{
    const char *address = test_ws_address();
    int pull = watched_bound(NN_PULL, address);
    char headers[4096];

    for (int i = 0; i < 3; i++) {
        int fd = ws_connect(address, "pull");
        event_of(pull, NN_EVENT_CONNECT);
        size_t count = fact_of(pull, NN_PEER_HEADERS, headers, sizeof headers);
        CHECK(count < sizeof headers);
        headers[count] = '\0';
        CHECK(strncmp(headers, "Host: localhost\r\n", 17) == 0);
        CHECK_STRING(strstr(headers, "\r\nSec-WebSocket-Protocol"),
                     "\r\nSec-WebSocket-Protocol: pull.sp.nanomsg.org\r\n");
        check_unknown(pull, NN_PEER_CREDENTIALS);
        ws_send(fd, WS_FIN | WS_BINARY, "work", 4);
        CHECK_RECEIVES(pull, "work");
        close(fd);
        event_of(pull, NN_EVENT_DISCONNECT);
    }
}

TEST(a_fact_is_cut_where_there_is_no_room_and_its_size_is_told)
{
    const char *address = test_ws_address();
    int pull = watched_bound(NN_PULL, address);
    char start[6] = "";
    size_t none = 0;

    int fd = ws_connect(address, "pull");
    event_of(pull, NN_EVENT_CONNECT);
    CHECK(fact_of(pull, NN_PEER_HEADERS, start, 5) > 100);
    CHECK_STRING(start, "Host:");
    CHECK_OK(nn_socket_event_peer(pull, NN_PEER_HEADERS, start, &none));
    CHECK(none > 100);
    close(fd);
}

TEST(a_request_that_is_refused_is_told_by_its_status)
{
    const char *address = test_ws_address();
    int pull = watched_bound(NN_PULL, address);
    char problem[64] = "";

    int fd = raw_connect(address);
    CHECK_STATUS(ws_ask(fd, ws_request("/", "rep")), "400");
    CHECK_EQUAL(event_of(pull, NN_EVENT_REJECT).error, EPROTOTYPE);
    fact_of(pull, NN_PEER_PROBLEM, problem, sizeof problem - 1);
    CHECK_STRING(problem, "400 Incompatible Socket Type");
    check_unknown(pull, NN_PEER_HEADERS); /* kept only where its Origin is the reason */
    close(fd);
}

TEST(what_a_server_refuses_with_is_told_to_the_client)
{
    const char *address = test_ws_address();
    int listener = raw_listen(address);
    int push = watched_connected(NN_PUSH, address);
    char problem[256] = "";

    int fd = raw_accept(listener);
    ws_read_head(fd);
    raw_send(fd, "HTTP/1.1 401 Unauthorized\r\n\r\n", 29);
    CHECK_EQUAL(event_of(push, NN_EVENT_REJECT).error, ECONNREFUSED);
    fact_of(push, NN_PEER_PROBLEM, problem, sizeof problem - 1);
    CHECK_STRING(problem, "HTTP/1.1 401 Unauthorized");
    close(fd);
    close(listener);
}

TEST(properties_that_do_not_exist_and_null_pointers_are_refused)
{
    const char *address = test_tcp_address();
    int pull = watched_bound(NN_PULL, address);
    char value[16];
    size_t size = sizeof value;

    CHECK_ERRNO(nn_socket_event_peer(pull, -1, value, &size), EINVAL);
    CHECK_ERRNO(nn_socket_event_peer(pull, NN_PEER_PROBLEM + 1, value, &size), EINVAL);
    CHECK_ERRNO(nn_socket_event_peer(pull, NN_PEER_HEADERS, NULL, &size), EFAULT);
    CHECK_ERRNO(nn_socket_event_peer(pull, NN_PEER_HEADERS, value, NULL), EFAULT);
    CHECK_OK(nn_socket_monitor(pull, false));
    check_unknown(pull, NN_PEER_HEADERS);
    CHECK_OK(nn_close(pull));
    CHECK_ERRNO(nn_socket_event_peer(pull, NN_PEER_HEADERS, value, &size), EBADF);
}

/* ---- Numbers of pipes ---- */

/* Of native/core/pipe.h. */
void sp_pipe_count_from(uint32_t last_id);

/* Connects one more to `bound` and tells the number of its pipe there. */
static uint32_t join(int bound, const char *address)
{
    test_socket_connected(NN_PUSH, address);
    return later_event_of(bound, NN_EVENT_CONNECT).pipe;
}

TEST(numbers_of_pipes_that_wrap_are_never_0_and_never_those_of_the_living)
{
    const char *address = test_ipc_address();
    int pull = watched_bound(NN_PULL, address);
    uint32_t first = join(pull, address);

    CHECK(first > 0 && first <= INT32_MAX);
    for (uint32_t before = 1; before <= 2; before++) {
        sp_pipe_count_from(first - before); /* a peer that joins takes two: one at either end */
        CHECK(join(pull, address) != first);
    }
    for (uint32_t last = 0x7ffffffb; last != 0x80000003; last++) {
        struct nn_event peer;
        sp_pipe_count_from(last);
        uint32_t pipe = join(pull, address);
        CHECK(pipe > 0 && pipe <= INT32_MAX && pipe != first);
        CHECK_OK(nn_socket_peer(pull, pipe, &peer));
        CHECK_EQUAL(peer.pipe, pipe);
    }
}

TEST(the_connections_of_a_socket_can_be_listed)
{
    int pull = test_socket_bound(NN_PULL, "tcp://127.0.0.1:0");
    char own[NN_EVENT_ADDRESS_BYTES];
    uint32_t pipes[2] = {0};
    struct nn_event event;

    CHECK_EQUAL(nn_socket_pipes(pull, pipes, 2), 0);
    CHECK_OK(nn_endpoint_address(pull, 1, own, sizeof own));
    for (int i = 0; i < 3; i++)
        test_socket_connected(NN_PUSH, own);
    WAIT_PEERS(pull, 3);
    CHECK_EQUAL(nn_socket_pipes(pull, NULL, 0), 3);
    CHECK_EQUAL(nn_socket_pipes(pull, pipes, 2), 3);
    for (int i = 0; i < 2; i++)
        CHECK_OK(nn_socket_peer(pull, pipes[i], &event));
    CHECK(pipes[0] != pipes[1]);
    CHECK_ERRNO(nn_socket_pipes(pull, NULL, 1), EFAULT);
    CHECK_ERRNO(nn_socket_pipes(pull, pipes, -1), EINVAL);
    CHECK_OK(nn_close(pull));
    CHECK_ERRNO(nn_socket_pipes(pull, pipes, 2), EBADF);
}
