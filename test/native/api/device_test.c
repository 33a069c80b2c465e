/* nn_device: forwarding between raw sockets, in both directions, in one, and back to where it came from. */
#include "sockets.h"

#include <nanomsg/bus.h>
#include <nanomsg/pair.h>
#include <nanomsg/pipeline.h>
#include <nanomsg/pubsub.h>
#include <nanomsg/reqrep.h>
#include <nanomsg/survey.h>

#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* A raw socket without the limits of test_socket, which would end the device. */
static int raw(int protocol)
{
    int s = (int)CHECK_OK(test_socket(AF_SP_RAW, protocol));

    SET_INT(s, NN_SOL_SOCKET, NN_SNDTIMEO, -1);
    SET_INT(s, NN_SOL_SOCKET, NN_RCVTIMEO, -1);
    return s;
}

struct device {
    int first;
    int second;
    int error;
    struct test_thread *thread;
    atomic_bool is_started; /* its thread is about to call nn_device */
};

static void run_device(void *argument)
{
    struct device *self = argument;

    atomic_store(&self->is_started, true);
    CHECK_EQUAL(nn_device(self->first, self->second), -1);
    self->error = nn_errno();
}

static struct device *device_start(int first, int second)
{
    struct device *self = calloc(1, sizeof *self);

    self->first = first;
    self->second = second;
    self->thread = test_thread_start(run_device, self);
    return self;
}

/* Ends the device by closing its sockets, and checks that it says so. */
static void device_end(struct device *self)
{
    CHECK_OK(nn_close(self->first));
    test_thread_join(self->thread);
    CHECK_EQUAL(self->error, EBADF);
    if (self->second >= 0 && self->second != self->first)
        CHECK_OK(nn_close(self->second));
    free(self);
}

static struct device *device_between(int first, const char *first_address, int second, const char *second_address)
{
    CHECK_OK(nn_bind(first, first_address));
    CHECK_OK(nn_bind(second, second_address));
    return device_start(first, second);
}

/* ---- Both directions ---- */

TEST_OVER_TRANSPORTS(requests_and_replies_find_their_way_through_a_device)
{
    const char *front = new_address();
    const char *back = new_address();
    struct device *device = device_between(raw(NN_REP), front, raw(NN_REQ), back);
    int first = test_socket_connected(NN_REQ, front);
    int second = test_socket_connected(NN_REQ, front);
    int reply = test_socket_connected(NN_REP, back);

    for (int round = 0; round < 3; round++) {
        CHECK_SENDS(first, "from the first");
        CHECK_RECEIVES(reply, "from the first");
        CHECK_SENDS(second, "from the second"); /* waits in the device */
        CHECK_SENDS(reply, "to the first");
        CHECK_RECEIVES(first, "to the first");
        CHECK_RECEIVES(reply, "from the second");
        CHECK_SENDS(reply, "to the second");
        CHECK_RECEIVES(second, "to the second");
    }
    device_end(device);
}

TEST(surveys_and_answers_find_their_way_through_a_device)
{
    const char *front = test_inproc_address();
    const char *back = test_inproc_address();
    struct device *device = device_between(raw(NN_RESPONDENT), front, raw(NN_SURVEYOR), back);
    int surveyor = test_socket_connected(NN_SURVEYOR, front);
    int first = test_socket_connected(NN_RESPONDENT, back);
    int second = test_socket_connected(NN_RESPONDENT, back);

    SET_INT(surveyor, NN_SURVEYOR, NN_SURVEYOR_DEADLINE, test_deadline_ms(8000));
    WAIT_PEERS(device->second, 2);
    CHECK_SENDS(surveyor, "?");
    CHECK_RECEIVES(first, "?");
    CHECK_RECEIVES(second, "?");
    CHECK_SENDS(first, "1");
    CHECK_RECEIVES(surveyor, "1");
    CHECK_SENDS(second, "2");
    CHECK_RECEIVES(surveyor, "2");
    device_end(device);
}

TEST(pairs_talk_through_a_device)
{
    const char *front = test_inproc_address();
    const char *back = test_inproc_address();
    struct device *device = device_between(raw(NN_PAIR), front, raw(NN_PAIR), back);
    int first = test_socket_connected(NN_PAIR, front);
    int second = test_socket_connected(NN_PAIR, back);

    CHECK_SENDS(first, "there");
    CHECK_SENDS(second, "back");
    CHECK_RECEIVES(second, "there");
    CHECK_RECEIVES(first, "back");
    device_end(device);
}

TEST(a_device_joins_two_buses)
{
    const char *front = test_inproc_address();
    const char *back = test_inproc_address();
    struct device *device = device_between(raw(NN_BUS), front, raw(NN_BUS), back);
    int first = test_socket_connected(NN_BUS, front);
    int second = test_socket_connected(NN_BUS, back);

    WAIT_PEERS(device->first, 1);
    WAIT_PEERS(device->second, 1);
    CHECK_SENDS(first, "there");
    CHECK_RECEIVES(second, "there");
    CHECK_SENDS(second, "back");
    CHECK_RECEIVES(first, "back");
    CHECK_SILENT(second);
    device_end(device);
}

/* What cannot be passed on waits, and does not hold up the other direction. */
TEST(a_direction_that_is_blocked_leaves_the_other_one_free)
{
    static uint8_t body[50000];
    const char *front = test_inproc_address();
    const char *back = test_inproc_address();
    struct device *device = device_between(raw(NN_PAIR), front, raw(NN_PAIR), back);
    int first = test_socket_connected(NN_PAIR, front);
    int second = test_socket_connected(NN_PAIR, back);
    int sent = 0;

    WAIT_PEERS(device->first, 1);
    WAIT_PEERS(device->second, 1);
    SET_INT(first, NN_SOL_SOCKET, NN_SNDTIMEO, 100);
    while (nn_send(first, body, sizeof body, 0) >= 0)
        sent++;
    CHECK_EQUAL(nn_errno(), ETIMEDOUT);
    CHECK(sent > 0);
    CHECK_SENDS(second, "back");
    CHECK_RECEIVES(first, "back");
    while (sent-- > 0)
        CHECK_EQUAL(CHECK_OK(nn_recv(second, body, sizeof body, 0)), sizeof body);
    device_end(device);
}

TEST(a_chain_of_devices_is_limited_by_NN_MAXTTL)
{
    enum { LINKS = 3 };
    const char *addresses[LINKS + 1];
    struct device *devices[LINKS];

    for (int i = 0; i <= LINKS; i++)
        addresses[i] = test_inproc_address();
    int reply = test_socket_bound(NN_REP, addresses[LINKS]);
    for (int i = 0; i < LINKS; i++) {
        int front = raw(NN_REP);
        int back = raw(NN_REQ);
        CHECK_OK(nn_bind(front, addresses[i]));
        CHECK_OK(nn_connect(back, addresses[i + 1]));
        devices[i] = device_start(front, back);
    }
    int request = test_socket_connected(NN_REQ, addresses[0]);

    SET_INT(reply, NN_SOL_SOCKET, NN_MAXTTL, LINKS);
    CHECK_SENDS(request, "too far");
    CHECK_SILENT(reply);
    SET_INT(reply, NN_SOL_SOCKET, NN_MAXTTL, LINKS + 1);
    CHECK_SENDS(request, "?");
    CHECK_RECEIVES(reply, "?");
    CHECK_SENDS(reply, "!");
    CHECK_RECEIVES(request, "!");
    for (int i = 0; i < LINKS; i++)
        device_end(devices[i]);
}

/* ---- One direction ---- */

TEST_OVER_TRANSPORTS(work_is_passed_on_in_order)
{
    const char *front = new_address();
    const char *back = new_address();
    struct device *device = device_between(raw(NN_PULL), front, raw(NN_PUSH), back);
    int push = test_socket_connected(NN_PUSH, front);
    int pull = test_socket_connected(NN_PULL, back);

    for (char letter = 'a'; letter <= 'z'; letter++)
        CHECK_EQUAL(CHECK_OK(nn_send(push, &letter, 1, 0)), 1);
    for (char letter = 'a'; letter <= 'z'; letter++) {
        char text[] = {letter, '\0'};
        CHECK_RECEIVES(pull, text);
    }
    device_end(device);
}

TEST(the_sockets_of_one_direction_can_be_given_in_any_order)
{
    const char *front = test_inproc_address();
    const char *back = test_inproc_address();
    struct device *device = device_between(raw(NN_PUSH), back, raw(NN_PULL), front);
    int push = test_socket_connected(NN_PUSH, front);
    int pull = test_socket_connected(NN_PULL, back);

    CHECK_SENDS(push, "work");
    CHECK_RECEIVES(pull, "work");
    device_end(device);
}

TEST(publications_are_passed_on_as_the_device_subscribes)
{
    const char *front = test_inproc_address();
    const char *back = test_inproc_address();
    int raw_sub = raw(NN_SUB);

    CHECK_OK(nn_setsockopt(raw_sub, NN_SUB, NN_SUB_SUBSCRIBE, "a", 1));
    struct device *device = device_between(raw_sub, front, raw(NN_PUB), back);
    int pub = test_socket_connected(NN_PUB, front);
    int sub = test_socket_connected(NN_SUB, back);
    CHECK_OK(nn_setsockopt(sub, NN_SUB, NN_SUB_SUBSCRIBE, "", 0));
    WAIT_PEERS(pub, 1);
    WAIT_PEERS(sub, 1);
    CHECK_SENDS(pub, "banana");
    CHECK_SENDS(pub, "apple");
    CHECK_RECEIVES(sub, "apple");
    device_end(device);
}

TEST(messages_of_any_size_pass_a_device)
{
    static uint8_t sent[700000];
    static uint8_t received[sizeof sent];
    static const size_t sizes[] = {0, 1, 5000, sizeof sent};
    const char *front = test_tcp_address();
    const char *back = test_tcp_address();
    struct device *device = device_between(raw(NN_PULL), front, raw(NN_PUSH), back);
    int push = test_socket_connected(NN_PUSH, front);
    int pull = test_socket_connected(NN_PULL, back);

    for (size_t i = 0; i < sizeof sent; i++)
        sent[i] = (uint8_t)(i * 31);
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        CHECK_EQUAL(CHECK_OK(nn_send(push, sent, sizes[i], 0)), sizes[i]);
        CHECK_EQUAL(CHECK_OK(nn_recv(pull, received, sizeof received, 0)), sizes[i]);
        CHECK_BYTES(received, sizes[i], sent, sizes[i]);
    }
    device_end(device);
}

/* ---- Loopback ---- */

TEST(a_loopback_sends_to_all_but_the_sender)
{
    const char *address = test_inproc_address();
    int hub = raw(NN_BUS);

    CHECK_OK(nn_bind(hub, address));
    struct device *device = device_start(hub, -1);
    int buses[3];
    for (size_t i = 0; i < COUNT_OF(buses); i++)
        buses[i] = test_socket_connected(NN_BUS, address);
    WAIT_PEERS(hub, 3);
    CHECK_SENDS(buses[0], "hello");
    CHECK_RECEIVES(buses[1], "hello");
    CHECK_RECEIVES(buses[2], "hello");
    CHECK_SILENT(buses[0]);
    device_end(device);
}

TEST(a_pair_that_loops_back_is_an_echo)
{
    const char *address = test_inproc_address();
    int echo = raw(NN_PAIR);

    CHECK_OK(nn_bind(echo, address));
    struct device *device = device_start(echo, -1);
    int pair = test_socket_connected(NN_PAIR, address);
    CHECK_SENDS(pair, "hello");
    CHECK_RECEIVES(pair, "hello");
    device_end(device);
}

/* ---- Errors and endings ---- */

TEST(a_device_without_a_socket_is_EBADF)
{
    int bus = raw(NN_BUS);

    CHECK_ERRNO(nn_device(-1, -1), EBADF);
    CHECK_ERRNO(nn_device(bus + 1, -1), EBADF);
    CHECK_ERRNO(nn_device(-1, bus + 1), EBADF);
    CHECK_ERRNO(nn_device(bus, bus + 1), EBADF);
    CHECK_ERRNO(nn_device(bus + 1, bus), EBADF);
}

TEST(sockets_that_do_not_fit_are_EINVAL)
{
    int cooked = SOCKET(NN_REQ);
    int request = raw(NN_REQ);

    CHECK_ERRNO(nn_device(cooked, raw(NN_REP)), EINVAL);
    CHECK_ERRNO(nn_device(raw(NN_REP), cooked), EINVAL);
    CHECK_ERRNO(nn_device(cooked, -1), EINVAL);
    CHECK_ERRNO(nn_device(request, raw(NN_PAIR)), EINVAL);
    CHECK_ERRNO(nn_device(raw(NN_PUSH), raw(NN_PUSH)), EINVAL);
    CHECK_ERRNO(nn_device(raw(NN_PULL), raw(NN_PULL)), EINVAL);
    CHECK_ERRNO(nn_device(raw(NN_PUB), raw(NN_PUB)), EINVAL);
    CHECK_ERRNO(nn_device(raw(NN_SUB), raw(NN_SUB)), EINVAL);
}

TEST(a_loopback_of_a_type_that_cannot_receive_is_ENOTSUP)
{
    CHECK_ERRNO(nn_device(raw(NN_PUSH), -1), ENOTSUP);
    CHECK_ERRNO(nn_device(-1, raw(NN_PUB)), ENOTSUP);
}

TEST(a_device_ends_when_either_socket_is_closed)
{
    for (int i = 0; i < 4; i++) {
        struct device device = {.first = raw(i < 2 ? NN_REP : NN_PULL), .second = raw(i < 2 ? NN_REQ : NN_PUSH)};
        device.thread = test_thread_start(run_device, &device);
        test_pause(0);
        CHECK_OK(nn_close(i % 2 == 0 ? device.first : device.second));
        test_thread_join(device.thread);
        CHECK_EQUAL(device.error, EBADF);
    }
}

/* Whenever the other thread closes it: before the device has looked at its type, or later. */
TEST(a_device_whose_socket_is_closed_as_it_starts_is_EBADF)
{
    for (int round = 0; round < 3000; round++) {
        int s = raw(NN_BUS);
        struct device device = {.first = s, .second = round % 2 == 0 ? -1 : s};
        struct test_thread *thread = test_thread_start(run_device, &device);
        while (!atomic_load(&device.is_started))
            sched_yield();
        CHECK_OK(nn_close(s));
        test_thread_join(thread);
        CHECK_EQUAL(device.error, EBADF);
    }
}

TEST(a_device_ends_with_termination)
{
    struct device device = {.first = raw(NN_REP), .second = raw(NN_REQ)};

    device.thread = test_thread_start(run_device, &device);
    test_pause(0);
    nn_term();
    test_thread_join(device.thread);
    CHECK_EQUAL(device.error, EBADF);
}

TEST(a_device_ends_when_a_socket_runs_into_its_timeout)
{
    int first = raw(NN_PULL);
    int second = raw(NN_PUSH);

    SET_INT(first, NN_SOL_SOCKET, NN_RCVTIMEO, 30);
    CHECK_ERRNO(nn_device(first, second), ETIMEDOUT);

    /* The message that it holds then is lost, as ever. */
    const char *address = test_inproc_address();
    CHECK_OK(nn_bind(first, address));
    int push = test_socket_connected(NN_PUSH, address);
    CHECK_SENDS(push, "work");
    SET_INT(first, NN_SOL_SOCKET, NN_RCVTIMEO, -1);
    SET_INT(second, NN_SOL_SOCKET, NN_SNDTIMEO, 30);
    CHECK_ERRNO(nn_device(first, second), ETIMEDOUT);
}

static void ignore_signal(int number)
{
    (void)number;
}

static void signal_often(void)
{
    struct sigaction action = {.sa_handler = ignore_signal};
    struct itimerval often = {.it_interval = {.tv_usec = 20000}, .it_value = {.tv_usec = 20000}};

    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
}

static void signal_no_more(void)
{
    struct itimerval never = {0};

    setitimer(ITIMER_REAL, &never, NULL);
}

TEST(a_signal_ends_a_device_of_one_direction_with_EINTR)
{
    int pull = raw(NN_PULL);
    int push = raw(NN_PUSH);
    int bus = raw(NN_BUS);

    signal_often();
    CHECK_ERRNO(nn_device(pull, push), EINTR);
    CHECK_ERRNO(nn_device(bus, -1), EINTR);
    signal_no_more();
}

TEST(a_signal_does_not_end_a_device_of_two_directions)
{
    int first = raw(NN_PAIR);
    int second = raw(NN_PAIR);

    SET_INT(first, NN_SOL_SOCKET, NN_RCVTIMEO, 120);
    SET_INT(second, NN_SOL_SOCKET, NN_RCVTIMEO, 120);
    signal_often();
    CHECK_ERRNO(nn_device(first, second), ETIMEDOUT);
    signal_no_more();
}
