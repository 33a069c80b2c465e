/* Closing and terminating while other threads use the socket. */
#include "raw_peer.h"
#include "sockets.h"

#include <nanomsg/bus.h>
#include <nanomsg/pair.h>
#include <nanomsg/pipeline.h>
#include <nanomsg/pubsub.h>
#include <nanomsg/reqrep.h>
#include <nanomsg/survey.h>

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* Exported, but in no header, as ever. */
void nn_init(void);

/* Far below every timeout of these tests, far above what waking a thread takes. */
#define PROMPT_MS 2000

/* ---- A call on a thread of its own ---- */

struct caller {
    int s;
    int (*call)(int s);
    atomic_long thread_id; /* 0: not started yet */
    int rc;
    int error;
    int64_t ended_ms;
    struct test_thread *thread;
};

static void run_caller(void *argument)
{
    struct caller *self = argument;

    atomic_store(&self->thread_id, syscall(SYS_gettid));
    self->rc = self->call(self->s);
    self->error = nn_errno();
    self->ended_ms = test_now_ms();
}

/* Starts the call and waits until its thread sleeps. */
static void caller_start(struct caller *self, int s, int (*call)(int s))
{
    int64_t deadline_ms = test_wait_deadline();

    *self = (struct caller){.s = s, .call = call};
    self->thread = test_thread_start(run_caller, self);
    while (atomic_load(&self->thread_id) == 0 || !test_is_asleep(atomic_load(&self->thread_id)))
        CHECK(!test_pause(deadline_ms));
}

static void caller_check_woken(struct caller *self, int error, int64_t since_ms)
{
    test_thread_join(self->thread);
    CHECK_EQUAL(self->rc, -1);
    CHECK_EQUAL(self->error, error);
    CHECK(self->ended_ms - since_ms < test_deadline_ms(PROMPT_MS));
}

static int call_send(int s)
{
    return nn_send(s, "x", 1, 0);
}

static int call_send_allocated(int s)
{
    void *message = nn_allocmsg(1, 0);
    int rc = nn_send(s, &message, NN_MSG, 0);
    int error = nn_errno();

    CHECK_OK(nn_freemsg(message)); /* it was not sent: it is still ours */
    errno = error;
    return rc;
}

static int call_receive(int s)
{
    char byte;

    return nn_recv(s, &byte, 1, 0);
}

static int call_receive_allocated(int s)
{
    void *message = NULL;

    return nn_recv(s, &message, NN_MSG, 0);
}

static int call_receive_pieces(int s)
{
    char byte;
    struct nn_iovec piece = {&byte, 1};
    struct nn_msghdr header = {.msg_iov = &piece, .msg_iovlen = 1};

    return nn_recvmsg(s, &header, 0);
}

static int call_poll_in(int s)
{
    struct nn_pollfd entry = {.fd = s, .events = NN_POLLIN};

    return nn_poll(&entry, 1, -1);
}

static int call_poll_out(int s)
{
    struct nn_pollfd entry = {.fd = s, .events = NN_POLLOUT};

    return nn_poll(&entry, 1, -1);
}

/* When the last socket is closed, the next one may have its number: the call that still has to notice is counted with
 * the old one. */
TEST(a_call_that_waits_on_a_closed_socket_does_not_meet_the_next_one)
{
    enum { ROUNDS = 100 };
    struct caller caller;

    for (int i = 0; i < ROUNDS; i++) {
        int s = SOCKET(NN_PULL);
        CHECK_EQUAL(s, 0);
        caller_start(&caller, s, call_receive);
        int64_t closed_ms = test_now_ms();
        CHECK_OK(nn_close(s));
        int next = SOCKET(NN_PAIR);
        caller_check_woken(&caller, EBADF, closed_ms);
        CHECK_EQUAL(test_get_int(next, NN_SOL_SOCKET, NN_PROTOCOL), NN_PAIR);
        CHECK_OK(nn_close(next));
    }
}

/* Everything that waits, and what makes it wait. */
static const struct waiting {
    int protocol;
    int (*call)(int s);
    bool is_asking; /* a question is out */
} waits[] = {
    {NN_PUSH, call_send, false},
    {NN_PUSH, call_send_allocated, false},
    {NN_PAIR, call_send, false},
    {NN_PULL, call_receive, false},
    {NN_PULL, call_receive_allocated, false},
    {NN_PAIR, call_receive_pieces, false},
    {NN_SUB, call_receive, false},
    {NN_BUS, call_receive, false},
    {NN_REP, call_receive, false},
    {NN_RESPONDENT, call_receive, false},
    {NN_REQ, call_receive, true},
    {NN_SURVEYOR, call_receive, true},
    {NN_PULL, call_poll_in, false},
    {NN_PUSH, call_poll_out, false},
    {NN_REQ, call_poll_in, true},
};

static int waiting_socket(const struct waiting *waiting)
{
    int s = SOCKET(waiting->protocol);

    SET_INT(s, NN_SOL_SOCKET, NN_SNDTIMEO, -1);
    SET_INT(s, NN_SOL_SOCKET, NN_RCVTIMEO, -1);
    if (waiting->protocol == NN_SURVEYOR)
        SET_INT(s, NN_SURVEYOR, NN_SURVEYOR_DEADLINE, 1000000);
    if (waiting->is_asking)
        CHECK_SENDS(s, "?");
    return s;
}

/* ---- nn_close ---- */

TEST(closing_wakes_every_call_that_waits_with_EBADF)
{
    for (size_t i = 0; i < COUNT_OF(waits); i++) {
        int s = waiting_socket(&waits[i]);
        struct caller caller;

        caller_start(&caller, s, waits[i].call);
        int64_t start_ms = test_now_ms();
        CHECK_OK(nn_close(s));
        CHECK(test_now_ms() - start_ms < test_deadline_ms(PROMPT_MS));
        caller_check_woken(&caller, EBADF, start_ms);
    }
}

TEST(closing_wakes_all_threads_that_wait_on_a_socket)
{
    enum { THREADS = 12 };
    static int (*const calls[])(int s) = {call_send, call_receive, call_poll_in, call_poll_out};
    struct caller callers[THREADS];
    int s = SOCKET(NN_PAIR);

    for (int i = 0; i < THREADS; i++)
        caller_start(&callers[i], s, calls[(size_t)i % COUNT_OF(calls)]);
    int64_t start_ms = test_now_ms();
    CHECK_OK(nn_close(s));
    for (int i = 0; i < THREADS; i++)
        caller_check_woken(&callers[i], EBADF, start_ms);
}

TEST_OVER_STREAMS(closing_wakes_a_call_that_waits_for_a_peer_that_takes_nothing)
{
    static uint8_t body[100000];
    const char *address = new_address();
    int push = test_socket_bound(NN_PUSH, address);
    int fd = raw_connect_admitted(address, NN_PULL, NN_PUSH);
    struct caller caller;

    SET_INT(push, NN_SOL_SOCKET, NN_LINGER, 0);
    WAIT_PEERS(push, 1);
    while (nn_send(push, body, sizeof body, NN_DONTWAIT) >= 0) {
    }
    CHECK_EQUAL(nn_errno(), EAGAIN);
    caller_start(&caller, push, call_send);
    int64_t start_ms = test_now_ms();
    CHECK_OK(nn_close(push));
    caller_check_woken(&caller, EBADF, start_ms);
    CHECK(raw_is_closed(fd));
    close(fd);
}

TEST(closing_leaves_calls_on_other_sockets_waiting)
{
    const char *address = test_inproc_address();
    int pull = test_socket_bound(NN_PULL, address);
    int other = SOCKET(NN_PULL);
    struct nn_pollfd entries[] = {{.fd = pull, .events = NN_POLLIN}, {.fd = other, .events = 0}};
    struct caller caller;

    caller_start(&caller, pull, call_receive);
    CHECK_OK(nn_close(other));
    CHECK_EQUAL(CHECK_OK(nn_poll(entries, 2, 0)), 0);
    CHECK_SENDS(test_socket_connected(NN_PUSH, address), "x");
    test_thread_join(caller.thread);
    CHECK_EQUAL(caller.rc, 1);
}

TEST(only_one_of_many_threads_that_close_a_socket_does_it)
{
    enum { THREADS = 8, ROUNDS = 50 };
    struct caller callers[THREADS];

    for (int round = 0; round < ROUNDS; round++) {
        int s = SOCKET(NN_PAIR);
        int closed = 0;

        for (int i = 0; i < THREADS; i++) {
            callers[i] = (struct caller){.s = s, .call = nn_close};
            callers[i].thread = test_thread_start(run_caller, &callers[i]);
        }
        for (int i = 0; i < THREADS; i++) {
            test_thread_join(callers[i].thread);
            closed += callers[i].rc == 0;
            CHECK(callers[i].rc == 0 || callers[i].error == EBADF);
        }
        CHECK_EQUAL(closed, 1);
    }
}

/* ---- nn_term ---- */

TEST(termination_wakes_every_call_that_waits_with_EBADF)
{
    struct caller callers[COUNT_OF(waits)];

    for (size_t i = 0; i < COUNT_OF(waits); i++)
        caller_start(&callers[i], waiting_socket(&waits[i]), waits[i].call);
    int64_t start_ms = test_now_ms();
    nn_term();
    CHECK(test_now_ms() - start_ms < test_deadline_ms(PROMPT_MS));
    for (size_t i = 0; i < COUNT_OF(waits); i++)
        caller_check_woken(&callers[i], EBADF, start_ms);
    CHECK_ERRNO(nn_socket(AF_SP, NN_PAIR), ETERM);
}

/* Opens sockets and uses them until termination says no. */
static int call_open_until_term(int s)
{
    int rc;

    (void)s;
    while ((rc = nn_socket(AF_SP, NN_PAIR)) >= 0) {
        /* Each call may find the socket closed already. */
        CHECK(nn_send(rc, "x", 1, NN_DONTWAIT) < 0 && (nn_errno() == EAGAIN || nn_errno() == EBADF));
        CHECK(nn_close(rc) == 0 || nn_errno() == EBADF);
    }
    return rc;
}

TEST(termination_ends_the_opening_of_sockets_on_other_threads)
{
    enum { THREADS = 4, ROUNDS = 100 };
    struct caller callers[THREADS];

    CHECK_OK(nn_close(SOCKET(NN_PAIR)));
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < THREADS; i++) {
            callers[i] = (struct caller){.call = call_open_until_term};
            callers[i].thread = test_thread_start(run_caller, &callers[i]);
        }
        int64_t start_ms = test_now_ms();
        nn_term();
        CHECK(test_now_ms() - start_ms < test_deadline_ms(PROMPT_MS));
        for (int i = 0; i < THREADS; i++)
            caller_check_woken(&callers[i], ETERM, start_ms);
        nn_init();
    }
}

static void run_term(void *argument)
{
    (void)argument;
    nn_term();
}

TEST(termination_by_several_threads_ends)
{
    enum { THREADS = 4 };
    struct test_thread *threads[THREADS];
    struct caller caller;

    caller_start(&caller, SOCKET(NN_PULL), call_receive);
    for (int i = 0; i < THREADS; i++)
        threads[i] = test_thread_start(run_term, NULL);
    for (int i = 0; i < THREADS; i++)
        test_thread_join(threads[i]);
    caller_check_woken(&caller, EBADF, test_now_ms());
}

/* ---- Closing in the middle of traffic ---- */

/* Each goes on until the socket is closed under it, and knows no other end. */
static int call_send_on(int s)
{
    int rc;

    while ((rc = nn_send(s, "message", 7, 0)) == 7) {
    }
    return rc;
}

static int call_receive_on(int s)
{
    char body[16];
    int rc;

    while ((rc = nn_recv(s, body, sizeof body, 0)) == 7)
        CHECK(memcmp(body, "message", 7) == 0);
    return rc;
}

static int call_everything_on(int s)
{
    int value;
    size_t size = sizeof value;
    int endpoint;

    while ((endpoint = nn_connect(s, "inproc://nobody")) > 0 && nn_shutdown(s, endpoint) == 0 &&
           nn_getsockopt(s, NN_SOL_SOCKET, NN_SNDTIMEO, &value, &size) == 0 &&
           nn_getsockopt(s, NN_SOL_SOCKET, NN_RCVFD, &value, &size) == 0 &&
           nn_setsockopt(s, NN_SOL_SOCKET, NN_SNDPRIO, &(int){3}, sizeof(int)) == 0 &&
           nn_get_statistic(s, NN_STAT_MESSAGES_SENT) != UINT64_MAX) {
    }
    return -1;
}

/* Two threads for each socket of the pair. Returns when all are at work. */
static void start_calls(struct caller callers[4], const int pair[2], int (*call)(int s))
{
    int64_t deadline_ms = test_wait_deadline();

    for (int i = 0; i < 4; i++) {
        callers[i] = (struct caller){.s = pair[i % 2], .call = call};
        callers[i].thread = test_thread_start(run_caller, &callers[i]);
    }
    for (int i = 0; i < 4; i++) {
        while (atomic_load(&callers[i].thread_id) == 0)
            CHECK(!test_pause(deadline_ms));
    }
}

TEST_OVER_TRANSPORTS(a_socket_can_be_closed_while_many_threads_use_it)
{
    enum { ROUNDS = 10, THREADS = 12 };
    struct caller callers[THREADS];

    for (int round = 0; round < ROUNDS; round++) {
        const char *address = new_address();
        int pair[2] = {test_socket_bound(NN_PAIR, address), test_socket_connected(NN_PAIR, address)};

        for (int i = 0; i < 2; i++) {
            SET_INT(pair[i], NN_SOL_SOCKET, NN_SNDTIMEO, -1);
            SET_INT(pair[i], NN_SOL_SOCKET, NN_RCVTIMEO, -1);
        }
        start_calls(callers, pair, call_receive_on);
        start_calls(callers + 4, pair, call_send_on);
        WAIT_STATISTIC_AT_LEAST(pair[round % 2], NN_STAT_MESSAGES_RECEIVED, 50);
        /* Not before: on a busy machine, threads that do nothing but take a socket's lock keep others from it for
         * seconds. */
        start_calls(callers + 8, pair, call_everything_on);
        int64_t start_ms = test_now_ms();
        CHECK_OK(nn_close(pair[round % 2]));
        CHECK_OK(nn_close(pair[1 - round % 2]));
        for (int i = 0; i < THREADS; i++)
            caller_check_woken(&callers[i], EBADF, start_ms);
    }
}

/* ---- Numbers that come back ---- */

/* Opens sockets until one gets the number; keeps none but that one. */
static int reopen(int number, int protocol)
{
    enum { LIMIT = 500 };
    int opened[LIMIT];
    int count = 0;

    while (count < LIMIT && (opened[count++] = SOCKET(protocol)) != number) {
    }
    CHECK_EQUAL(opened[count - 1], number);
    for (int i = 0; i < count - 1; i++)
        CHECK_OK(nn_close(opened[i]));
    return number;
}

/* Closed numbers rest until there are many. */
static void close_many(void)
{
    int opened[100];

    for (size_t i = 0; i < COUNT_OF(opened); i++)
        opened[i] = SOCKET(NN_PAIR);
    for (size_t i = 0; i < COUNT_OF(opened); i++)
        CHECK_OK(nn_close(opened[i]));
}

TEST_OVER_TRANSPORTS(a_number_that_comes_back_is_a_new_socket)
{
    const char *address = new_address();
    int old = test_socket_bound(NN_PAIR, address);
    int peer = test_socket_connected(NN_PAIR, address);
    int endpoint = (int)CHECK_OK(nn_connect(old, test_inproc_address()));

    SET_INT(old, NN_SOL_SOCKET, NN_SNDPRIO, 3);
    CHECK_OK(nn_setsockopt(old, NN_SOL_SOCKET, NN_SOCKET_NAME, "old", 3));
    WAIT_PEERS(peer, 1);
    CHECK_SENDS(peer, "to the old one");
    CHECK_OK(nn_close(old));
    WAIT_PEERS(peer, 0);
    close_many();

    int s = reopen(old, NN_PULL);
    char name[8];
    size_t size = sizeof name;
    CHECK_EQUAL(test_get_int(s, NN_SOL_SOCKET, NN_PROTOCOL), NN_PULL);
    CHECK_EQUAL(test_get_int(s, NN_SOL_SOCKET, NN_SNDPRIO), 8);
    CHECK_OK(nn_getsockopt(s, NN_SOL_SOCKET, NN_SOCKET_NAME, name, &size));
    CHECK(size != 3 || memcmp(name, "old", 3) != 0);
    CHECK_ERRNO(nn_shutdown(s, endpoint), EINVAL);
    CHECK_EQUAL(nn_get_statistic(s, NN_STAT_MESSAGES_RECEIVED), 0);
    CHECK_EQUAL(nn_get_statistic(s, NN_STAT_ACCEPTED_CONNECTIONS), 0);
    CHECK_ERRNO(nn_recv(s, name, sizeof name, NN_DONTWAIT), EAGAIN);
    CHECK_OK(nn_bind(s, address));
    CHECK_SENDS(test_socket_connected(NN_PUSH, address), "to the new one");
    CHECK_RECEIVES(s, "to the new one");
}

TEST(a_number_is_not_handed_out_while_a_call_on_it_goes_on)
{
    enum { ROUNDS = 30, SOCKETS = 40 };
    int opened[SOCKETS];
    struct caller caller;

    close_many();
    for (int round = 0; round < ROUNDS; round++) {
        int s = SOCKET(NN_PULL);
        caller_start(&caller, s, call_receive);
        CHECK_OK(nn_close(s));
        /* The socket with this number would get this call's wake-up or give it a message. */
        for (int i = 0; i < SOCKETS; i++)
            opened[i] = SOCKET(NN_PUSH);
        caller_check_woken(&caller, EBADF, test_now_ms());
        for (int i = 0; i < SOCKETS; i++) {
            CHECK_EQUAL(test_get_int(opened[i], NN_SOL_SOCKET, NN_PROTOCOL), NN_PUSH);
            CHECK_OK(nn_close(opened[i]));
        }
    }
}

struct churner {
    const char *address;
    int id;
    struct test_thread *thread;
};

/* A socket pair's exchange that no other socket's messages may enter. */
static void run_churner(void *argument)
{
    enum { ROUNDS = 100 };
    struct churner *self = argument;
    char text[32];

    for (int round = 0; round < ROUNDS; round++) {
        int pull = test_socket_bound(NN_PULL, self->address);
        int push = test_socket_connected(NN_PUSH, self->address);

        snprintf(text, sizeof text, "%d: %d", self->id, round);
        CHECK_SENDS(push, text);
        CHECK_RECEIVES(pull, text);
        CHECK_OK(nn_close(push));
        CHECK_OK(nn_close(pull));
    }
}

TEST_OVER_TRANSPORTS(sockets_that_come_and_go_on_many_threads_are_not_confused)
{
    enum { THREADS = 6 };
    struct churner churners[THREADS];

    for (int i = 0; i < THREADS; i++)
        churners[i] = (struct churner){.address = new_address(), .id = i};
    for (int i = 0; i < THREADS; i++)
        churners[i].thread = test_thread_start(run_churner, &churners[i]);
    for (int i = 0; i < THREADS; i++)
        test_thread_join(churners[i].thread);
}
