/* What nn_close, nn_shutdown and nn_term keep of messages that nn_send has accepted: they go on being delivered for
 * NN_LINGER milliseconds, while the caller goes on with something else. */
#include "raw_peer.h"
#include "sockets.h"

#include <nanomsg/bus.h>
#include <nanomsg/pair.h>
#include <nanomsg/pipeline.h>
#include <nanomsg/pubsub.h>
#include <nanomsg/reqrep.h>
#include <nanomsg/survey.h>

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define LIMIT_MS 8000

/* More than the kernel takes at once, and as much as a peer accepts with the header of a request. */
#define LARGE_BYTES ((size_t)1048576 - 8)
/* More than kernels keep for a peer that reads nothing. */
#define HUGE_BYTES ((size_t)16 * 1024 * 1024)

/* A body whose every byte tells its place. */
static uint8_t *make_body(size_t bytes)
{
    uint8_t *body = malloc(bytes);

    CHECK(body != NULL);
    for (size_t i = 0; i < bytes; i++)
        body[i] = (uint8_t)(i ^ i >> 8);
    return body;
}

static void send_body(int s, size_t bytes)
{
    uint8_t *body = make_body(bytes);

    CHECK_EQUAL(CHECK_OK(nn_send(s, body, bytes, 0)), bytes);
    free(body);
}

static void receive_body(int s, size_t bytes)
{
    uint8_t *expected = make_body(bytes);
    void *message;
    int rc = (int)CHECK_OK(nn_recv(s, &message, NN_MSG, 0));

    CHECK_BYTES(message, (size_t)rc, expected, bytes);
    CHECK_OK(nn_freemsg(message));
    free(expected);
}

/* Long enough for a machine that is busy: how long it takes is mostly not the point. */
static void set_long_linger(int s)
{
    SET_INT(s, NN_SOL_SOCKET, NN_LINGER, test_deadline_ms(LIMIT_MS));
}

/* ---- Delivered after all ---- */

static int receiver_bound(int protocol, const char *address)
{
    int s = test_socket_bound(protocol, address);

    if (protocol == NN_SUB)
        CHECK_OK(nn_setsockopt(s, NN_SUB, NN_SUB_SUBSCRIBE, "", 0));
    return s;
}

TEST_OVER_TRANSPORTS(what_was_sent_arrives_after_closing_from_every_type)
{
    static const struct {
        int sender;
        int receiver;
    } types[] = {{NN_PUSH, NN_PULL}, {NN_PAIR, NN_PAIR}, {NN_BUS, NN_BUS},
                 {NN_PUB, NN_SUB},   {NN_REQ, NN_REP},   {NN_SURVEYOR, NN_RESPONDENT}};

    for (size_t i = 0; i < COUNT_OF(types); i++) {
        const char *address = new_address();
        int receiver = receiver_bound(types[i].receiver, address);
        int sender = test_socket_connected(types[i].sender, address);
        WAIT_PEERS(sender, 1);
        WAIT_PEERS(receiver, 1);
        set_long_linger(sender);
        send_body(sender, LARGE_BYTES);
        CHECK_OK(nn_close(sender));
        receive_body(receiver, LARGE_BYTES);
        CHECK_OK(nn_close(receiver));
    }
}

TEST_OVER_TRANSPORTS(an_answer_arrives_after_closing)
{
    static const struct {
        int asker;
        int replier;
    } types[] = {{NN_REQ, NN_REP}, {NN_SURVEYOR, NN_RESPONDENT}};

    for (size_t i = 0; i < COUNT_OF(types); i++) {
        const char *address = new_address();
        int replier = test_socket_bound(types[i].replier, address);
        int asker = test_socket_connected(types[i].asker, address);
        WAIT_PEERS(asker, 1);
        CHECK_SENDS(asker, "?");
        CHECK_RECEIVES(replier, "?");
        set_long_linger(replier);
        send_body(replier, LARGE_BYTES);
        CHECK_OK(nn_close(replier));
        receive_body(asker, LARGE_BYTES);
    }
}

#define CHUNK_BYTES 20000

TEST_OVER_TRANSPORTS(all_that_a_full_socket_has_accepted_arrives_after_closing)
{
    static uint8_t body[CHUNK_BYTES];
    const char *address = new_address();
    int push = test_socket_bound(NN_PUSH, address);
    int pull = test_socket_connected(NN_PULL, address);
    int count = 0;

    set_long_linger(push);
    WAIT_PEERS(push, 1);
    while (test_is_ready(push, NN_POLLOUT, 50)) {
        memcpy(body, &count, sizeof count);
        CHECK_OK(nn_send(push, body, sizeof body, NN_DONTWAIT));
        count++;
    }
    CHECK_OK(nn_close(push));
    for (int i = 0; i < count; i++) {
        CHECK_EQUAL(CHECK_OK(nn_recv(pull, body, sizeof body, 0)), sizeof body);
        CHECK_EQUAL(memcmp(body, &i, sizeof i), 0);
    }
    WAIT_PEERS(pull, 0);
    CHECK_SILENT(pull);
}

TEST_OVER_TRANSPORTS(what_was_sent_arrives_after_its_endpoint_was_shut_down)
{
    const char *address = new_address();
    int push = SOCKET(NN_PUSH);
    int endpoint = (int)CHECK_OK(nn_bind(push, address));
    int pull = test_socket_connected(NN_PULL, address);

    set_long_linger(push);
    send_body(push, LARGE_BYTES);
    CHECK_OK(nn_shutdown(push, endpoint));
    CHECK_ERRNO(nn_send(push, "x", 1, NN_DONTWAIT), EAGAIN);
    receive_body(pull, LARGE_BYTES);
}

TEST_OVER_TRANSPORTS(sockets_that_send_once_and_close_lose_nothing)
{
    enum { MANY = 200 };
    const char *address = new_address();
    int pull = test_socket_bound(NN_PULL, address);
    bool is_received[MANY] = {false};

    for (int i = 0; i < MANY; i++) {
        int push = test_socket_connected(NN_PUSH, address);
        CHECK_OK(nn_send(push, &i, sizeof i, 0));
        CHECK_OK(nn_close(push));
    }
    for (int i = 0; i < MANY; i++) {
        int number;
        CHECK_EQUAL(CHECK_OK(nn_recv(pull, &number, sizeof number, 0)), sizeof number);
        CHECK(number >= 0 && number < MANY && !is_received[number]);
        is_received[number] = true;
    }
}

/* Over tcp, closing with bytes that were not read resets the connection, which costs the peer what is still on its
 * way. Here both sides have such bytes: each has stopped reading at the first message, and the kernel keeps little for
 * one. */
TEST_OVER_TRANSPORTS(last_words_arrive_though_the_peers_are_not_read)
{
    enum { LAST_BYTES = 100000 };
    static uint8_t unread[20000];
    const char *address = new_address();
    int one = SOCKET(NN_PAIR);
    int other = SOCKET(NN_PAIR);

    test_settle();
    SET_INT(one, NN_SOL_SOCKET, NN_RCVBUF, 4096);
    CHECK_OK(nn_bind(one, address));
    SET_INT(other, NN_SOL_SOCKET, NN_SNDBUF, 2 * LAST_BYTES);
    CHECK_OK(nn_connect(other, address));
    WAIT_PEERS(one, 1);
    WAIT_PEERS(other, 1);
    CHECK_SENDS(one, "stop");
    CHECK_SENDS(other, "stop");
    test_settle();
    for (int i = 0; i < 4; i++)
        CHECK_OK(nn_send(one, unread, sizeof unread, 0));
    test_settle();
    send_body(other, LAST_BYTES);
    CHECK_OK(nn_close(other));
    CHECK_RECEIVES(one, "stop");
    receive_body(one, LAST_BYTES);
}

TEST_OVER_TRANSPORTS(the_address_is_free_while_messages_are_still_delivered)
{
    const char *address = new_address();
    int push = test_socket_bound(NN_PUSH, address);
    int pull = test_socket_connected(NN_PULL, address);

    set_long_linger(push);
    send_body(push, LARGE_BYTES);
    CHECK_OK(nn_close(push));
    int next = test_socket_bound(NN_PUSH, address);
    receive_body(pull, LARGE_BYTES);
    CHECK_SENDS(next, "from the next one");
    CHECK_RECEIVES(pull, "from the next one");
}

/* ---- A peer that reads late, or never ---- */

/* Declares a case for those transports that a stranger can speak. */
#define TEST_OVER_STREAMS(case_name)                                                                                   \
    static void test_over_##case_name(const char *(*new_address)(void));                                               \
    TEST(case_name##_over_ipc)                                                                                         \
    {                                                                                                                  \
        test_over_##case_name(test_ipc_address);                                                                       \
    }                                                                                                                  \
    TEST(case_name##_over_tcp)                                                                                         \
    {                                                                                                                  \
        test_over_##case_name(test_tcp_address);                                                                       \
    }                                                                                                                  \
    static void test_over_##case_name(const char *(*new_address)(void))

/* A push that has sent something huge to a peer that has not read any of it. */
static int push_to_silent_peer(const char *address, int *peer)
{
    int push = test_socket_bound(NN_PUSH, address);

    *peer = raw_connect_admitted(address, NN_PULL, NN_PUSH);
    void *message = nn_allocmsg(HUGE_BYTES, 0);
    CHECK(message != NULL);
    memset(message, 'x', HUGE_BYTES);
    CHECK_OK(nn_send(push, &message, NN_MSG, 0));
    return push;
}

static size_t prefix_bytes(const char *address)
{
    return strncmp(address, "ipc:", 4) == 0 ? 9 : 8;
}

TEST_OVER_STREAMS(closing_does_not_wait_for_a_peer_that_reads_late)
{
    const char *address = new_address();
    int peer;
    int push = push_to_silent_peer(address, &peer);
    int64_t start_ms = test_now_ms();

    SET_INT(push, NN_SOL_SOCKET, NN_LINGER, 10 * test_deadline_ms(LIMIT_MS));
    CHECK_OK(nn_close(push));
    CHECK(test_now_ms() - start_ms < test_deadline_ms(LIMIT_MS));
    CHECK_ERRNO(nn_close(push), EBADF);
    CHECK_EQUAL(raw_count_to_end(peer), prefix_bytes(address) + HUGE_BYTES);
    close(peer);
}

TEST_OVER_STREAMS(a_linger_of_0_drops_what_the_kernel_has_not_taken)
{
    const char *address = new_address();
    int peer;
    int push = push_to_silent_peer(address, &peer);

    SET_INT(push, NN_SOL_SOCKET, NN_LINGER, 0);
    CHECK_OK(nn_close(push));
    CHECK(raw_count_to_end(peer) < HUGE_BYTES);
    close(peer);
}

TEST_OVER_STREAMS(when_the_linger_has_passed_the_rest_is_dropped)
{
    const char *address = new_address();
    int peer;
    int push = push_to_silent_peer(address, &peer);

    SET_INT(push, NN_SOL_SOCKET, NN_LINGER, 60);
    int64_t start_ms = test_now_ms();
    CHECK_OK(nn_close(push));
    nn_term(); /* waits for what lingers */
    CHECK(test_now_ms() - start_ms >= 60);
    CHECK(raw_count_to_end(peer) < HUGE_BYTES);
    close(peer);
}

TEST_OVER_STREAMS(a_peer_that_goes_ends_the_linger)
{
    const char *address = new_address();
    int peer;
    int push = push_to_silent_peer(address, &peer);
    int64_t start_ms = test_now_ms();

    SET_INT(push, NN_SOL_SOCKET, NN_LINGER, 10 * test_deadline_ms(LIMIT_MS));
    CHECK_OK(nn_close(push));
    raw_reset(peer);
    nn_term();
    CHECK(test_now_ms() - start_ms < test_deadline_ms(LIMIT_MS));
}

struct reader {
    int fd;
    int64_t begin_ms;
    size_t total;
    struct test_thread *thread;
};

static void run_reader(void *argument)
{
    struct reader *self = argument;

    while (!test_pause(self->begin_ms))
        ;
    self->total = raw_count_to_end(self->fd);
}

/* Nothing is sent any more when nn_term has returned: whatever the peer gets was sent before. */
static void check_termination_delivers(const char *address, int linger_ms, int delay_ms)
{
    struct reader reader = {.begin_ms = test_now_ms() + delay_ms};
    int push = push_to_silent_peer(address, &reader.fd);

    SET_INT(push, NN_SOL_SOCKET, NN_LINGER, linger_ms);
    reader.thread = test_thread_start(run_reader, &reader);
    nn_term();
    test_thread_join(reader.thread);
    CHECK_EQUAL(reader.total, prefix_bytes(address) + HUGE_BYTES);
    close(reader.fd);
}

TEST_OVER_STREAMS(termination_delivers_what_was_sent)
{
    check_termination_delivers(new_address(), test_deadline_ms(LIMIT_MS), 20);
}

/* The peer begins when the linger that sockets have of their own would be over. */
TEST(a_negative_linger_has_no_limit)
{
    check_termination_delivers(test_ipc_address(), -1, 1200);
}

/* ---- Nothing to deliver ---- */

TEST(closing_without_a_peer_to_deliver_to_does_not_wait)
{
    static const int types[] = {NN_PUSH, NN_PAIR, NN_PUB, NN_BUS, NN_REQ, NN_SURVEYOR};
    int64_t start_ms = test_now_ms();

    for (size_t i = 0; i < COUNT_OF(types); i++) {
        int s = test_socket_connected(types[i], test_tcp_address());
        SET_INT(s, NN_SOL_SOCKET, NN_LINGER, -1);
        nn_send(s, "x", 1, NN_DONTWAIT);
        CHECK_OK(nn_close(s));
    }
    nn_term();
    CHECK(test_now_ms() - start_ms < test_deadline_ms(LIMIT_MS));
}
