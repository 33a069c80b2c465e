/* Messages of many peers: of which of them they are in memory, and of which in the kernel. The socket is on a loop that
 * the test runs itself; the peers are plain streams. */
#include "raw_peer.h"
#include "sockets.h"
#include "system.h"

#include <nanomsg/limits.h>
#include <nanomsg/loop.h>
#include <nanomsg/pipeline.h>

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    PEERS = 40,
    EACH = 6000,        /* messages of a peer */
    MESSAGE_BYTES = 11, /* a prefix of 9, and the number of the peer */
    BATCH = 100,
    READ_PEERS = 16,
    READ_BYTES = 16 * 1024, /* of one peer at a time, while as many have unread messages */
};

static struct {
    struct nn_loop *loop;
    int pull;
    int peers[PEERS];
    int accepted[PEERS]; /* the same connections' other ends */
    int heard[PEERS];
} subject;

static void end(void)
{
    nn_loop_destroy(subject.loop);
    for (int i = 0; i < PEERS; i++) {
        if (subject.peers[i] >= 0)
            close(subject.peers[i]);
    }
}

static void settle(void)
{
    struct pollfd ready = {.fd = nn_loop_descriptor(subject.loop), .events = POLLIN};

    while (poll(&ready, 1, 0) > 0)
        CHECK_OK(nn_loop_run(subject.loop, 100));
}

static void connect_peer(int i, const char *address)
{
    int64_t deadline_ms = test_wait_deadline();

    subject.peers[i] = raw_connect(address);
    raw_send_handshake(subject.peers[i], NN_PUSH);
    do {
        settle();
        if (test_pause(deadline_ms))
            FAIL("the peer does not come");
    } while (nn_get_statistic(subject.pull, NN_STAT_CURRENT_CONNECTIONS) != (uint64_t)i + 1);
    raw_expect_handshake(subject.peers[i], NN_PULL);
}

static void send_messages(int i, int count)
{
    static uint8_t bytes[EACH * MESSAGE_BYTES];
    const uint8_t message[MESSAGE_BYTES] = {1, 0, 0, 0, 0, 0, 0, 0, 2, (uint8_t)i, (uint8_t)i};

    for (int j = 0; j < count; j++)
        memcpy(bytes + (size_t)j * MESSAGE_BYTES, message, MESSAGE_BYTES);
    raw_send(subject.peers[i], bytes, (size_t)count * MESSAGE_BYTES);
}

/* All peers are connected. */
static void begin_connected(int priority_of_first)
{
    const char *address = test_ipc_address();

    memset(&subject, 0, sizeof subject);
    memset(subject.peers, -1, sizeof subject.peers);
    subject.loop = nn_loop_create(NULL);
    CHECK(subject.loop != NULL);
    test_at_end(end);
    subject.pull = (int)CHECK_OK(nn_loop_socket(subject.loop, AF_SP, NN_PULL, NULL));
    if (priority_of_first != 0) {
        SET_INT(subject.pull, NN_SOL_SOCKET, NN_RCVPRIO, priority_of_first);
        const char *first = test_ipc_address();
        CHECK_OK(nn_bind(subject.pull, first));
        connect_peer(0, first);
        SET_INT(subject.pull, NN_SOL_SOCKET, NN_RCVPRIO, 8);
    }
    CHECK_OK(nn_bind(subject.pull, address));
    for (int i = priority_of_first != 0 ? 1 : 0; i < PEERS; i++)
        connect_peer(i, address);
}

/* All peers have sent. */
static void begin(int priority_of_first)
{
    begin_connected(priority_of_first);
    for (int i = 0; i < PEERS; i++)
        send_messages(i, EACH);
    settle();
}

/* Descriptors of connections that were accepted have the name of the listener, and numbers in their order. */
static void find_accepted(void)
{
    int found = 0;

    for (int fd = 0; fd < 1024 && found < PEERS; fd++) {
        struct sockaddr_un name;
        socklen_t length = sizeof name;
        int is_listening = 0;
        if (getsockname(fd, (struct sockaddr *)&name, &length) == 0 && name.sun_family == AF_UNIX &&
            length > sizeof name.sun_family &&
            getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &(socklen_t){sizeof is_listening}) == 0 &&
            !is_listening)
            subject.accepted[found++] = fd;
    }
    CHECK_EQUAL(found, PEERS);
}

/* Returns how many messages there were. */
static int receive_batch(void)
{
    struct nn_received received[BATCH];
    int count = nn_socket_receive_batch(subject.pull, received, BATCH);

    for (int i = 0; i < count; i++) {
        CHECK(received[i].body[0] < PEERS);
        subject.heard[received[i].body[0]]++;
        nn_chunk_release(received[i].chunk);
    }
    return count;
}

static int unread_bytes(int i)
{
    int bytes = 0;

    CHECK_OK(ioctl(subject.accepted[i], FIONREAD, &bytes));
    return bytes;
}

/* How many peers have messages in memory. */
static int peers_in_memory(void)
{
    int count = 0;

    for (int i = 0; i < PEERS; i++) {
        int read_messages = EACH - (unread_bytes(i) + MESSAGE_BYTES - 1) / MESSAGE_BYTES;
        count += read_messages > subject.heard[i] ? 1 : 0;
    }
    return count;
}

static int heard_least(void)
{
    int least = EACH;

    for (int i = 0; i < PEERS; i++)
        least = subject.heard[i] < least ? subject.heard[i] : least;
    return least;
}

static int heard_most(void)
{
    int most = 0;

    for (int i = 0; i < PEERS; i++)
        most = subject.heard[i] > most ? subject.heard[i] : most;
    return most;
}

/* The number of peers of which as many messages are taken. */
static int peers_heard(int messages)
{
    int count = 0;

    for (int i = 0; i < PEERS; i++)
        count += subject.heard[i] == messages ? 1 : 0;
    return count;
}

TEST(of_many_peers_a_few_are_read_at_a_time_in_turn)
{
    begin(0);
    find_accepted();
    CHECK_EQUAL(peers_in_memory(), PEERS); /* what the loop has found */

    while (heard_least() < EACH / 2) {
        CHECK(receive_batch() > 0);
        CHECK(heard_most() - heard_least() <= 2 * READ_BYTES / MESSAGE_BYTES);
    }
    CHECK(peers_in_memory() <= READ_PEERS + 1);
    while (receive_batch() > 0 || heard_least() < EACH)
        settle();
    CHECK_EQUAL(heard_most(), EACH);
}

TEST(what_waits_in_the_kernel_arrives_when_its_peer_has_gone)
{
    begin(0);
    while (heard_least() < 1000)
        CHECK(receive_batch() > 0);
    for (int i = 0; i < PEERS; i++) {
        CHECK_OK(close(subject.peers[i]));
        subject.peers[i] = -1;
    }
    settle();
    while (receive_batch() > 0 || heard_least() < EACH)
        settle();
    CHECK_EQUAL(heard_most(), EACH);
}

TEST(a_peer_of_better_priority_does_not_wait_among_many)
{
    begin(1);
    while (subject.heard[0] < EACH) {
        CHECK(receive_batch() > 0);
        CHECK(subject.heard[0] == EACH || heard_least() == 0);
    }
    CHECK(heard_most() == EACH);
    int others = 0;
    for (int i = 1; i < PEERS; i++)
        others += subject.heard[i];
    CHECK(others < BATCH);
}

/* Peers of the same process have messages again and again; they are never in the line. */
TEST(peers_in_the_kernel_have_turns_among_peers_of_the_process)
{
    enum { INPROC_PEERS = READ_PEERS + 1 };
    const char *address = test_inproc_address();
    int pushes[INPROC_PEERS];
    const uint8_t body[2] = {PEERS - 1, PEERS - 1}; /* counts as one of the last peer's */

    begin(0);
    while (heard_most() < 500)
        CHECK(receive_batch() > 0); /* many wait in the line */
    CHECK_OK(nn_bind(subject.pull, address));
    for (int i = 0; i < INPROC_PEERS; i++)
        pushes[i] = test_socket_connected(NN_PUSH, address);
    settle();
    for (int batches = 0; subject.heard[0] < EACH; batches++) {
        CHECK(batches < 2 * PEERS * EACH / BATCH);
        for (int i = 0; i < INPROC_PEERS; i++) {
            while (nn_send(pushes[i], body, sizeof body, NN_DONTWAIT) > 0)
                ;
        }
        settle();
        CHECK(receive_batch() > 0);
    }
}

/* A peer is in the line with a message under way, and the room for that is given to others. */
TEST(a_peer_in_the_line_may_lose_its_room)
{
    enum { FIRST = 300, SECOND = 1200, BODY_BYTES = 12 * 1024, BEGUN_BYTES = 8000, LOOKS_MS = 200 };
    static uint8_t body[BODY_BYTES];

    begin_connected(0);
    SET_INT(subject.pull, NN_SOL_SOCKET, NN_MAX_UNFINISHED_BYTES, 2 * BODY_BYTES);
    for (int i = 0; i < PEERS; i++)
        send_messages(i, FIRST);
    settle(); /* is read; what follows is read by the line, up to the middle of the last message */
    for (int i = 0; i < PEERS; i++) {
        memset(body, i, sizeof body);
        send_messages(i, SECOND);
        raw_send_prefix(subject.peers[i], "ipc://", BODY_BYTES);
        raw_send(subject.peers[i], body, BEGUN_BYTES);
    }
    settle();
    while (peers_heard(FIRST + SECOND) < 4)
        CHECK(receive_batch() > 0);
    struct pollfd ready = {.fd = nn_loop_descriptor(subject.loop), .events = POLLIN};
    for (int64_t until_ms = test_now_ms() + LOOKS_MS; test_now_ms() < until_ms;) {
        poll(&ready, 1, LOOKS_MS / 10);
        CHECK_OK(nn_loop_run(subject.loop, 100)); /* looks at what grows, and what does not */
    }
    for (int i = 0; i < PEERS; i++) {
        memset(body, i, sizeof body);
        raw_send(subject.peers[i], body, BODY_BYTES - BEGUN_BYTES);
    }
    int64_t deadline_ms = test_wait_deadline();
    while (heard_least() < FIRST + SECOND + 1) {
        settle();
        while (receive_batch() > 0)
            ;
        if (test_pause(deadline_ms))
            FAIL("a message does not arrive");
    }
}
