/* Which peer is received from first when several peers have sent, and much of it is in the kernel still. The sockets
 * are on a loop that the test runs itself, so that it decides what the engine has seen. */
#include "sockets.h"

#include <nanomsg/loop.h>
#include <nanomsg/pipeline.h>

#include <poll.h>
#include <string.h>

#define PEERS 2

struct subject {
    struct nn_loop *loop;
    int pull;
    int pushes[PEERS];
};

static struct nn_loop *current_loop;

static void destroy_loop(void)
{
    nn_loop_destroy(current_loop);
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

static struct subject begin(const int priorities[PEERS])
{
    struct subject self;

    self.loop = nn_loop_create(NULL);
    CHECK(self.loop != NULL);
    current_loop = self.loop;
    test_at_end(destroy_loop);
    self.pull = (int)CHECK_OK(nn_loop_socket(self.loop, AF_SP, NN_PULL, NULL));
    for (int i = 0; i < PEERS; i++) {
        const char *address = test_ipc_address();
        SET_INT(self.pull, NN_SOL_SOCKET, NN_RCVPRIO, priorities[i]);
        CHECK_OK(nn_bind(self.pull, address));
        self.pushes[i] = test_socket_connected(NN_PUSH, address);
        settle_with_peers(self.loop, self.pull, (uint64_t)i + 1);
        WAIT_PEERS(self.pushes[i], 1);
    }
    return self;
}

/* All peers send; what a local stream has taken is with the receiver's kernel at once. */
static void all_send(struct subject *self, int count)
{
    static const char *const names[PEERS] = {"0", "1"};

    for (int i = 0; i < PEERS; i++) {
        for (int j = 0; j < count; j++)
            CHECK_SENDS(self->pushes[i], names[i]);
    }
    settle(self->loop);
}

static void check_received(struct subject *self, const char *order)
{
    char received[32] = "";

    for (size_t i = 0; i < strlen(order); i++)
        CHECK_EQUAL(nn_recv(self->pull, received + i, 1, NN_DONTWAIT), 1);
    CHECK_STRING(received, order);
    CHECK_ERRNO(nn_recv(self->pull, received, 1, NN_DONTWAIT), EAGAIN);
}

TEST(a_peer_of_better_priority_is_first_with_all_that_it_has_sent)
{
    struct subject self = begin((const int[PEERS]){9, 2});

    all_send(&self, 1); /* is read */
    all_send(&self, 3); /* stays in the kernel: what was read was not taken */
    check_received(&self, "11110000");
}

TEST(peers_of_one_priority_take_turns_with_all_that_they_have_sent)
{
    struct subject self = begin((const int[PEERS]){8, 8});

    all_send(&self, 1);
    all_send(&self, 3);
    check_received(&self, "01010101");
}

TEST(a_batch_takes_runs_of_short_messages_from_peers_in_turn)
{
    enum { EACH = 400, BATCH = 300 }; /* a run goes on in the next batch */
    struct subject self = begin((const int[PEERS]){8, 8});
    struct nn_received received[BATCH];
    int heard[PEERS] = {0};
    int run = 0;
    int last = -1;
    int count;

    all_send(&self, EACH);
    test_settle(); /* what bursts hold back leaves */
    settle(self.loop);
    while ((count = nn_socket_receive_batch(self.pull, received, BATCH)) > 0) {
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
    enum { EACH = 5000, BATCH = 500, PREFIX_BYTES = 9 };
    struct subject self = begin((const int[PEERS]){8, 8});
    struct nn_received received[BATCH];
    const uint8_t *next[PEERS] = {NULL}; /* where another message lies that was read together with the last one */
    int heard[PEERS] = {0};
    int reads = 0;
    int last = -1;
    int count;

    all_send(&self, EACH);
    test_settle();
    settle(self.loop);
    while ((count = nn_socket_receive_batch(self.pull, received, BATCH)) > 0) {
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
    struct subject self = begin((const int[PEERS]){8, 8});
    struct nn_received received[2 * PEERS];
    static char body[8192];
    char order[sizeof received / sizeof received[0] + 1] = "";

    for (int i = 0; i < PEERS; i++) {
        body[0] = (char)('0' + i);
        for (int j = 0; j < 2; j++)
            CHECK_EQUAL(nn_send(self.pushes[i], body, sizeof body, 0), (int)sizeof body);
    }
    settle(self.loop);
    for (int taken = 0, count; taken < 2 * PEERS; taken += count) {
        count = (int)CHECK_OK(nn_socket_receive_batch(self.pull, received, 2 * PEERS));
        for (int i = 0; i < count; i++) {
            order[taken + i] = (char)received[i].body[0];
            nn_chunk_release(received[i].chunk);
        }
    }
    CHECK_STRING(order, "0101");
}

TEST(a_peer_that_went_is_gone_with_the_last_message_that_it_sent)
{
    struct subject self = begin((const int[PEERS]){9, 2});

    all_send(&self, 1);
    CHECK_OK(nn_close(self.pushes[1]));
    settle(self.loop);
    CHECK_EQUAL(nn_get_statistic(self.pull, NN_STAT_CURRENT_CONNECTIONS), 2);
    check_received(&self, "10");
    CHECK_EQUAL(nn_get_statistic(self.pull, NN_STAT_CURRENT_CONNECTIONS), 1);
    CHECK_EQUAL(nn_get_statistic(self.pull, NN_STAT_BROKEN_CONNECTIONS), 1);
}
