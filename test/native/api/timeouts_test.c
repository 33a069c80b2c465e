/* How long nn_send and nn_recv wait: NN_SNDTIMEO, NN_RCVTIMEO, NN_DONTWAIT, signals, and the socket's end. */
#include "sockets.h"

#include <nanomsg/bus.h>
#include <nanomsg/pair.h>
#include <nanomsg/pipeline.h>
#include <nanomsg/pubsub.h>
#include <nanomsg/reqrep.h>
#include <nanomsg/survey.h>

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/time.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define LIMIT_MS 8000

static const int receivers[] = {NN_PAIR, NN_PULL, NN_SUB, NN_REP, NN_BUS, NN_RESPONDENT, NN_REQ, NN_SURVEYOR};
static const int senders_that_wait[] = {NN_PAIR, NN_PUSH};
static const int senders_that_do_not[] = {NN_PUB, NN_BUS, NN_REQ, NN_SURVEYOR};

/* A socket of a type that receives, in a state in which it may. */
static int receiver(int protocol)
{
    int s = SOCKET(protocol);

    if (protocol == NN_SURVEYOR)
        SET_INT(s, NN_SURVEYOR, NN_SURVEYOR_DEADLINE, test_deadline_ms(2 * LIMIT_MS));
    if (protocol == NN_REQ || protocol == NN_SURVEYOR)
        CHECK_SENDS(s, "?");
    return s;
}

/* ---- Not waiting ---- */

TEST(NN_DONTWAIT_says_EAGAIN_whatever_the_timeout)
{
    static const int timeouts_ms[] = {-1, 0, 30};
    char byte;

    for (size_t i = 0; i < COUNT_OF(timeouts_ms); i++) {
        for (size_t j = 0; j < COUNT_OF(receivers); j++) {
            int s = receiver(receivers[j]);
            SET_INT(s, NN_SOL_SOCKET, NN_RCVTIMEO, timeouts_ms[i]);
            CHECK_ERRNO(nn_recv(s, &byte, 1, NN_DONTWAIT), EAGAIN);
        }
        for (size_t j = 0; j < COUNT_OF(senders_that_wait); j++) {
            int s = SOCKET(senders_that_wait[j]);
            SET_INT(s, NN_SOL_SOCKET, NN_SNDTIMEO, timeouts_ms[i]);
            CHECK_ERRNO(nn_send(s, "x", 1, NN_DONTWAIT), EAGAIN);
        }
    }
}

TEST(types_that_drop_or_keep_never_wait_to_send)
{
    for (size_t i = 0; i < COUNT_OF(senders_that_do_not); i++) {
        int s = SOCKET(senders_that_do_not[i]);
        SET_INT(s, NN_SOL_SOCKET, NN_SNDTIMEO, 0);
        CHECK_SENDS(s, "x");
        SET_INT(s, NN_SOL_SOCKET, NN_SNDTIMEO, -1);
        CHECK_SENDS(s, "x");
    }
}

TEST_OVER_TRANSPORTS(a_timeout_of_0_takes_what_is_there)
{
    const char *address = new_address();
    int push = test_socket_bound(NN_PUSH, address);
    int pull = test_socket_connected(NN_PULL, address);

    SET_INT(push, NN_SOL_SOCKET, NN_SNDTIMEO, 0);
    SET_INT(pull, NN_SOL_SOCKET, NN_RCVTIMEO, 0);
    WAIT_PEERS(push, 1);
    CHECK_SENDS(push, "x");
    CHECK(test_is_ready(pull, NN_POLLIN, test_deadline_ms(LIMIT_MS)));
    CHECK_RECEIVES(pull, "x");
}

/* ---- Waiting in vain ---- */

static const int short_timeouts_ms[] = {0, 1, 30};

TEST(receiving_times_out_when_the_time_has_passed)
{
    char byte;

    for (size_t i = 0; i < COUNT_OF(receivers); i++) {
        int s = receiver(receivers[i]);
        for (size_t j = 0; j < COUNT_OF(short_timeouts_ms); j++) {
            SET_INT(s, NN_SOL_SOCKET, NN_RCVTIMEO, short_timeouts_ms[j]);
            int64_t start_ms = test_now_ms();
            CHECK_ERRNO(nn_recv(s, &byte, 1, 0), ETIMEDOUT);
            CHECK(test_now_ms() - start_ms >= short_timeouts_ms[j]);
        }
    }
}

TEST(sending_times_out_when_the_time_has_passed)
{
    for (size_t i = 0; i < COUNT_OF(senders_that_wait); i++) {
        int s = SOCKET(senders_that_wait[i]);
        for (size_t j = 0; j < COUNT_OF(short_timeouts_ms); j++) {
            SET_INT(s, NN_SOL_SOCKET, NN_SNDTIMEO, short_timeouts_ms[j]);
            int64_t start_ms = test_now_ms();
            CHECK_ERRNO(nn_send(s, "x", 1, 0), ETIMEDOUT);
            CHECK(test_now_ms() - start_ms >= short_timeouts_ms[j]);
        }
    }
}

struct publisher {
    int pub;
    atomic_bool is_over;
};

static void publish_until_over(void *argument)
{
    struct publisher *self = argument;

    while (!atomic_load(&self->is_over)) {
        CHECK_SENDS(self->pub, "not for you");
        test_pause(0);
    }
}

TEST_OVER_TRANSPORTS(messages_for_others_do_not_prolong_waiting)
{
    const char *address = new_address();
    struct publisher publisher = {.pub = test_socket_bound(NN_PUB, address)};
    int sub = test_socket_connected(NN_SUB, address);
    struct test_thread *thread;
    char byte;

    CHECK_OK(nn_setsockopt(sub, NN_SUB, NN_SUB_SUBSCRIBE, "for me", 6));
    SET_INT(sub, NN_SOL_SOCKET, NN_RCVTIMEO, 60);
    WAIT_PEERS(publisher.pub, 1);
    thread = test_thread_start(publish_until_over, &publisher);
    CHECK_ERRNO(nn_recv(sub, &byte, 1, 0), ETIMEDOUT);
    atomic_store(&publisher.is_over, true);
    test_thread_join(thread);
}

/* ---- Waiting for something ---- */

struct action {
    void (*run)(int s);
    int s;
};

/* Begins when the other thread has most likely begun to wait; the result must be the same if it has not. */
static void run_action(void *argument)
{
    struct action *self = argument;

    test_pause(0);
    self->run(self->s);
}

static void send_one(int s)
{
    CHECK_SENDS(s, "x");
}

static void receive_one(int s)
{
    CHECK_RECEIVES(s, "x");
}

TEST_OVER_TRANSPORTS(without_limit_a_receive_waits_for_a_message)
{
    static const int unlimited[] = {-1, -7};
    const char *address = new_address();
    int push = test_socket_bound(NN_PUSH, address);
    int pull = test_socket_connected(NN_PULL, address);

    for (size_t i = 0; i < COUNT_OF(unlimited); i++) {
        struct action action = {send_one, push};
        SET_INT(pull, NN_SOL_SOCKET, NN_RCVTIMEO, unlimited[i]);
        struct test_thread *thread = test_thread_start(run_action, &action);
        CHECK_RECEIVES(pull, "x");
        test_thread_join(thread);
    }
}

TEST_OVER_TRANSPORTS(without_limit_a_send_waits_for_a_peer)
{
    const char *address = new_address();
    int push = test_socket_connected(NN_PUSH, address);
    int pull = SOCKET(NN_PULL);
    struct action action = {send_one, push};

    SET_INT(push, NN_SOL_SOCKET, NN_SNDTIMEO, -1);
    struct test_thread *thread = test_thread_start(run_action, &action);
    CHECK_OK(nn_bind(pull, address));
    CHECK_RECEIVES(pull, "x");
    test_thread_join(thread);
}

#define THREADS 4

TEST_OVER_TRANSPORTS(threads_that_receive_from_one_socket_get_a_message_each)
{
    const char *address = new_address();
    int push = test_socket_bound(NN_PUSH, address);
    int pull = test_socket_connected(NN_PULL, address);
    struct action action = {receive_one, pull};
    struct test_thread *threads[THREADS];

    for (int i = 0; i < THREADS; i++)
        threads[i] = test_thread_start(run_action, &action);
    for (int i = 0; i < THREADS; i++)
        CHECK_SENDS(push, "x");
    for (int i = 0; i < THREADS; i++)
        test_thread_join(threads[i]);
    CHECK_SILENT(pull);
}

TEST_OVER_TRANSPORTS(threads_that_send_to_one_socket_all_come_through)
{
    const char *address = new_address();
    int push = test_socket_connected(NN_PUSH, address);
    struct action action = {send_one, push};
    struct test_thread *threads[THREADS];

    for (int i = 0; i < THREADS; i++)
        threads[i] = test_thread_start(run_action, &action);
    int pull = test_socket_bound(NN_PULL, address);
    for (int i = 0; i < THREADS; i++)
        CHECK_RECEIVES(pull, "x");
    for (int i = 0; i < THREADS; i++)
        test_thread_join(threads[i]);
    CHECK_SILENT(pull);
}

/* ---- The socket's end ---- */

static void close_one(int s)
{
    CHECK_OK(nn_close(s));
}

static void terminate(int s)
{
    (void)s;
    nn_term();
}

TEST(closing_a_socket_ends_waiting_with_EBADF)
{
    char byte;

    for (size_t i = 0; i < COUNT_OF(receivers); i++) {
        struct action action = {close_one, receiver(receivers[i])};
        SET_INT(action.s, NN_SOL_SOCKET, NN_RCVTIMEO, -1);
        struct test_thread *thread = test_thread_start(run_action, &action);
        CHECK_ERRNO(nn_recv(action.s, &byte, 1, 0), EBADF);
        test_thread_join(thread);
    }
    for (size_t i = 0; i < COUNT_OF(senders_that_wait); i++) {
        struct action action = {close_one, SOCKET(senders_that_wait[i])};
        SET_INT(action.s, NN_SOL_SOCKET, NN_SNDTIMEO, -1);
        struct test_thread *thread = test_thread_start(run_action, &action);
        CHECK_ERRNO(nn_send(action.s, "x", 1, 0), EBADF);
        test_thread_join(thread);
    }
}

TEST(termination_ends_receiving_with_EBADF)
{
    struct action action = {terminate, 0};
    int s = SOCKET(NN_PULL);
    char byte;

    SET_INT(s, NN_SOL_SOCKET, NN_RCVTIMEO, -1);
    struct test_thread *thread = test_thread_start(run_action, &action);
    CHECK_ERRNO(nn_recv(s, &byte, 1, 0), EBADF);
    test_thread_join(thread);
}

TEST(termination_ends_sending_with_EBADF)
{
    struct action action = {terminate, 0};
    int s = SOCKET(NN_PUSH);

    SET_INT(s, NN_SOL_SOCKET, NN_SNDTIMEO, -1);
    struct test_thread *thread = test_thread_start(run_action, &action);
    CHECK_ERRNO(nn_send(s, "x", 1, 0), EBADF);
    test_thread_join(thread);
}

/* ---- Signals ---- */

static void ignore_signal(int number)
{
    (void)number;
}

/* Again and again, in case the first one comes before the wait. */
static void signal_often(void (*handler)(int), int flags)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
    struct itimerval often = {.it_interval = {.tv_usec = 10000}, .it_value = {.tv_usec = 10000}};

    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
}

static void signal_no_more(void)
{
    struct itimerval never = {0};

    setitimer(ITIMER_REAL, &never, NULL);
}

/* Whether a handler restarts system calls makes no difference, as with poll(2). */
TEST(a_signal_that_is_handled_ends_waiting_with_EINTR)
{
    static const int flags[] = {0, SA_RESTART};
    int push = SOCKET(NN_PUSH);
    int pull = SOCKET(NN_PULL);
    char byte;

    for (size_t i = 0; i < COUNT_OF(flags); i++) {
        signal_often(ignore_signal, flags[i]);
        CHECK_ERRNO(nn_recv(pull, &byte, 1, 0), EINTR);
        CHECK_ERRNO(nn_send(push, "x", 1, 0), EINTR);
        SET_INT(pull, NN_SOL_SOCKET, NN_RCVTIMEO, -1);
        SET_INT(push, NN_SOL_SOCKET, NN_SNDTIMEO, -1);
        CHECK_ERRNO(nn_recv(pull, &byte, 1, 0), EINTR);
        CHECK_ERRNO(nn_send(push, "x", 1, 0), EINTR);
        signal_no_more();
    }
}

TEST(a_signal_that_is_ignored_does_not_end_waiting)
{
    int s = SOCKET(NN_PAIR);
    char byte;

    SET_INT(s, NN_SOL_SOCKET, NN_RCVTIMEO, 60);
    SET_INT(s, NN_SOL_SOCKET, NN_SNDTIMEO, 60);
    signal_often(SIG_IGN, 0);
    CHECK_ERRNO(nn_recv(s, &byte, 1, 0), ETIMEDOUT);
    CHECK_ERRNO(nn_send(s, "x", 1, 0), ETIMEDOUT);
    signal_no_more();
}

static int receive_despite_signals(int s, char *bytes, size_t count)
{
    int rc;

    do {
        rc = nn_recv(s, bytes, count, 0);
    } while (rc < 0 && nn_errno() == EINTR);
    return rc;
}

#define STREAM 300

static void send_stream(int s)
{
    for (int i = 0; i < STREAM; i++) {
        CHECK_OK(nn_send(s, &i, sizeof i, 0));
        if (i % 10 == 0)
            test_pause(0);
    }
}

static void run_stream(void *argument)
{
    sigset_t all;

    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL); /* signals are for the thread that receives */
    run_action(argument);
}

TEST_OVER_TRANSPORTS(signals_lose_no_message)
{
    const char *address = new_address();
    struct action action = {send_stream, test_socket_bound(NN_PUSH, address)};
    int pull = test_socket_connected(NN_PULL, address);
    struct test_thread *thread = test_thread_start(run_stream, &action);

    signal_often(ignore_signal, 0);
    for (int i = 0; i < STREAM; i++) {
        int number;
        CHECK_EQUAL(receive_despite_signals(pull, (char *)&number, sizeof number), sizeof number);
        CHECK_EQUAL(number, i);
    }
    signal_no_more();
    test_thread_join(thread);
}

TEST(an_interrupted_send_leaves_the_message_to_its_owner)
{
    void *message = nn_allocmsg(100, 0);
    int s = SOCKET(NN_PUSH);

    CHECK(message != NULL);
    signal_often(ignore_signal, 0);
    CHECK_ERRNO(nn_send(s, &message, NN_MSG, 0), EINTR);
    signal_no_more();
    memset(message, 'x', 100);
    CHECK_OK(nn_freemsg(message));
}
