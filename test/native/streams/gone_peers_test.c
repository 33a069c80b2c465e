/* Peers that finish or die: their descriptors are closed, also while their messages wait, and nothing of them stays
 * when those are taken. */
#include "gone_tests.h"
#include "raw_peer.h"
#include "ws_peer.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>

/* ---- Peers of each transport ---- */

static struct gone_peer stream_connect(const char *address, int protocol, int peer_protocol, const char *peer_name)
{
    (void)peer_name;
    return (struct gone_peer){.fd = raw_connect_admitted(address, protocol, peer_protocol)};
}

static void stream_say(struct gone_peer peer, const char *address, const void *bytes, size_t count, size_t announced)
{
    raw_send_prefix(peer.fd, address, announced);
    raw_send(peer.fd, bytes, count);
}

static struct gone_peer ws_peer_connect(const char *address, int protocol, int peer_protocol, const char *peer_name)
{
    (void)protocol;
    (void)peer_protocol;
    return (struct gone_peer){.fd = ws_connect(address, peer_name)};
}

static void ws_peer_say(struct gone_peer peer, const char *address, const void *bytes, size_t count, size_t announced)
{
    (void)address;
    if (count == announced) {
        ws_send(peer.fd, WS_FIN | WS_BINARY, bytes, count);
        return;
    }
    ws_send_prefix(peer.fd, WS_FIN | WS_BINARY, announced);
    raw_send(peer.fd, bytes, count);
}

static const struct gone_way ipc_way = {test_ipc_address, NULL, stream_connect, stream_say, NULL};
static const struct gone_way tcp_way = {test_tcp_address, NULL, stream_connect, stream_say, NULL};
static const struct gone_way ws_way = {test_ws_address, NULL, ws_peer_connect, ws_peer_say, NULL};

TEST_GONE_PEERS_OVER(ipc, ipc_way)
TEST_GONE_PEERS_OVER(tcp, tcp_way)
TEST_GONE_PEERS_OVER(ws, ws_way)

/* ---- What they have said ---- */

/* More than is read at a time. */
TEST_OVER_STREAMS(all_that_a_peer_has_said_is_received_after_its_descriptor_is_closed)
{
    enum { MESSAGES = 40, BYTES = 3000 };
    const char *address = new_address();
    static uint8_t body[BYTES];
    static uint8_t received[BYTES];
    int pull = test_socket_bound(NN_PULL, address);
    int before = count_descriptors();
    int fd = raw_connect_admitted(address, NN_PUSH, NN_PULL);

    WAIT_PEERS(pull, 1);
    raw_send_message(fd, address, "first", 5);
    CHECK(test_is_ready(pull, NN_POLLIN, 5000));
    for (int i = 0; i < MESSAGES; i++) {
        memset(body, i, sizeof body);
        raw_send_message(fd, address, body, sizeof body - (size_t)i);
    }
    close(fd);
    int64_t deadline_ms = test_wait_deadline();
    while (count_descriptors() > before)
        CHECK(!test_pause(deadline_ms));
    CHECK_RECEIVES(pull, "first");
    for (int i = 0; i < MESSAGES; i++) {
        memset(body, i, sizeof body);
        CHECK_EQUAL(CHECK_OK(nn_recv(pull, received, sizeof received, 0)), (int)sizeof body - i);
        CHECK_BYTES(received, sizeof body - (size_t)i, body, sizeof body - (size_t)i);
    }
    WAIT_PEERS(pull, 0);
}

enum { LONG_BYTES = 1000000 };

static bool is_ws(const char *address)
{
    return strncmp(address, "ws", 2) == 0;
}

/* Connects, and sends one long message. */
static int speaker_open(const char *address)
{
    static const uint8_t body[LONG_BYTES];

    if (is_ws(address)) {
        int fd = ws_connect(address, "pull");
        ws_send(fd, WS_BINARY, body, sizeof body / 2);
        ws_send(fd, WS_FIN | WS_CONTINUATION, body, sizeof body / 2);
        return fd;
    }
    int fd = raw_connect_admitted(address, NN_PUSH, NN_PULL);
    raw_send_message(fd, address, body, sizeof body);
    return fd;
}

/* Peers that come, speak and go do not fill the memory: beyond a limit they stay in the table of descriptors. */
static void check_limit(const char *address)
{
    enum { SPEAKERS = 40, WITHIN_LIMIT = 17, ROUNDS = 20 };
    static uint8_t body[LONG_BYTES];
    int fds[SPEAKERS];
    int pull = test_socket_bound(NN_PULL, address);

    for (int i = 0; i < SPEAKERS; i++)
        fds[i] = speaker_open(address);
    WAIT_PEERS(pull, SPEAKERS);
    int before = count_descriptors();
    for (int i = 0; i < SPEAKERS; i++)
        close(fds[i]);
    for (int i = 0; i < ROUNDS; i++) { /* meanwhile the loop looks at the others */
        close(is_ws(address) ? ws_connect(address, "pull") : raw_connect_admitted(address, NN_PUSH, NN_PULL));
        WAIT_PEERS(pull, SPEAKERS);
    }
    CHECK(count_descriptors() >= before - SPEAKERS - WITHIN_LIMIT);
    for (int i = 0; i < SPEAKERS; i++)
        CHECK_EQUAL(CHECK_OK(nn_recv(pull, body, sizeof body, 0)), (int)sizeof body);
    WAIT_PEERS(pull, 0);
    CHECK_EQUAL(count_descriptors(), before - 2 * SPEAKERS);
}

TEST_OVER_STREAMS(what_peers_that_are_gone_leave_in_memory_has_a_limit)
{
    check_limit(new_address());
}

TEST(fragments_that_peers_that_are_gone_leave_in_memory_have_a_limit)
{
    check_limit(test_ws_address());
}

/* A peer that has finished waits for its answers. */
TEST_OVER_STREAMS(a_peer_that_has_asked_and_finished_gets_answers)
{
    enum { REQUESTS = 5, ANSWERED = 3 }; /* the last one is taken ahead, and with it the end is met */
    const char *address = new_address();
    int rep = test_socket_bound(NN_REP, address);
    int fd = raw_connect_admitted(address, NN_REQ, NN_REP);
    char answer[16];

    WAIT_PEERS(rep, 1);
    for (int i = 0; i < REQUESTS; i++)
        raw_send_message(fd, address, "\x80\0\0\1?", 5);
    raw_finish(fd);
    for (int i = 0; i < ANSWERED; i++) {
        CHECK_RECEIVES(rep, "?");
        CHECK_SENDS(rep, "!");
        CHECK_EQUAL(raw_receive_message(fd, address, answer, sizeof answer), 5);
    }
    for (int i = ANSWERED; i < REQUESTS; i++)
        CHECK_RECEIVES(rep, "?");
    WAIT_PEERS(rep, 0);
    close(fd);
}

/* ---- A kernel that fails ---- */

static atomic_int failing_error;

/* Instead of the C library's. */
ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    int error = atomic_load(&failing_error);

    if (error != 0) {
        errno = error;
        return -1;
    }
    return syscall(SYS_sendmsg, fd, message, flags);
}

static void check_cannot_send(const char *address, int error, bool is_held)
{
    int pair = test_socket_bound(NN_PAIR, address);
    int fd = raw_connect_admitted(address, NN_PAIR, NN_PAIR);

    WAIT_PEERS(pair, 1);
    if (is_held) {
        raw_send_message(fd, address, "held", 4);
        CHECK(test_is_ready(pair, NN_POLLIN, 5000));
    }
    atomic_store(&failing_error, error);
    nn_send(pair, "x", 1, NN_DONTWAIT);
    atomic_store(&failing_error, 0);
    CHECK(raw_is_closed(fd));
    if (is_held)
        CHECK_RECEIVES(pair, "held");
    WAIT_PEERS(pair, 0);
    CHECK_OK(nn_close(pair));
    close(fd);
}

/* The peer is well, and would wait for ever. */
TEST_OVER_STREAMS(a_connection_that_cannot_send_ends)
{
    check_cannot_send(new_address(), ENOMEM, false);
    check_cannot_send(new_address(), ENOMEM, true);
    check_cannot_send(new_address(), EPIPE, true);
}
