/* nn_poll, and the descriptors NN_RCVFD and NN_SNDFD that other loops poll. */
#include "sockets.h"

#include <nanomsg/bus.h>
#include <nanomsg/pair.h>
#include <nanomsg/pipeline.h>
#include <nanomsg/pubsub.h>
#include <nanomsg/reqrep.h>
#include <nanomsg/survey.h>

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/time.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* What the results hold before a call. */
#define UNTOUCHED 77

static int poll_one(int s, short events, int timeout_ms)
{
    struct nn_pollfd entry = {.fd = s, .events = events, .revents = UNTOUCHED};
    int rc = (int)CHECK_OK(nn_poll(&entry, 1, timeout_ms));

    CHECK_EQUAL(rc, rc == 0 ? 0 : 1);
    return rc == 0 ? 0 : entry.revents;
}

static int limit_ms(void)
{
    return test_deadline_ms(8000);
}

/* ---- Results ---- */

TEST(each_type_is_ready_for_what_it_can_do_at_once)
{
    static const struct {
        int protocol;
        short asked;
        short ready;
    } idle[] = {
        {NN_PAIR, NN_POLLIN | NN_POLLOUT, 0},
        {NN_PUSH, NN_POLLOUT, 0},
        {NN_PULL, NN_POLLIN, 0},
        {NN_PUB, NN_POLLOUT, NN_POLLOUT},
        {NN_SUB, NN_POLLIN, 0},
        {NN_REQ, NN_POLLIN | NN_POLLOUT, NN_POLLOUT},
        {NN_REP, NN_POLLIN | NN_POLLOUT, 0},
        {NN_BUS, NN_POLLIN | NN_POLLOUT, NN_POLLOUT},
        {NN_RESPONDENT, NN_POLLIN | NN_POLLOUT, 0},
    };

    for (size_t i = 0; i < COUNT_OF(idle); i++)
        CHECK_EQUAL(poll_one(SOCKET(idle[i].protocol), idle[i].asked, 0), idle[i].ready);
    CHECK_EQUAL(poll_one(SOCKET(NN_SURVEYOR), NN_POLLOUT, 0), NN_POLLOUT);
}

TEST_OVER_TRANSPORTS(a_message_makes_a_socket_readable_until_it_is_received)
{
    const char *address = new_address();
    int push = test_socket_bound(NN_PUSH, address);
    int pull = test_socket_connected(NN_PULL, address);

    CHECK_EQUAL(poll_one(push, NN_POLLOUT, limit_ms()), NN_POLLOUT);
    CHECK_EQUAL(poll_one(pull, NN_POLLIN, 0), 0);
    CHECK_SENDS(push, "first");
    CHECK_SENDS(push, "second");
    CHECK_EQUAL(poll_one(pull, NN_POLLIN, limit_ms()), NN_POLLIN);
    CHECK_RECEIVES(pull, "first");
    CHECK_EQUAL(poll_one(pull, NN_POLLIN, limit_ms()), NN_POLLIN);
    CHECK_RECEIVES(pull, "second");
    CHECK_EQUAL(poll_one(pull, NN_POLLIN, 0), 0);
}

TEST_OVER_TRANSPORTS(a_peer_that_takes_no_more_makes_a_socket_unwritable)
{
    static uint8_t body[100000];
    const char *address = new_address();
    int push = test_socket_bound(NN_PUSH, address);
    int pull = test_socket_connected(NN_PULL, address);
    int64_t deadline_ms = test_wait_deadline();

    CHECK_EQUAL(poll_one(push, NN_POLLOUT, limit_ms()), NN_POLLOUT);
    while (nn_send(push, body, sizeof body, NN_DONTWAIT) >= 0 || poll_one(push, NN_POLLOUT, 50) != 0)
        CHECK(test_now_ms() < deadline_ms);
    while (poll_one(push, NN_POLLOUT, 0) == 0)
        CHECK_EQUAL(CHECK_OK(nn_recv(pull, body, sizeof body, 0)), sizeof body);
    CHECK_OK(nn_send(push, body, sizeof body, NN_DONTWAIT));
}

TEST(a_reply_can_be_sent_between_its_request_and_itself)
{
    const char *address = test_inproc_address();
    int reply = test_socket_bound(NN_REP, address);
    int request = test_socket_connected(NN_REQ, address);

    CHECK_SENDS(request, "?");
    CHECK_EQUAL(poll_one(reply, NN_POLLIN | NN_POLLOUT, limit_ms()), NN_POLLIN);
    CHECK_RECEIVES(reply, "?");
    CHECK_EQUAL(poll_one(reply, NN_POLLIN | NN_POLLOUT, limit_ms()), NN_POLLOUT);
    CHECK_EQUAL(poll_one(request, NN_POLLIN, 0), 0);
    CHECK_SENDS(reply, "!");
    CHECK_EQUAL(poll_one(reply, NN_POLLIN | NN_POLLOUT, 0), 0);
    CHECK_EQUAL(poll_one(request, NN_POLLIN, limit_ms()), NN_POLLIN);
}

TEST(a_message_without_a_subscription_makes_nothing_readable)
{
    const char *address = test_inproc_address();
    int pub = test_socket_bound(NN_PUB, address);
    int sub = test_socket_connected(NN_SUB, address);

    CHECK_OK(nn_setsockopt(sub, NN_SUB, NN_SUB_SUBSCRIBE, "a", 1));
    WAIT_PEERS(pub, 1);
    CHECK_SENDS(pub, "banana");
    CHECK_EQUAL(poll_one(sub, NN_POLLIN, 50), 0);
    CHECK_SENDS(pub, "apple");
    CHECK_EQUAL(poll_one(sub, NN_POLLIN, limit_ms()), NN_POLLIN);
}

TEST(entries_are_counted_and_each_has_its_own_result)
{
    const char *address = test_inproc_address();
    int first = test_socket_bound(NN_PAIR, address);
    int second = test_socket_connected(NN_PAIR, address);
    int alone = SOCKET(NN_PAIR);

    WAIT_PEERS(first, 1);
    WAIT_PEERS(second, 1);
    CHECK_SENDS(first, "x");
    CHECK_EQUAL(poll_one(second, NN_POLLIN, limit_ms()), NN_POLLIN);

    struct nn_pollfd entries[] = {
        {second, NN_POLLIN | NN_POLLOUT, UNTOUCHED},
        {alone, NN_POLLIN | NN_POLLOUT, UNTOUCHED},
        {first, NN_POLLOUT, UNTOUCHED},
        {second, NN_POLLIN, UNTOUCHED},
        {second, 0, UNTOUCHED},
        {-1, 0, UNTOUCHED},
    };
    static const short expected[] = {NN_POLLIN | NN_POLLOUT, 0, NN_POLLOUT, NN_POLLIN, 0, 0};
    CHECK_EQUAL(CHECK_OK(nn_poll(entries, COUNT_OF(entries), 0)), 3);
    for (size_t i = 0; i < COUNT_OF(entries); i++) {
        CHECK_EQUAL(entries[i].revents, expected[i]);
        CHECK(entries[i].events != UNTOUCHED);
    }
}

TEST(many_sockets_can_be_polled)
{
    enum { MANY = 100 };
    struct nn_pollfd entries[MANY];
    const char *address = test_inproc_address();
    int push = test_socket_bound(NN_PUSH, address);

    for (int i = 0; i < MANY; i++)
        entries[i] = (struct nn_pollfd){.fd = SOCKET(NN_PULL), .events = NN_POLLIN};
    CHECK_OK(nn_connect(entries[MANY - 1].fd, address));
    CHECK_SENDS(push, "x");
    CHECK_EQUAL(CHECK_OK(nn_poll(entries, MANY, limit_ms())), 1);
    CHECK_EQUAL(entries[MANY - 1].revents, NN_POLLIN);
    CHECK_EQUAL(entries[0].revents, 0);
}

/* ---- Time ---- */

TEST(a_timeout_is_kept_and_leaves_the_results)
{
    struct nn_pollfd entry = {.fd = SOCKET(NN_PAIR), .events = NN_POLLIN, .revents = UNTOUCHED};
    int64_t start_ms = test_now_ms();

    CHECK_EQUAL(CHECK_OK(nn_poll(&entry, 1, 0)), 0);
    CHECK_EQUAL(CHECK_OK(nn_poll(&entry, 1, 60)), 0);
    CHECK(test_now_ms() - start_ms >= 60);
    CHECK_EQUAL(entry.revents, UNTOUCHED);
}

TEST(no_entry_at_all_is_a_sleep)
{
    int64_t start_ms = test_now_ms();

    test_allow_open("anon_inode:[eventfd]"); /* a thread keeps what it sleeps on */
    CHECK_EQUAL(CHECK_OK(nn_poll(NULL, 0, 40)), 0);
    CHECK(test_now_ms() - start_ms >= 40);
}

struct action {
    int s;
    void (*run)(int s);
};

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

TEST_OVER_TRANSPORTS(waiting_without_limit_ends_with_a_message)
{
    const char *address = new_address();
    struct action action = {test_socket_bound(NN_PUSH, address), send_one};
    int pull = test_socket_connected(NN_PULL, address);
    struct test_thread *thread = test_thread_start(run_action, &action);

    CHECK_EQUAL(poll_one(pull, NN_POLLIN, -1), NN_POLLIN);
    test_thread_join(thread);
}

/* ---- Errors ---- */

TEST(a_bad_descriptor_is_EBADF_if_anything_is_asked_of_it)
{
    int s = SOCKET(NN_PUB);
    struct nn_pollfd entries[] = {{s, NN_POLLOUT, UNTOUCHED}, {s + 1, NN_POLLIN, UNTOUCHED}};

    CHECK_ERRNO(nn_poll(entries, 2, 0), EBADF);
    CHECK_EQUAL(entries[0].revents, UNTOUCHED);
    entries[1].events = 0;
    CHECK_EQUAL(CHECK_OK(nn_poll(entries, 2, 0)), 1);
}

TEST(a_direction_that_a_type_has_not_is_ENOPROTOOPT)
{
    struct nn_pollfd entry = {.fd = SOCKET(NN_PUB), .events = NN_POLLIN | NN_POLLOUT};

    CHECK_ERRNO(nn_poll(&entry, 1, 0), ENOPROTOOPT);
    entry.fd = SOCKET(NN_PULL);
    entry.events = NN_POLLOUT;
    CHECK_ERRNO(nn_poll(&entry, 1, 0), ENOPROTOOPT);
}

TEST(missing_entries_and_negative_counts_are_refused)
{
    struct nn_pollfd entry = {.fd = SOCKET(NN_PUB), .events = NN_POLLOUT};

    CHECK_ERRNO(nn_poll(NULL, 1, 0), EFAULT);
    CHECK_ERRNO(nn_poll(&entry, -1, 0), EINVAL);
}

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
    struct action action = {SOCKET(NN_PAIR), close_one};
    struct nn_pollfd entries[] = {{SOCKET(NN_PAIR), NN_POLLIN, 0}, {action.s, NN_POLLIN | NN_POLLOUT, 0}};
    struct test_thread *thread = test_thread_start(run_action, &action);

    CHECK_ERRNO(nn_poll(entries, 2, -1), EBADF);
    test_thread_join(thread);
}

TEST(termination_ends_waiting_with_EBADF)
{
    struct action action = {0, terminate};
    struct nn_pollfd entry = {.fd = SOCKET(NN_PAIR), .events = NN_POLLIN};
    struct test_thread *thread = test_thread_start(run_action, &action);

    CHECK_ERRNO(nn_poll(&entry, 1, -1), EBADF);
    test_thread_join(thread);
}

static void ignore_signal(int number)
{
    (void)number;
}

TEST(a_signal_that_is_handled_ends_waiting_with_EINTR)
{
    struct sigaction action = {.sa_handler = ignore_signal};
    /* Again and again, in case the first one comes before the wait. */
    struct itimerval often = {.it_interval = {.tv_usec = 20000}, .it_value = {.tv_usec = 20000}};
    struct itimerval never = {0};
    struct nn_pollfd entry = {.fd = SOCKET(NN_PAIR), .events = NN_POLLIN};

    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    CHECK_ERRNO(nn_poll(&entry, 1, -1), EINTR);
    setitimer(ITIMER_REAL, &never, NULL);
}

/* ---- Descriptors for other loops ---- */

static bool is_readable(int fd, int timeout_ms)
{
    struct pollfd entry = {.fd = fd, .events = POLLIN};

    return poll(&entry, 1, timeout_ms) == 1 && (entry.revents & POLLIN) != 0;
}

TEST_OVER_TRANSPORTS(the_descriptor_for_receiving_is_readable_while_a_message_waits)
{
    const char *address = new_address();
    int push = test_socket_bound(NN_PUSH, address);
    int pull = test_socket_connected(NN_PULL, address);
    int fd = test_get_int(pull, NN_SOL_SOCKET, NN_RCVFD);

    CHECK_EQUAL(test_get_int(pull, NN_SOL_SOCKET, NN_RCVFD), fd);
    CHECK(!is_readable(fd, 0));
    CHECK_SENDS(push, "first");
    CHECK_SENDS(push, "second");
    CHECK(is_readable(fd, limit_ms()));
    CHECK(is_readable(fd, 0));
    CHECK_RECEIVES(pull, "first");
    CHECK(is_readable(fd, limit_ms()));
    CHECK_RECEIVES(pull, "second");
    CHECK(!is_readable(fd, 0));
}

TEST_OVER_TRANSPORTS(the_descriptor_for_sending_is_readable_while_a_message_would_leave)
{
    const char *address = new_address();
    int push = test_socket_bound(NN_PUSH, address);
    int fd = test_get_int(push, NN_SOL_SOCKET, NN_SNDFD);

    CHECK(!is_readable(fd, 0));
    int pull = test_socket_connected(NN_PULL, address);
    CHECK(is_readable(fd, limit_ms()));
    CHECK_OK(nn_close(pull));
    WAIT_PEERS(push, 0);
    CHECK(!is_readable(fd, 0));
}

TEST(descriptors_that_are_asked_for_late_tell_what_is_so)
{
    const char *address = test_inproc_address();
    int first = test_socket_bound(NN_PAIR, address);
    int second = test_socket_connected(NN_PAIR, address);

    WAIT_PEERS(first, 1);
    CHECK_SENDS(first, "x");
    CHECK_EQUAL(poll_one(second, NN_POLLIN, limit_ms()), NN_POLLIN);
    int receive_fd = test_get_int(second, NN_SOL_SOCKET, NN_RCVFD);
    int send_fd = test_get_int(second, NN_SOL_SOCKET, NN_SNDFD);
    CHECK(receive_fd != send_fd);
    CHECK(is_readable(receive_fd, 0));
    CHECK(is_readable(send_fd, 0));
}
