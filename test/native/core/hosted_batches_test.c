/* Batches of messages on a loop that the program drives, and the memory that they lie in. */
#include "hosted_loop.h"
#include "raw_peer.h"

#include <nanomsg/pair.h>
#include <nanomsg/pipeline.h>
#include <nanomsg/pubsub.h>
#include <nanomsg/reqrep.h>

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- Two sockets of a loop ---- */

struct scene {
    struct host host;
    struct guest push;
    struct guest pull;
};

static void scene_open(struct scene *self, const char *address, const struct nn_slab_source *slabs)
{
    memset(self, 0, sizeof *self);
    host_open(&self->host, slabs);
    guest_open(&self->push, &self->host, NN_PUSH);
    guest_open(&self->pull, &self->host, NN_PULL);
    CHECK_OK(nn_bind(self->push.s, address));
    CHECK_OK(nn_connect(self->pull.s, address));
    HOST_RUN_UNTIL(&self->host, self->push.out == 1);
}

static void release(struct nn_received *received, int count)
{
    for (int i = 0; i < count; i++) {
        if (received[i].chunk != NULL)
            nn_chunk_release(received[i].chunk);
    }
}

/* Receives exactly that number, in as many calls as it takes. */
static void receive_all(struct scene *self, struct nn_received *received, int count)
{
    int64_t deadline_ms = test_wait_deadline();
    int total = 0;

    while (total < count) {
        int rc = nn_socket_receive_batch(self->pull.s, received + total, count - total);
        CHECK(rc > 0 || nn_errno() == EAGAIN);
        total += rc > 0 ? rc : 0;
        if (rc < 0)
            host_turn(&self->host, 5);
        CHECK(test_now_ms() < deadline_ms);
    }
}

/* ---- Batches ---- */

TEST_OVER_TRANSPORTS(a_batch_arrives_in_order)
{
    enum { COUNT = 200 };
    static char texts[COUNT][16];
    struct nn_outgoing outgoing[COUNT] = {0};
    struct nn_received received[COUNT];
    struct scene scene;

    scene_open(&scene, new_address(), NULL);
    for (int i = 0; i < COUNT; i++) {
        outgoing[i].body = texts[i];
        outgoing[i].body_bytes = (size_t)snprintf(texts[i], sizeof texts[i], "%d", i);
    }
    CHECK_EQUAL(CHECK_OK(nn_socket_send_batch(scene.push.s, outgoing, COUNT, 0)), COUNT);
    receive_all(&scene, received, COUNT);
    for (int i = 0; i < COUNT; i++)
        CHECK_BYTES(received[i].body, received[i].body_bytes, outgoing[i].body, outgoing[i].body_bytes);
    release(received, COUNT);
    GUEST_RECEIVES_NOTHING(&scene.pull);
    CHECK_EQUAL(nn_get_statistic(scene.push.s, NN_STAT_MESSAGES_SENT), COUNT);
    CHECK_EQUAL(nn_get_statistic(scene.pull.s, NN_STAT_MESSAGES_RECEIVED), COUNT);
    host_close(&scene.host);
}

TEST_OVER_TRANSPORTS(messages_of_all_sizes_can_share_a_batch)
{
    static const size_t sizes[] = {0, 1, 100, 8192, 16384, 16385, 100000, 0, 300000, 3};
    enum { COUNT = sizeof sizes / sizeof sizes[0] };
    static uint8_t body[300000];
    struct nn_outgoing outgoing[COUNT] = {0};
    struct nn_received received[COUNT];
    struct scene scene;

    for (size_t i = 0; i < sizeof body; i++)
        body[i] = (uint8_t)(i * 31 >> 3);
    scene_open(&scene, new_address(), NULL);
    for (int i = 0; i < COUNT; i++)
        outgoing[i] = (struct nn_outgoing){.body = body, .body_bytes = sizes[i]};
    CHECK_EQUAL(CHECK_OK(nn_socket_send_batch(scene.push.s, outgoing, COUNT, 1 << 20)), COUNT);
    receive_all(&scene, received, COUNT);
    for (int i = 0; i < COUNT; i++)
        CHECK_BYTES(received[i].body, received[i].body_bytes, body, sizes[i]);
    release(received, COUNT);
    host_close(&scene.host);
}

TEST(batches_have_the_errors_of_single_messages)
{
    struct nn_outgoing message = {.body = "x", .body_bytes = 1};
    struct nn_received received;
    struct host host;
    struct guest pair = {0}, push = {0}, pull = {0}, reply = {0};

    host_open(&host, NULL);
    guest_open(&pair, &host, NN_PAIR);
    guest_open(&push, &host, NN_PUSH);
    guest_open(&pull, &host, NN_PULL);
    guest_open(&reply, &host, NN_REP);
    CHECK_ERRNO(nn_socket_send_batch(pair.s, &message, 1, 0), EAGAIN);
    CHECK_ERRNO(nn_socket_receive_batch(pair.s, &received, 1), EAGAIN);
    CHECK_ERRNO(nn_socket_receive_batch(pair.s, &received, 0), EINVAL);
    CHECK_ERRNO(nn_socket_receive_batch(push.s, &received, 1), ENOTSUP);
    CHECK_ERRNO(nn_socket_send_batch(pull.s, &message, 1, 0), ENOTSUP);
    CHECK_ERRNO(nn_socket_send_batch(reply.s, &message, 1, 1000), EFSM);
    CHECK_EQUAL(CHECK_OK(nn_socket_send_batch(pair.s, &message, 0, 0)), 0);
    CHECK_OK(nn_close(pair.s));
    CHECK_ERRNO(nn_socket_send_batch(pair.s, &message, 1, 0), EBADF);
    CHECK_ERRNO(nn_socket_receive_batch(pair.s, &received, 1), EBADF);
    CHECK_ERRNO(nn_socket_queued_bytes(pair.s), EBADF);
    CHECK_ERRNO(nn_endpoint_address(pair.s, 1, (char *)&received, sizeof received), EBADF);
    host_close(&host);
}

TEST_OVER_TRANSPORTS(what_no_peer_takes_is_queued_up_to_the_limit_and_goes_first)
{
    struct nn_outgoing outgoing[] = {
        {.body = "first.", .body_bytes = 6}, {.body = "second", .body_bytes = 6}, {.body = "third.", .body_bytes = 6}};
    const char *address = new_address();
    struct host host;
    struct guest push = {0}, pull = {0};

    host_open(&host, NULL);
    guest_open(&push, &host, NN_PUSH);
    guest_open(&pull, &host, NN_PULL);
    CHECK_OK(nn_bind(push.s, address));
    CHECK_EQUAL(CHECK_OK(nn_socket_queued_bytes(push.s)), 0);
    /* Ten bytes: the second still finds fewer, the third does not. */
    CHECK_EQUAL(CHECK_OK(nn_socket_send_batch(push.s, outgoing, 3, 10)), 2);
    CHECK_EQUAL(CHECK_OK(nn_socket_queued_bytes(push.s)), 12);
    CHECK_ERRNO(nn_socket_send_batch(push.s, outgoing + 2, 1, 10), EAGAIN);
    CHECK_ERRNO(nn_send(push.s, "x", 1, NN_DONTWAIT), EAGAIN);
    CHECK_OK(nn_connect(pull.s, address));
    HOST_RUN_UNTIL(&host, nn_socket_queued_bytes(push.s) == 0 && push.out == 1);
    CHECK_EQUAL(CHECK_OK(nn_socket_send_batch(push.s, outgoing + 2, 1, 10)), 1);
    guest_receives_soon(&host, &pull, "first.");
    guest_receives_soon(&host, &pull, "second");
    guest_receives_soon(&host, &pull, "third.");
    host_close(&host);
}

TEST(a_queue_is_delivered_after_the_socket_is_closed)
{
    struct nn_outgoing message = {.body = "queued", .body_bytes = 6};
    const char *address = test_ipc_address();
    struct host host;
    struct guest push = {0}, pull = {0};

    host_open(&host, NULL);
    guest_open(&push, &host, NN_PUSH);
    guest_open(&pull, &host, NN_PULL);
    CHECK_OK(nn_bind(pull.s, address));
    SET_INT(push.s, NN_SOL_SOCKET, NN_LINGER, -1);
    CHECK_OK(nn_connect(push.s, address));
    CHECK_EQUAL(CHECK_OK(nn_socket_send_batch(push.s, &message, 1, 1000)), 1);
    CHECK_OK(nn_close(push.s));
    CHECK(nn_loop_is_lingering(host.loop));
    guest_receives_soon(&host, &pull, "queued");
    HOST_RUN_UNTIL(&host, push.closed == 1);
    host_close(&host);
}

/* ---- Chunks ---- */

static atomic_int released;

static void note_release(void *bytes, void *context)
{
    CHECK(context == &released);
    free(bytes);
    atomic_fetch_add(&released, 1);
}

static struct nn_chunk *adopt(const char *text, uint8_t **bytes)
{
    *bytes = malloc(strlen(text));
    CHECK(*bytes != NULL);
    memcpy(*bytes, text, strlen(text));
    struct nn_chunk *chunk = nn_chunk_adopt(*bytes, strlen(text), note_release, &released);
    CHECK(chunk != NULL);
    CHECK_EQUAL(nn_chunk_size_bytes(chunk), strlen(text));
    return chunk;
}

TEST_OVER_TRANSPORTS(adopted_memory_is_released_once_when_all_have_it)
{
    struct nn_outgoing parts[2] = {0};
    struct nn_received received[2];
    struct scene scene;
    uint8_t *bytes;

    scene_open(&scene, new_address(), NULL);
    struct nn_chunk *chunk = adopt("foreign memory", &bytes);
    nn_chunk_retain(chunk);
    parts[0] = (struct nn_outgoing){.body = bytes, .body_bytes = 7, .chunk = chunk};
    parts[1] = (struct nn_outgoing){.body = bytes + 8, .body_bytes = 6, .chunk = chunk};
    CHECK_EQUAL(CHECK_OK(nn_socket_send_batch(scene.push.s, parts, 2, 0)), 2);
    receive_all(&scene, received, 2);
    CHECK_BYTES(received[0].body, received[0].body_bytes, "foreign", 7);
    CHECK_BYTES(received[1].body, received[1].body_bytes, "memory", 6);
    release(received, 2);
    HOST_RUN_UNTIL(&scene.host, atomic_load(&released) == 1);
    host_close(&scene.host);
    CHECK_EQUAL(atomic_load(&released), 1);
}

TEST(chunks_that_are_not_sent_stay_with_their_owner)
{
    struct nn_outgoing parts[2] = {0};
    struct host host;
    struct guest push = {0};
    uint8_t *bytes;

    host_open(&host, NULL);
    guest_open(&push, &host, NN_PUSH);
    struct nn_chunk *chunk = adopt("foreign memory", &bytes);
    for (int i = 0; i < 2; i++)
        parts[i] = (struct nn_outgoing){.body = bytes, .body_bytes = 7, .chunk = chunk};
    CHECK_ERRNO(nn_socket_send_batch(push.s, parts, 2, 0), EAGAIN);
    CHECK_EQUAL(atomic_load(&released), 0);
    nn_chunk_retain(chunk);
    CHECK_EQUAL(CHECK_OK(nn_socket_send_batch(push.s, parts, 2, 1)), 1); /* one is queued */
    CHECK_EQUAL(atomic_load(&released), 0);
    nn_chunk_release(chunk); /* the one that was not taken */
    CHECK_EQUAL(atomic_load(&released), 0);
    host_close(&host);
    CHECK_EQUAL(atomic_load(&released), 1);
}

TEST(memory_of_nn_allocmsg_can_be_sent_in_a_batch)
{
    struct nn_received received;
    struct scene scene;
    uint8_t *message = nn_allocmsg(5, 0);

    memcpy(message, "hello", 5);
    scene_open(&scene, test_tcp_address(), NULL);
    struct nn_outgoing outgoing = {.body = message, .body_bytes = 5, .chunk = nn_chunk_of(message)};
    CHECK(outgoing.chunk != NULL);
    CHECK_EQUAL(CHECK_OK(nn_socket_send_batch(scene.push.s, &outgoing, 1, 0)), 1);
    receive_all(&scene, &received, 1);
    CHECK_BYTES(received.body, received.body_bytes, "hello", 5);
    release(&received, 1);
    host_close(&scene.host);
}

TEST_OVER_TRANSPORTS(received_messages_outlive_the_loop)
{
    struct nn_received received[2];
    struct scene scene;

    scene_open(&scene, new_address(), NULL);
    GUEST_SENDS(&scene.push, "one");
    GUEST_SENDS(&scene.push, "two");
    receive_all(&scene, received, 2);
    host_close(&scene.host);
    CHECK_BYTES(received[0].body, received[0].body_bytes, "one", 3);
    CHECK_BYTES(received[1].body, received[1].body_bytes, "two", 3);
    release(received, 2);
}

TEST_OVER_TRANSPORTS(a_received_message_can_become_one_of_nn_allocmsg)
{
    static const uint8_t body[20000] = {1, 2, 3};
    struct nn_outgoing outgoing = {.body = body, .body_bytes = sizeof body};
    const char *address = new_address();
    struct nn_received received;
    struct scene scene;

    scene_open(&scene, address, NULL);
    CHECK_EQUAL(CHECK_OK(nn_socket_send_batch(scene.push.s, &outgoing, 1, 0)), 1);
    receive_all(&scene, &received, 1);
    nn_chunk_retain(received.chunk);
    CHECK(nn_received_claim(&received) == NULL); /* it has another owner, too */
    nn_chunk_release(received.chunk);
    uint8_t *message = nn_received_claim(&received);
    if (message == NULL) { /* others may come behind it in the same memory */
        CHECK(strncmp(address, "inproc", 6) != 0);
        release(&received, 1);
    } else {
        CHECK_BYTES(message, sizeof body, body, sizeof body);
        CHECK_EQUAL(CHECK_OK(nn_send(scene.push.s, &message, NN_MSG, NN_DONTWAIT)), sizeof body);
        receive_all(&scene, &received, 1);
        CHECK_BYTES(received.body, received.body_bytes, body, sizeof body);
        release(&received, 1);
    }
    host_close(&scene.host);
}

/* ---- Slabs ---- */

enum { SLABS = 64 };

/* Slabs with a number, and how often each is in use. */
struct shelf {
    uint8_t *slabs[SLABS];
    size_t size_bytes;
    int acquired;
    int released;
    bool is_empty;  /* gives nothing */
    uint32_t taken; /* the token of a slab that the engine must not fill */
};

static void *shelf_acquire(void *context, size_t size_bytes, uint32_t *token)
{
    struct shelf *self = context;

    if (self->is_empty)
        return NULL;
    CHECK(self->acquired < SLABS);
    self->size_bytes = size_bytes;
    self->slabs[self->acquired] = malloc(size_bytes);
    CHECK(self->slabs[self->acquired] != NULL);
    *token = (uint32_t)self->acquired;
    return self->slabs[self->acquired++];
}

static void shelf_release(void *context, uint32_t token)
{
    struct shelf *self = context;

    CHECK(token < (uint32_t)self->acquired);
    CHECK(self->slabs[token] != NULL); /* once only */
    free(self->slabs[token]);
    self->slabs[token] = NULL;
    self->released++;
}

TEST_OVER_STREAMS(small_messages_lie_in_the_slabs_of_the_host)
{
    enum { COUNT = 100 };
    struct shelf shelf = {0};
    struct nn_slab_source source = {shelf_acquire, shelf_release, &shelf, NULL};
    struct nn_received received[COUNT];
    struct scene scene;

    scene_open(&scene, new_address(), &source);
    for (int i = 0; i < COUNT; i++)
        GUEST_SENDS(&scene.push, "in a slab");
    receive_all(&scene, received, COUNT);
    for (int i = 0; i < COUNT; i++) {
        CHECK(received[i].is_in_slab);
        CHECK(received[i].slab_token < (uint32_t)shelf.acquired);
        const uint8_t *slab = shelf.slabs[received[i].slab_token];
        CHECK(slab != NULL);
        CHECK(received[i].body >= slab && received[i].body + 9 <= slab + shelf.size_bytes);
        CHECK_BYTES(received[i].body, received[i].body_bytes, "in a slab", 9);
    }
    host_close(&scene.host);
    CHECK(shelf.released < shelf.acquired); /* what is in use stays */
    release(received, COUNT);
    CHECK_EQUAL(shelf.released, shelf.acquired);
}

TEST_OVER_STREAMS(bytes_of_a_slab_are_not_written_while_a_message_lies_there)
{
    enum { ROUNDS = 40, SIZE = 8000 };
    static char body[SIZE];
    struct nn_outgoing message = {.body = body, .body_bytes = SIZE};
    struct shelf shelf = {0};
    struct nn_slab_source source = {shelf_acquire, shelf_release, &shelf, NULL};
    struct nn_received received[ROUNDS];
    struct scene scene;

    scene_open(&scene, new_address(), &source);
    for (int i = 0; i < ROUNDS; i++) {
        memset(body, 'a' + i % 26, sizeof body);
        CHECK_EQUAL(CHECK_OK(nn_socket_send_batch(scene.push.s, &message, 1, 0)), 1);
        receive_all(&scene, &received[i], 1);
    }
    for (int i = 0; i < ROUNDS; i++) {
        memset(body, 'a' + i % 26, sizeof body);
        CHECK_BYTES(received[i].body, received[i].body_bytes, body, sizeof body);
    }
    CHECK(shelf.acquired > 1);
    release(received, ROUNDS);
    host_close(&scene.host);
    CHECK_EQUAL(shelf.released, shelf.acquired);
}

static bool shelf_may_fill(void *context, uint32_t token)
{
    struct shelf *self = context;

    return token != self->taken;
}

TEST_OVER_STREAMS(the_engine_leaves_a_slab_that_the_host_has_given_away)
{
    struct shelf shelf = {.taken = UINT32_MAX};
    struct nn_slab_source source = {shelf_acquire, shelf_release, &shelf, shelf_may_fill};
    struct nn_received received[3];
    struct scene scene;

    scene_open(&scene, new_address(), &source);
    for (int i = 0; i < 3; i++) {
        GUEST_SENDS(&scene.push, "in a slab");
        receive_all(&scene, &received[i], 1);
        CHECK(received[i].is_in_slab);
        CHECK(received[i].slab_context == &shelf);
        if (i == 1)
            shelf.taken = received[i].slab_token;
    }
    CHECK_EQUAL(received[0].slab_token, received[1].slab_token);
    CHECK(received[2].slab_token != received[1].slab_token);
    for (int i = 0; i < 3; i++)
        CHECK_BYTES(received[i].body, received[i].body_bytes, "in a slab", 9);
    release(received, 3);
    host_close(&scene.host);
    CHECK_EQUAL(shelf.released, shelf.acquired);
}

TEST_OVER_STREAMS(a_host_without_a_slab_gets_memory_of_the_engine)
{
    struct shelf shelf = {.is_empty = true};
    struct nn_slab_source source = {shelf_acquire, shelf_release, &shelf, NULL};
    struct nn_received received;
    struct scene scene;

    scene_open(&scene, new_address(), &source);
    GUEST_SENDS(&scene.push, "anywhere");
    receive_all(&scene, &received, 1);
    CHECK(!received.is_in_slab);
    CHECK_BYTES(received.body, received.body_bytes, "anywhere", 8);
    release(&received, 1);
    host_close(&scene.host);
    CHECK_EQUAL(shelf.released, 0);
}

TEST_OVER_TRANSPORTS(an_empty_message_is_a_message)
{
    struct nn_outgoing empty = {0};
    struct nn_received received;
    struct scene scene;

    scene_open(&scene, new_address(), NULL);
    CHECK_EQUAL(CHECK_OK(nn_socket_send_batch(scene.push.s, &empty, 1, 0)), 1);
    receive_all(&scene, &received, 1);
    CHECK_EQUAL(received.body_bytes, 0);
    release(&received, 1);
    host_close(&scene.host);
}

/* ---- Addresses ---- */

TEST(an_endpoint_tells_its_address_with_the_port)
{
    char address[NN_SOCKADDR_MAX];
    struct scene scene;

    scene_open(&scene, test_inproc_address(), NULL);
    int endpoint = (int)CHECK_OK(nn_bind(scene.pull.s, "tcp://127.0.0.1:0"));
    int length = (int)CHECK_OK(nn_endpoint_address(scene.pull.s, endpoint, address, sizeof address));
    CHECK_EQUAL(length, strlen(address));
    CHECK(strncmp(address, "tcp://127.0.0.1:", 16) == 0 && atoi(address + 16) > 0);
    CHECK_ERRNO(nn_endpoint_address(scene.pull.s, endpoint, address, (size_t)length), EMSGSIZE);
    CHECK_ERRNO(nn_endpoint_address(scene.pull.s, endpoint + 1, address, sizeof address), EINVAL);
    host_close(&scene.host);
}
