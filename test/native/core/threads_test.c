/* Many threads on one socket and on many: every message that was sent is received, and received once. */
#include "sockets.h"

#include <nanomsg/pair.h>
#include <nanomsg/pipeline.h>
#include <nanomsg/reqrep.h>

#include <stdatomic.h>
#include <string.h>

enum { THREADS = 6 };

/* ---- Messages with a number ---- */

/* What sender `from` sends as its n-th. Some are long, so that frames are cut everywhere. */
struct numbered {
    uint32_t from;
    uint32_t n;
};

enum { MAX_BYTES = 3000 };

static size_t length_of(struct numbered which)
{
    return sizeof which + (which.n * 7919u + which.from * 104729u) % (which.n % 16 == 0 ? MAX_BYTES : 64);
}

static void send_numbered(int s, struct numbered which)
{
    uint8_t body[sizeof which + MAX_BYTES];
    size_t length = length_of(which);

    memcpy(body, &which, sizeof which);
    memset(body + sizeof which, (int)(which.n & 0xff), length - sizeof which);
    CHECK_EQUAL(CHECK_OK(nn_send(s, body, length, 0)), length);
}

static struct numbered parse_numbered(const uint8_t *body, size_t length)
{
    struct numbered which;

    CHECK(length >= sizeof which);
    memcpy(&which, body, sizeof which);
    CHECK_EQUAL(length, length_of(which));
    for (size_t i = sizeof which; i < length; i++)
        CHECK_EQUAL(body[i], which.n & 0xff);
    return which;
}

/* ---- Senders and receivers ---- */

struct worker {
    int s;
    uint32_t id;
    uint32_t count;
    const char *address; /* of threads that connect by themselves */
    struct tally *tally;
    struct test_thread *thread;
};

/* What has been received, by whomever. */
struct tally {
    uint32_t per_sender;
    uint32_t expected;
    atomic_uint received;
    atomic_uchar *is_seen; /* of THREADS senders */
};

static void tally_open(struct tally *self, uint32_t per_sender)
{
    enum { MAX_MESSAGES = 4000 };
    static atomic_uchar is_seen[THREADS * MAX_MESSAGES];

    CHECK(per_sender <= MAX_MESSAGES);
    *self = (struct tally){.per_sender = per_sender, .expected = THREADS * per_sender, .is_seen = is_seen};
}

static void tally_add(struct tally *self, struct numbered which)
{
    CHECK(which.from < THREADS);
    CHECK(which.n < self->per_sender);
    CHECK_EQUAL(atomic_exchange(&self->is_seen[which.from * self->per_sender + which.n], 1), 0);
    atomic_fetch_add(&self->received, 1);
}

static void tally_wait(struct tally *self)
{
    int64_t deadline_ms = test_wait_deadline();
    uint32_t before = 0;

    while (atomic_load(&self->received) < self->expected) {
        if (atomic_load(&self->received) != before)
            deadline_ms = test_wait_deadline();
        before = atomic_load(&self->received);
        CHECK(!test_pause(deadline_ms));
    }
}

static void run_sender(void *argument)
{
    struct worker *self = argument;

    for (uint32_t n = 0; n < self->count; n++)
        send_numbered(self->s, (struct numbered){self->id, n});
}

/* Until the socket is closed. */
static void run_receiver(void *argument)
{
    struct worker *self = argument;
    uint8_t body[sizeof(struct numbered) + MAX_BYTES];
    int rc;

    while ((rc = nn_recv(self->s, body, sizeof body, 0)) >= 0)
        tally_add(self->tally, parse_numbered(body, (size_t)rc));
    CHECK_EQUAL(nn_errno(), EBADF);
}

/* The same by waiting for several sockets at a time, and without waiting in nn_recv. */
static void run_polling_receiver(void *argument)
{
    struct worker *self = argument;
    struct nn_pollfd entry = {.fd = self->s, .events = NN_POLLIN};
    uint8_t body[sizeof(struct numbered) + MAX_BYTES];

    while (nn_poll(&entry, 1, -1) == 1) {
        int rc = nn_recv(self->s, body, sizeof body, NN_DONTWAIT);
        if (rc >= 0)
            tally_add(self->tally, parse_numbered(body, (size_t)rc));
        else if (nn_errno() != EAGAIN) /* another thread was faster */
            break;
    }
    CHECK_EQUAL(nn_errno(), EBADF);
}

static void start(struct worker *self, void (*run)(void *), int s, uint32_t id, struct tally *tally)
{
    *self = (struct worker){.s = s, .id = id, .count = tally->per_sender, .tally = tally};
    self->thread = test_thread_start(run, self);
}

static void join(struct worker *workers, int count)
{
    for (int i = 0; i < count; i++)
        test_thread_join(workers[i].thread);
}

/* ---- One socket ---- */

TEST_OVER_TRANSPORTS(many_threads_share_a_socket_at_either_end)
{
    const char *address = new_address();
    int pull = test_socket_bound(NN_PULL, address);
    int push = test_socket_connected(NN_PUSH, address);
    struct worker senders[THREADS];
    struct worker receivers[THREADS];
    struct tally tally;

    SET_INT(pull, NN_SOL_SOCKET, NN_RCVTIMEO, -1);
    tally_open(&tally, 1500);
    for (uint32_t i = 0; i < THREADS; i++) {
        start(&receivers[i], i % 2 == 0 ? run_receiver : run_polling_receiver, pull, i, &tally);
        start(&senders[i], run_sender, push, i, &tally);
    }
    join(senders, THREADS);
    tally_wait(&tally);
    CHECK_EQUAL(nn_get_statistic(push, NN_STAT_MESSAGES_SENT), tally.expected);
    CHECK_EQUAL(nn_get_statistic(pull, NN_STAT_MESSAGES_RECEIVED), tally.expected);
    CHECK_EQUAL(nn_get_statistic(pull, NN_STAT_BYTES_RECEIVED), nn_get_statistic(push, NN_STAT_BYTES_SENT));
    CHECK_OK(nn_close(pull));
    join(receivers, THREADS);
}

TEST_OVER_TRANSPORTS(both_directions_of_a_socket_are_used_at_once)
{
    const char *address = new_address();
    int ends[2] = {test_socket_bound(NN_PAIR, address), test_socket_connected(NN_PAIR, address)};
    struct worker senders[2][THREADS];
    struct worker receivers[2];
    struct tally tallies[2];
    static atomic_uchar seen_by_second[THREADS * 600];

    for (int end = 0; end < 2; end++) {
        tally_open(&tallies[end], 600);
        SET_INT(ends[end], NN_SOL_SOCKET, NN_RCVTIMEO, -1);
    }
    tallies[1].is_seen = seen_by_second;
    for (int end = 0; end < 2; end++) {
        start(&receivers[end], run_receiver, ends[end], 0, &tallies[end]);
        for (uint32_t i = 0; i < THREADS; i++)
            start(&senders[end][i], run_sender, ends[1 - end], i, &tallies[end]);
    }
    for (int end = 0; end < 2; end++) {
        join(senders[end], THREADS);
        tally_wait(&tallies[end]);
    }
    for (int end = 0; end < 2; end++)
        CHECK_OK(nn_close(ends[end]));
    join(receivers, 2);
}

/* ---- Many sockets ---- */

TEST_OVER_TRANSPORTS(many_sockets_send_to_one_and_each_keeps_its_order)
{
    const char *address = new_address();
    int pull = test_socket_bound(NN_PULL, address);
    struct worker senders[THREADS];
    uint32_t next[THREADS] = {0};
    uint8_t body[sizeof(struct numbered) + MAX_BYTES];
    struct tally tally;

    tally_open(&tally, 1500);
    for (uint32_t i = 0; i < THREADS; i++)
        start(&senders[i], run_sender, test_socket_connected(NN_PUSH, address), i, &tally);
    for (uint32_t i = 0; i < tally.expected; i++) {
        int rc = (int)CHECK_OK(nn_recv(pull, body, sizeof body, 0));
        struct numbered which = parse_numbered(body, (size_t)rc);
        CHECK(which.from < THREADS);
        CHECK_EQUAL(which.n, next[which.from]++);
    }
    join(senders, THREADS);
    CHECK_ERRNO(nn_recv(pull, body, sizeof body, NN_DONTWAIT), EAGAIN);
}

TEST_OVER_TRANSPORTS(one_socket_sends_to_many_and_nothing_comes_twice)
{
    const char *address = new_address();
    int push = test_socket_bound(NN_PUSH, address);
    struct worker senders[THREADS];
    struct worker receivers[THREADS];
    struct tally tally;

    tally_open(&tally, 1500);
    for (uint32_t i = 0; i < THREADS; i++) {
        int pull = test_socket_connected(NN_PULL, address);
        SET_INT(pull, NN_SOL_SOCKET, NN_RCVTIMEO, -1);
        start(&receivers[i], run_receiver, pull, i, &tally);
    }
    WAIT_PEERS(push, THREADS);
    for (uint32_t i = 0; i < THREADS; i++)
        start(&senders[i], run_sender, push, i, &tally);
    join(senders, THREADS);
    tally_wait(&tally);
    for (int i = 0; i < THREADS; i++)
        CHECK_OK(nn_close(receivers[i].s));
    join(receivers, THREADS);
}

static void run_requester(void *argument)
{
    struct worker *self = argument;
    uint8_t body[sizeof(struct numbered) + MAX_BYTES];

    for (uint32_t n = 0; n < self->count; n++) {
        send_numbered(self->s, (struct numbered){self->id, n});
        int rc = (int)CHECK_OK(nn_recv(self->s, body, sizeof body, 0));
        struct numbered reply = parse_numbered(body, (size_t)rc);
        CHECK_EQUAL(reply.from, self->id);
        CHECK_EQUAL(reply.n, n);
    }
}

/* Answers with what was asked. */
static void run_echo(void *argument)
{
    struct worker *self = argument;
    void *message;

    while (nn_recv(self->s, &message, NN_MSG, 0) >= 0) {
        if (nn_send(self->s, &message, NN_MSG, 0) < 0) {
            CHECK_OK(nn_freemsg(message));
            break;
        }
    }
    CHECK_EQUAL(nn_errno(), EBADF);
}

TEST_OVER_TRANSPORTS(each_thread_gets_the_reply_to_its_own_request)
{
    const char *address = new_address();
    int reply = test_socket_bound(NN_REP, address);
    struct worker requesters[THREADS];
    struct worker echo;
    struct tally tally;

    tally_open(&tally, 200);
    SET_INT(reply, NN_SOL_SOCKET, NN_RCVTIMEO, -1);
    start(&echo, run_echo, reply, 0, &tally);
    for (uint32_t i = 0; i < THREADS; i++)
        start(&requesters[i], run_requester, test_socket_connected(NN_REQ, address), i, &tally);
    join(requesters, THREADS);
    CHECK_EQUAL(nn_get_statistic(reply, NN_STAT_MESSAGES_RECEIVED), tally.expected);
    CHECK_OK(nn_close(reply));
    join(&echo, 1);
}

/* ---- Endpoints that come and go ---- */

/* Sends a few over each of many connections; what was accepted is delivered after the endpoint is gone. */
static void run_visitor(void *argument)
{
    enum { EACH = 10 };
    struct worker *self = argument;

    for (uint32_t n = 0; n < self->count;) {
        int endpoint = (int)CHECK_OK(nn_connect(self->s, self->address));
        for (int i = 0; i < EACH; i++)
            send_numbered(self->s, (struct numbered){self->id, n++});
        CHECK_OK(nn_shutdown(self->s, endpoint));
    }
}

TEST_OVER_TRANSPORTS(what_was_sent_over_connections_that_come_and_go_arrives)
{
    const char *address = new_address();
    int pull = test_socket_bound(NN_PULL, address);
    struct worker visitors[THREADS];
    struct worker receiver;
    struct tally tally;

    SET_INT(pull, NN_SOL_SOCKET, NN_RCVTIMEO, -1);
    tally_open(&tally, 200);
    start(&receiver, run_receiver, pull, 0, &tally);
    for (uint32_t i = 0; i < THREADS; i++) {
        visitors[i] = (struct worker){.s = SOCKET(NN_PUSH), .id = i, .count = 200, .address = address};
        visitors[i].thread = test_thread_start(run_visitor, &visitors[i]);
    }
    join(visitors, THREADS);
    tally_wait(&tally);
    CHECK_OK(nn_close(pull));
    join(&receiver, 1);
}

/* ---- Endpoints that end while they are found ---- */

static void close_next_endpoints(void *socket)
{
    int s = *(int *)socket;
    int next = 1;

    while (nn_get_statistic(s, NN_STAT_CURRENT_CONNECTIONS) != (uint64_t)-1) {
        if (nn_shutdown(s, next) == 0)
            next++;
    }
}

/* The accepting thread has to wait for the socket's lock. */
static void keep_busy(void *socket)
{
    int s = *(int *)socket;
    char name[64] = "";
    size_t size = sizeof name;

    while (nn_setsockopt(s, NN_SOL_SOCKET, NN_SOCKET_NAME, name, size - 1) == 0) {
    }
}

TEST(an_endpoint_may_be_closed_while_its_peer_accepts_it_over_inproc)
{
    const char *address = test_inproc_address();
    int bound = test_socket_bound(NN_PULL, address);
    int connecting = SOCKET(NN_PUSH);

    SET_INT(connecting, NN_SOL_SOCKET, NN_SNDBUF, 100);
    struct test_thread *closing = test_thread_start(close_next_endpoints, &connecting);
    struct test_thread *busy = test_thread_start(keep_busy, &bound);
    for (int i = 0; i < 5000; i++)
        CHECK_OK(nn_connect(connecting, address));
    CHECK_OK(nn_close(connecting));
    test_thread_join(closing);
    CHECK_OK(nn_close(bound));
    test_thread_join(busy);
}
