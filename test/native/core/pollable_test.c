/* NN_RCVFD and NN_SNDFD for other people's loops: readable by poll(2) exactly when nn_recv or nn_send would not
 * have to wait, and made only when asked for. */
#include "sockets.h"

#include <nanomsg/bus.h>
#include <nanomsg/pair.h>
#include <nanomsg/pipeline.h>
#include <nanomsg/pubsub.h>
#include <nanomsg/reqrep.h>
#include <nanomsg/survey.h>

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define LIMIT_MS 8000

static int receive_fd(int s)
{
    return test_get_int(s, NN_SOL_SOCKET, NN_RCVFD);
}

static int send_fd(int s)
{
    return test_get_int(s, NN_SOL_SOCKET, NN_SNDFD);
}

static bool is_readable_within(int fd, int timeout_ms)
{
    struct pollfd entry = {.fd = fd, .events = POLLIN};
    int rc = (int)CHECK_OK(poll(&entry, 1, timeout_ms));

    CHECK_EQUAL(entry.revents & ~POLLIN, 0);
    return rc == 1;
}

static bool is_readable(int fd)
{
    return is_readable_within(fd, 0);
}

static void wait_readable(int fd)
{
    CHECK(is_readable_within(fd, test_deadline_ms(LIMIT_MS)));
}

static void wait_unreadable(int fd)
{
    int64_t deadline_ms = test_wait_deadline();

    while (is_readable(fd))
        CHECK(!test_pause(deadline_ms));
}

/* ---- On demand ---- */

static int count_descriptors(void)
{
    DIR *directory = opendir("/proc/self/fd");
    int count = 0;

    CHECK(directory != NULL);
    while (readdir(directory) != NULL)
        count++;
    closedir(directory);
    return count;
}

TEST(a_socket_has_descriptors_only_when_they_are_asked_for)
{
    int first = SOCKET(NN_PAIR); /* starts the engine, which has descriptors of its own */
    int before = count_descriptors();
    int s = SOCKET(NN_PAIR);

    CHECK_EQUAL(count_descriptors(), before);
    int receiving = receive_fd(s);
    CHECK_EQUAL(count_descriptors(), before + 1);
    int sending = send_fd(s);
    CHECK_EQUAL(count_descriptors(), before + 2);
    CHECK(receiving != sending);
    CHECK_EQUAL(receive_fd(s), receiving);
    CHECK_EQUAL(send_fd(s), sending);
    CHECK(receive_fd(first) != receiving);
    CHECK_EQUAL(count_descriptors(), before + 3);
    CHECK(fcntl(receiving, F_GETFD) & FD_CLOEXEC);
    CHECK_OK(nn_close(s));
    CHECK_EQUAL(count_descriptors(), before + 1);
}

static void poll_until_ready(void *argument)
{
    struct pollfd *entry = argument;

    /* The call itself: a sanitizer would take the end of the descriptor, which is meant, for a mistake. */
    CHECK_EQUAL(CHECK_OK(syscall(SYS_ppoll, entry, 1, NULL, NULL, 0)), 1);
}

TEST(the_end_of_a_socket_ends_polling)
{
    for (int i = 0; i < 2; i++) {
        int s = SOCKET(NN_PAIR);
        struct pollfd entry = {.fd = i == 0 ? receive_fd(s) : send_fd(s), .events = POLLIN};
        struct test_thread *thread = test_thread_start(poll_until_ready, &entry);
        test_pause(0);
        CHECK_OK(nn_close(s));
        test_thread_join(thread);
        CHECK((entry.revents & ~(POLLIN | POLLNVAL)) == 0);
    }
}

/* ---- Each type ---- */

TEST(idle_sockets_are_ready_for_what_does_not_wait)
{
    enum { NO = 0, YES = 1, NONE };
    static const struct {
        int protocol;
        int receiving;
        int sending;
    } idle[] = {
        {NN_PAIR, NO, NO}, {NN_PUSH, NONE, NO}, {NN_PULL, NO, NONE}, {NN_PUB, NONE, YES},     {NN_SUB, NO, NONE},
        {NN_REQ, NO, YES}, {NN_REP, NO, NO},    {NN_BUS, NO, YES},   {NN_RESPONDENT, NO, NO}, {NN_SURVEYOR, YES, YES},
    };

    for (size_t i = 0; i < COUNT_OF(idle); i++) {
        int s = SOCKET(idle[i].protocol);
        if (idle[i].receiving != NONE)
            CHECK_EQUAL(is_readable(receive_fd(s)), idle[i].receiving);
        if (idle[i].sending != NONE)
            CHECK_EQUAL(is_readable(send_fd(s)), idle[i].sending);
    }
}

TEST_OVER_TRANSPORTS(a_pair_can_be_polled)
{
    const char *address = new_address();
    int one = test_socket_bound(NN_PAIR, address);
    int receiving = receive_fd(one);
    int sending = send_fd(one);
    int other = test_socket_connected(NN_PAIR, address);

    wait_readable(sending);
    CHECK(!is_readable(receiving));
    CHECK_SENDS(other, "first");
    CHECK_SENDS(other, "second");
    wait_readable(receiving);
    CHECK_RECEIVES(one, "first");
    wait_readable(receiving);
    CHECK_RECEIVES(one, "second");
    CHECK(!is_readable(receiving));
    CHECK_OK(nn_close(other));
    wait_unreadable(sending);
    CHECK(!is_readable(receiving));
}

TEST_OVER_TRANSPORTS(requests_and_replies_can_be_polled)
{
    const char *address = new_address();
    int rep = test_socket_bound(NN_REP, address);
    int req = test_socket_connected(NN_REQ, address);

    for (int i = 0; i < 3; i++) {
        CHECK(!is_readable(receive_fd(rep)));
        CHECK_SENDS(req, "?");
        CHECK(is_readable(send_fd(req))); /* another request would cancel this one */
        wait_readable(receive_fd(rep));
        CHECK(!is_readable(send_fd(rep)));
        CHECK_RECEIVES(rep, "?");
        CHECK(!is_readable(receive_fd(rep)));
        CHECK(is_readable(send_fd(rep)));
        CHECK(!is_readable(receive_fd(req)));
        CHECK_SENDS(rep, "!");
        CHECK(!is_readable(send_fd(rep)));
        wait_readable(receive_fd(req));
        CHECK_RECEIVES(req, "!");
        CHECK(!is_readable(receive_fd(req)));
    }
    CHECK_SENDS(req, "?");
    CHECK_RECEIVES(rep, "?");
    CHECK_SENDS(rep, "!");
    wait_readable(receive_fd(req));
    CHECK_SENDS(req, "cancels the reply");
    CHECK(!is_readable(receive_fd(req)));
}

TEST_OVER_TRANSPORTS(surveys_and_answers_can_be_polled)
{
    const char *address = new_address();
    int surveyor = test_socket_bound(NN_SURVEYOR, address);
    int respondent = test_socket_connected(NN_RESPONDENT, address);
    int receiving = receive_fd(surveyor);
    char byte;

    WAIT_PEERS(surveyor, 1);
    SET_INT(surveyor, NN_SURVEYOR, NN_SURVEYOR_DEADLINE, test_deadline_ms(2 * LIMIT_MS));
    CHECK_SENDS(surveyor, "?");
    CHECK(!is_readable(receiving));
    wait_readable(receive_fd(respondent));
    CHECK_RECEIVES(respondent, "?");
    CHECK(is_readable(send_fd(respondent)));
    CHECK_SENDS(respondent, "!");
    CHECK(!is_readable(send_fd(respondent)));
    wait_readable(receiving);
    CHECK_RECEIVES(surveyor, "!");
    CHECK(!is_readable(receiving));

    SET_INT(surveyor, NN_SURVEYOR, NN_SURVEYOR_DEADLINE, 30);
    CHECK_SENDS(surveyor, "?");
    wait_readable(receiving);
    CHECK_ERRNO(nn_recv(surveyor, &byte, 1, NN_DONTWAIT), ETIMEDOUT);
    CHECK(is_readable(receiving));
    CHECK_ERRNO(nn_recv(surveyor, &byte, 1, NN_DONTWAIT), EFSM);
}

TEST_OVER_TRANSPORTS(only_what_is_subscribed_makes_a_sub_readable)
{
    const char *address = new_address();
    int pub = test_socket_bound(NN_PUB, address);
    int sub = test_socket_connected(NN_SUB, address);
    int receiving = receive_fd(sub);

    test_settle();
    CHECK_OK(nn_setsockopt(sub, NN_SUB, NN_SUB_SUBSCRIBE, "a", 1));
    WAIT_PEERS(pub, 1);
    WAIT_PEERS(sub, 1);
    for (int i = 0; i < 10; i++)
        CHECK_SENDS(pub, "banana");
    test_settle();
    CHECK(!is_readable(receiving));
    CHECK_SENDS(pub, "apple");
    wait_readable(receiving);
    CHECK_OK(nn_setsockopt(sub, NN_SUB, NN_SUB_UNSUBSCRIBE, "a", 1));
    CHECK(!is_readable(receiving));
}

TEST_OVER_TRANSPORTS(a_bus_can_be_polled)
{
    const char *address = new_address();
    int one = test_socket_bound(NN_BUS, address);
    int other = test_socket_connected(NN_BUS, address);

    WAIT_PEERS(one, 1);
    CHECK_SENDS(one, "x");
    CHECK(!is_readable(receive_fd(one)));
    wait_readable(receive_fd(other));
    CHECK_RECEIVES(other, "x");
    CHECK(!is_readable(receive_fd(other)));
    CHECK(is_readable(send_fd(other)));
}

/* ---- Streams ---- */

#define STREAM 400
#define LARGEST_BYTES 60000

/* A number followed by a length that differs from message to message. */
static size_t body_length(int number)
{
    return sizeof number + (size_t)(number * 7919) % LARGEST_BYTES;
}

/* As a loop that polls would: never waits in nn_send, and takes EAGAIN for a mistake. */
static void send_when_ready(int s, int count)
{
    static uint8_t body[sizeof(int) + LARGEST_BYTES];
    int fd = send_fd(s);

    for (int i = 0; i < count; i++) {
        wait_readable(fd);
        memcpy(body, &i, sizeof i);
        CHECK_EQUAL(CHECK_OK(nn_send(s, body, body_length(i), NN_DONTWAIT)), body_length(i));
    }
}

static void receive_when_ready(int s, int count)
{
    static uint8_t body[sizeof(int) + LARGEST_BYTES];
    int fd = receive_fd(s);

    for (int i = 0; i < count; i++) {
        int number;
        wait_readable(fd);
        CHECK_EQUAL(CHECK_OK(nn_recv(s, body, sizeof body, NN_DONTWAIT)), body_length(i));
        memcpy(&number, body, sizeof number);
        CHECK_EQUAL(number, i);
    }
}

static void run_receiving(void *argument)
{
    const int *s = argument;

    receive_when_ready(*s, STREAM);
}

TEST_OVER_TRANSPORTS(a_stream_passes_two_loops_that_poll)
{
    const char *address = new_address();
    int push = test_socket_bound(NN_PUSH, address);
    int pull = test_socket_connected(NN_PULL, address);
    struct test_thread *thread = test_thread_start(run_receiving, &pull);

    send_when_ready(push, STREAM);
    test_thread_join(thread);
    CHECK(!is_readable(receive_fd(pull)));
}

/* One length each: a kernel may be full at the end of a message. */
TEST_OVER_TRANSPORTS(a_socket_that_is_ready_to_send_takes_a_message_of_any_size)
{
    static const size_t sizes[] = {0, 1, 1000, 4096, 16384, LARGEST_BYTES};
    static uint8_t body[LARGEST_BYTES];

    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        const char *address = new_address();
        int push = test_socket_bound(NN_PUSH, address);
        int pull = SOCKET(NN_PULL);
        SET_INT(pull, NN_SOL_SOCKET, NN_RCVBUF, 16384);
        SET_INT(push, NN_SOL_SOCKET, NN_SNDBUF, 16384);
        CHECK_OK(nn_connect(pull, address));
        wait_readable(send_fd(push));
        int count = 0;
        while (is_readable_within(send_fd(push), 20)) {
            CHECK_OK(nn_send(push, body, sizes[i], NN_DONTWAIT));
            CHECK(count++ < 200000);
        }
        for (; count > 0; count--)
            CHECK_EQUAL(CHECK_OK(nn_recv(pull, body, sizeof body, 0)), sizes[i]);
        CHECK_OK(nn_close(push));
        CHECK_OK(nn_close(pull));
    }
}
