/* Which peer is received from first when several peers have sent, and much of it is in the kernel still. The socket is
 * on a loop that the test runs itself, so that it decides what the engine has seen; the peers are plain streams, whose
 * messages are in the kernel, packed, as soon as they are sent. */
#include "raw_peer.h"
#include "sockets.h"

#include <nanomsg/loop.h>
#include <nanomsg/pipeline.h>

#include <poll.h>
#include <string.h>
#include <unistd.h>

#define PEERS 2
/* The prefix of a message over ipc. */
#define PREFIX_BYTES 9

struct subject {
    struct nn_loop *loop;
    int pull;
    int pushes[PEERS]; /* descriptors */
};

static struct subject subject;

static void end(void)
{
    nn_loop_destroy(subject.loop);
    for (int i = 0; i < PEERS; i++) {
        if (subject.pushes[i] >= 0)
            close(subject.pushes[i]);
    }
}

/* Runs the loop until it has nothing to do. */
static void settle(struct nn_loop *loop)
{
    struct pollfd ready = {.fd = nn_loop_descriptor(loop), .events = POLLIN};

    while (poll(&ready, 1, 0) > 0)
        CHECK_OK(nn_loop_run(loop, 100));
}

static void settle_with_peers(struct nn_loop *loop, int s, uint64_t count)
{
    int64_t deadline_ms = test_wait_deadline();

    do {
        settle(loop);
        if (test_pause(deadline_ms))
            FAIL("the peers do not come");
    } while (nn_get_statistic(s, NN_STAT_CURRENT_CONNECTIONS) != count);
    settle(loop);
}

static void begin(const int priorities[PEERS])
{
    subject.loop = nn_loop_create(NULL);
    CHECK(subject.loop != NULL);
    for (int i = 0; i < PEERS; i++)
        subject.pushes[i] = -1;
    test_at_end(end);
    subject.pull = (int)CHECK_OK(nn_loop_socket(subject.loop, AF_SP, NN_PULL, NULL));
    for (int i = 0; i < PEERS; i++) {
        const char *address = test_ipc_address();
        SET_INT(subject.pull, NN_SOL_SOCKET, NN_RCVPRIO, priorities[i]);
        CHECK_OK(nn_bind(subject.pull, address));
        subject.pushes[i] = raw_connect(address);
        raw_send_handshake(subject.pushes[i], NN_PUSH);
        settle_with_peers(subject.loop, subject.pull, (uint64_t)i + 1);
        raw_expect_handshake(subject.pushes[i], NN_PULL);
    }
}

/* All peers send `count` messages with the number of the peer in one write: they are with the receiver's kernel. */
static void all_send(int count)
{
    enum { MESSAGE_BYTES = PREFIX_BYTES + 1, LIMIT = 5000 };
    static uint8_t bytes[LIMIT * MESSAGE_BYTES];

    CHECK(count <= LIMIT);
    for (int i = 0; i < PEERS; i++) {
        const uint8_t message[MESSAGE_BYTES] = {1, 0, 0, 0, 0, 0, 0, 0, 1, (uint8_t)('0' + i)};
        for (int j = 0; j < count; j++)
            memcpy(bytes + (size_t)j * MESSAGE_BYTES, message, MESSAGE_BYTES);
        raw_send(subject.pushes[i], bytes, (size_t)count * MESSAGE_BYTES);
    }
    settle(subject.loop);
}

static void check_received(const char *order)
{
    char received[32] = "";

    for (size_t i = 0; i < strlen(order); i++)
        CHECK_EQUAL(nn_recv(subject.pull, received + i, 1, NN_DONTWAIT), 1);
    CHECK_STRING(received, order);
    CHECK_ERRNO(nn_recv(subject.pull, received, 1, NN_DONTWAIT), EAGAIN);
}

TEST(a_peer_of_better_priority_is_first_with_all_that_it_has_sent)
{
    begin((const int[PEERS]){9, 2});

    all_send(1); /* is read */
    all_send(3); /* stays in the kernel: what was read was not taken */
    check_received("11110000");
}

TEST(peers_of_one_priority_take_turns_with_all_that_they_have_sent)
{
    begin((const int[PEERS]){8, 8});

    all_send(1);
    all_send(3);
    check_received("01010101");
}

TEST(a_batch_takes_runs_of_short_messages_from_peers_in_turn)
{
    enum { EACH = 400, BATCH = 300 }; /* a run goes on in the next batch */
    begin((const int[PEERS]){8, 8});
    struct nn_received received[BATCH];
    int heard[PEERS] = {0};
    int run = 0;
    int last = -1;
    int count;

    all_send(EACH);
    while ((count = nn_socket_receive_batch(subject.pull, received, BATCH)) > 0) {
        for (int i = 0; i < count; i++) {
            int from = received[i].body[0] - '0';
            run = from == last ? run + 1 : 1;
            last = from;
            heard[from]++;
            CHECK(run <= 128 || heard[1 - from] == EACH);
            nn_chunk_release(received[i].chunk);
        }
    }
    CHECK_EQUAL(heard[0], EACH);
    CHECK_EQUAL(heard[1], EACH);
}

/* What was read first is used up first: memory that many peers share would otherwise be kept by what is left in it of
 * each of them. */
TEST(a_run_ends_with_what_was_read_at_a_time)
{
    enum { EACH = 5000, BATCH = 500 };
    begin((const int[PEERS]){8, 8});
    struct nn_received received[BATCH];
    const uint8_t *next[PEERS] = {NULL}; /* where another message lies that was read together with the last one */
    int heard[PEERS] = {0};
    int reads = 0;
    int last = -1;
    int count;

    all_send(EACH);
    while ((count = nn_socket_receive_batch(subject.pull, received, BATCH)) > 0) {
        for (int i = 0; i < count; i++) {
            int from = received[i].body[0] - '0';
            bool is_read_later = received[i].body != next[from];
            CHECK(from != last || !is_read_later || heard[1 - from] == EACH);
            reads += is_read_later ? 1 : 0;
            next[from] = received[i].body + received[i].body_bytes + PREFIX_BYTES;
            last = from;
            heard[from]++;
        }
        for (int i = 0; i < count; i++)
            nn_chunk_release(received[i].chunk);
    }
    CHECK_EQUAL(heard[0], EACH);
    CHECK_EQUAL(heard[1], EACH);
    CHECK(reads > 2 * PEERS);
}

TEST(a_batch_takes_long_messages_one_by_one)
{
    begin((const int[PEERS]){8, 8});
    struct nn_received received[2 * PEERS];
    static char body[8192];
    char order[sizeof received / sizeof received[0] + 1] = "";

    for (int i = 0; i < PEERS; i++) {
        body[0] = (char)('0' + i);
        for (int j = 0; j < 2; j++)
            raw_send_message(subject.pushes[i], "ipc://", body, sizeof body);
    }
    for (int taken = 0, count; taken < 2 * PEERS; taken += count) {
        settle(subject.loop); /* a long message may be read in two parts */
        count = (int)CHECK_OK(nn_socket_receive_batch(subject.pull, received, 2 * PEERS));
        for (int i = 0; i < count; i++) {
            order[taken + i] = (char)received[i].body[0];
            nn_chunk_release(received[i].chunk);
        }
    }
    CHECK_STRING(order, "0101");
}

TEST(a_peer_that_went_is_gone_with_the_last_message_that_it_sent)
{
    begin((const int[PEERS]){9, 2});

    all_send(1);
    CHECK_OK(close(subject.pushes[1]));
    subject.pushes[1] = -1;
    settle(subject.loop);
    CHECK_EQUAL(nn_get_statistic(subject.pull, NN_STAT_CURRENT_CONNECTIONS), 2);
    check_received("10");
    CHECK_EQUAL(nn_get_statistic(subject.pull, NN_STAT_CURRENT_CONNECTIONS), 1);
    CHECK_EQUAL(nn_get_statistic(subject.pull, NN_STAT_BROKEN_CONNECTIONS), 1);
}
