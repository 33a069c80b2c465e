/* Many messages sent one right after the other: they leave together, which only the clock shows. */
#include "raw_peer.h"
#include "sockets.h"

#include <nanomsg/pair.h>
#include <nanomsg/pipeline.h>
#include <nanomsg/pubsub.h>

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define BURST 1000
#define LIMIT_MS 8000

/* ---- Order and delivery ---- */

static void send_numbered(int s, int number, size_t bytes)
{
    uint8_t body[70000];

    memset(body, number & 0xff, bytes);
    memcpy(body, &number, sizeof number);
    CHECK_EQUAL(CHECK_OK(nn_send(s, body, bytes, 0)), bytes);
}

static void receive_numbered(int s, int number, size_t bytes)
{
    uint8_t body[70000];
    int received;

    CHECK_EQUAL(CHECK_OK(nn_recv(s, body, sizeof body, 0)), bytes);
    memcpy(&received, body, sizeof received);
    CHECK_EQUAL(received, number);
    CHECK_EQUAL(body[bytes - 1], number & 0xff);
}

/* Small ones are held, larger ones are not, and the largest are not even copied. */
static size_t bytes_of(int number)
{
    return number % 97 == 96 ? 70000 : number % 31 == 30 ? 3000 : 5 + (size_t)number % 60;
}

struct sender {
    int s;
    int count;
};

static void run_sender(void *argument)
{
    const struct sender *self = argument;

    for (int i = 0; i < self->count; i++)
        send_numbered(self->s, i, bytes_of(i));
}

TEST_OVER_TRANSPORTS(a_burst_of_all_lengths_arrives_in_order)
{
    const char *address = new_address();
    int pull = test_socket_bound(NN_PULL, address);
    struct sender sender = {test_socket_connected(NN_PUSH, address), 5000};
    struct test_thread *thread = test_thread_start(run_sender, &sender);

    for (int i = 0; i < sender.count; i++)
        receive_numbered(pull, i, bytes_of(i));
    test_thread_join(thread);
}

/* What a burst leaves behind needs no further call of the sender. */
TEST_OVER_TRANSPORTS(the_end_of_a_burst_arrives_by_itself)
{
    const char *address = new_address();
    int pull = test_socket_bound(NN_PULL, address);
    int push = test_socket_connected(NN_PUSH, address);

    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < 40 + round; i++)
            send_numbered(push, i, 20);
        for (int i = 0; i < 40 + round; i++)
            receive_numbered(pull, i, 20);
    }
}

TEST_OVER_TRANSPORTS(bursts_in_both_directions_of_two_threads_each_arrive)
{
    const char *address = new_address();
    int bound = test_socket_bound(NN_PAIR, address);
    struct sender there = {bound, 3000};
    struct sender back = {test_socket_connected(NN_PAIR, address), 3000};
    struct test_thread *threads[] = {test_thread_start(run_sender, &there), test_thread_start(run_sender, &back)};

    for (int i = 0; i < there.count; i++) {
        receive_numbered(back.s, i, bytes_of(i));
        receive_numbered(there.s, i, bytes_of(i));
    }
    test_thread_join(threads[0]);
    test_thread_join(threads[1]);
}

TEST_OVER_TRANSPORTS(every_subscriber_gets_all_of_a_burst)
{
    const char *address = new_address();
    int pub = test_socket_bound(NN_PUB, address);
    int subs[3];

    for (int i = 0; i < 3; i++) {
        subs[i] = test_socket_connected(NN_SUB, address);
        CHECK_OK(nn_setsockopt(subs[i], NN_SUB, NN_SUB_SUBSCRIBE, "", 0));
    }
    WAIT_PEERS(pub, 3);
    for (int i = 0; i < BURST; i++)
        send_numbered(pub, i, 24);
    for (int i = 0; i < BURST; i++) {
        for (int sub = 0; sub < 3; sub++)
            receive_numbered(subs[sub], i, 24);
    }
}

/* ---- Peers that do not read ---- */

/* Sends until nothing more is accepted; returns how many were. */
static int fill(int push, size_t body_bytes)
{
    static const uint8_t body[256];
    int count = 0;

    SET_INT(push, NN_SOL_SOCKET, NN_SNDTIMEO, 50);
    while (nn_send(push, body, body_bytes, 0) >= 0)
        count++;
    CHECK_EQUAL(errno, ETIMEDOUT);
    return count;
}

static size_t frame_bytes(const char *address, size_t body_bytes)
{
    return (strncmp(address, "ipc:", 4) == 0 ? 9 : 8) + body_bytes;
}

TEST_OVER_STREAMS(a_peer_that_does_not_read_stops_a_burst)
{
    const char *address = new_address();
    int push = test_socket_bound(NN_PUSH, address);
    int peer = raw_connect_admitted(address, NN_PULL, NN_PUSH);
    int small = 16 * 1024;

    int linger_ms = LIMIT_MS; /* the kernel may keep megabytes for the peer, which takes them in small pieces */

    CHECK_OK(nn_setsockopt(push, NN_SOL_SOCKET, NN_LINGER, &linger_ms, sizeof linger_ms));
    CHECK_OK(setsockopt(peer, SOL_SOCKET, SO_RCVBUF, &small, sizeof small));
    int count = fill(push, 64);
    CHECK(!test_is_ready(push, NN_POLLOUT, 0));
    CHECK_ERRNO(nn_send(push, "x", 1, NN_DONTWAIT), EAGAIN);
    CHECK_OK(nn_close(push));
    CHECK_EQUAL(raw_count_to_end(peer), (size_t)count * frame_bytes(address, 64));
    close(peer);
}

TEST_OVER_STREAMS(closing_without_linger_passes_on_what_the_kernel_takes)
{
    const char *address = new_address();
    int push = test_socket_bound(NN_PUSH, address);
    int peer = raw_connect_admitted(address, NN_PULL, NN_PUSH);

    SET_INT(push, NN_SOL_SOCKET, NN_LINGER, 0);
    for (int i = 0; i < BURST; i++)
        send_numbered(push, i, 20);
    CHECK_OK(nn_close(push));
    CHECK_EQUAL(raw_count_to_end(peer), BURST * frame_bytes(address, 20));
    close(peer);
}

TEST_OVER_STREAMS(shutting_an_endpoint_down_passes_on_what_it_holds)
{
    const char *address = new_address();
    int push = SOCKET(NN_PUSH);
    int pull = test_socket_bound(NN_PULL, address);

    SET_INT(push, NN_SOL_SOCKET, NN_LINGER, 0);
    int endpoint = (int)CHECK_OK(nn_connect(push, address));
    for (int i = 0; i < 300; i++)
        send_numbered(push, i, 20);
    CHECK_OK(nn_shutdown(push, endpoint));
    for (int i = 0; i < 300; i++)
        receive_numbered(pull, i, 20);
}

/* ---- Programs that end without closing ---- */

/* Runs the body in a process that ends by exit(), as returning from main does. Before this one has threads. */
static pid_t program_start(void (*body)(const char *), const char *address)
{
    fflush(NULL);
    pid_t child = (pid_t)CHECK_OK(fork());

    if (child == 0) {
        alarm((unsigned)test_deadline_ms(15000) / 1000);
        body(address);
        exit(0);
    }
    return child;
}

static void program_check(pid_t child)
{
    int status = -1;

    CHECK_EQUAL(waitpid(child, &status, 0), child);
    CHECK_EQUAL(status, 0);
}

static void send_and_end(const char *address)
{
    int push = (int)CHECK_OK(nn_socket(AF_SP, NN_PUSH));

    CHECK_OK(nn_connect(push, address));
    for (int i = 0; i < BURST; i++)
        send_numbered(push, i, 24);
}

TEST_OVER_STREAMS(what_was_sent_arrives_when_the_program_ends_without_closing)
{
    const char *address = new_address();
    pid_t program = program_start(send_and_end, address);
    int pull = test_socket_bound(NN_PULL, address);

    for (int i = 0; i < BURST; i++)
        receive_numbered(pull, i, 24);
    program_check(program);
}

static int told;

static void fill_and_end(const char *address)
{
    int push = (int)CHECK_OK(nn_socket(AF_SP, NN_PUSH));

    CHECK_OK(nn_connect(push, address));
    WAIT_PEERS(push, 1);
    int count = fill(push, 200);
    CHECK_EQUAL(write(told, &count, sizeof count), (ssize_t)sizeof count);
}

/* The kernel is full when it ends; the peer reads then. */
TEST_OVER_STREAMS(what_was_sent_to_a_slow_peer_arrives_when_the_program_ends)
{
    const char *address = new_address();
    int ends[2];
    int count;

    CHECK_OK(pipe(ends));
    told = ends[1];
    int listener = raw_listen(address);
    pid_t program = program_start(fill_and_end, address);
    close(ends[1]);
    int peer = raw_accept(listener);
    raw_send_handshake(peer, NN_PULL);
    raw_expect_handshake(peer, NN_PUSH);
    CHECK_EQUAL(read(ends[0], &count, sizeof count), (ssize_t)sizeof count);
    CHECK_EQUAL(raw_count_to_end(peer), (size_t)count * frame_bytes(address, 200));
    program_check(program);
    close(peer);
    close(listener);
    close(ends[0]);
}
