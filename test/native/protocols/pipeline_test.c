/* PUSH and PULL between sockets: dealing out, priorities, back-pressure, taking turns. */
#include "sockets.h"

#include <nanomsg/pipeline.h>

#include <stdio.h>
#include <string.h>

#define LIMIT_MS 8000
#define BODY_BYTES 50000
#define WORKERS 3
#define ROUNDS 10

static int send_number(int push, int number, int flags)
{
    static uint8_t body[BODY_BYTES];

    memcpy(body, &number, sizeof number);
    return nn_send(push, body, sizeof body, flags);
}

/* Sends numbered bodies until the socket takes none for a while. Returns how many it took. */
static int fill(int push)
{
    int before = test_get_int(push, NN_SOL_SOCKET, NN_SNDTIMEO);
    int count = 0;

    SET_INT(push, NN_SOL_SOCKET, NN_SNDTIMEO, 20);
    while (send_number(push, count, 0) >= 0)
        count++;
    CHECK_EQUAL(nn_errno(), ETIMEDOUT);
    SET_INT(push, NN_SOL_SOCKET, NN_SNDTIMEO, before);
    return count;
}

static int receive_number(int pull)
{
    static uint8_t body[BODY_BYTES];
    int number;

    CHECK_EQUAL(CHECK_OK(nn_recv(pull, body, sizeof body, 0)), BODY_BYTES);
    memcpy(&number, body, sizeof number);
    return number;
}

/* ---- Dealing out ---- */

TEST_OVER_TRANSPORTS(work_is_dealt_out_in_turn)
{
    const char *address = new_address();
    int push = test_socket_bound(NN_PUSH, address);
    int pulls[WORKERS];
    char text[16];

    for (int i = 0; i < WORKERS; i++)
        pulls[i] = test_socket_connected(NN_PULL, address);
    WAIT_PEERS(push, WORKERS);
    for (int i = 0; i < WORKERS * ROUNDS; i++) {
        snprintf(text, sizeof text, "%d", i);
        CHECK_SENDS(push, text);
    }
    for (int i = 0; i < WORKERS; i++) {
        int number;
        CHECK_EQUAL(sscanf(RECEIVE_TEXT(pulls[i]), "%d", &number), 1);
        CHECK(number < WORKERS); /* each has one of the first */
        for (int round = 1; round < ROUNDS; round++) {
            snprintf(text, sizeof text, "%d", number + round * WORKERS);
            CHECK_RECEIVES(pulls[i], text);
        }
    }
}

/* What one of two pulls has got, in order. */
struct taken {
    int count;
    int first;
    int last;
};

static void take(int pull, struct taken *taken)
{
    int number = receive_number(pull);

    if (taken->count++ == 0)
        taken->first = number;
    else
        CHECK(number > taken->last);
    taken->last = number;
}

/* Sends until a pull has got some, from a number on. Returns the number after the last one. */
static int send_until_taken(int push, int sent, int pull, struct taken *taken, int count)
{
    int64_t deadline_ms = test_wait_deadline();

    while (taken->count < count) {
        if (send_number(push, sent, NN_DONTWAIT) >= 0)
            sent++;
        else
            CHECK_EQUAL(nn_errno(), EAGAIN);
        if (test_is_ready(pull, NN_POLLIN, 0))
            take(pull, taken);
        CHECK(test_now_ms() < deadline_ms);
    }
    return sent;
}

TEST_OVER_TRANSPORTS(a_worker_that_is_busy_does_not_hold_up_the_others)
{
    const char *address = new_address();
    int push = test_socket_bound(NN_PUSH, address);
    int busy = test_socket_connected(NN_PULL, address);
    struct taken taken = {0};

    WAIT_PEERS(push, 1);
    int first = fill(push);
    int pull = test_socket_connected(NN_PULL, address);
    WAIT_PEERS(push, 2);
    send_until_taken(push, first, pull, &taken, 50);
    CHECK_EQUAL(receive_number(busy), 0); /* it has not taken any meanwhile */
}

static int connect_pull(int push, int priority, const char *address)
{
    int pull = test_socket_bound(NN_PULL, address);

    SET_INT(push, NN_SOL_SOCKET, NN_SNDPRIO, priority);
    CHECK_OK(nn_connect(push, address));
    WAIT_PEERS(pull, 1);
    return pull;
}

static void check_uses(int push, int priority, int pull, const char *text)
{
    WAIT_STATISTIC(push, NN_STAT_CURRENT_SND_PRIORITY, (uint64_t)priority);
    for (int i = 0; i < 3; i++) {
        CHECK_SENDS(push, text);
        CHECK_RECEIVES(pull, text);
    }
}

TEST_OVER_TRANSPORTS(a_worse_NN_SNDPRIO_is_used_while_the_better_one_takes_nothing)
{
    int push = SOCKET(NN_PUSH);
    int better = connect_pull(push, 1, new_address());
    int worse = connect_pull(push, 2, new_address());
    struct taken from_worse = {0};
    struct taken from_better = {0};

    WAIT_PEERS(push, 2);
    check_uses(push, 1, better, "at first");
    int sent = send_until_taken(push, 0, worse, &from_worse, 3);
    while (from_worse.count + from_better.count < sent) {
        struct nn_pollfd entries[] = {{better, NN_POLLIN, 0}, {worse, NN_POLLIN, 0}};
        CHECK(CHECK_OK(nn_poll(entries, 2, test_deadline_ms(LIMIT_MS))) > 0);
        if (entries[0].revents != 0)
            take(better, &from_better);
        if (entries[1].revents != 0)
            take(worse, &from_worse);
    }
    CHECK_EQUAL(from_better.first, 0);
    CHECK(from_worse.first >= 3); /* no buffer is full before */
    check_uses(push, 1, better, "afterwards");
    CHECK_SILENT(worse);
}

TEST_OVER_TRANSPORTS(a_worse_NN_SNDPRIO_is_used_when_the_better_one_has_gone)
{
    int push = SOCKET(NN_PUSH);
    int worst = connect_pull(push, 16, new_address());
    int best = connect_pull(push, 1, new_address());
    int middle = connect_pull(push, 7, new_address());

    WAIT_PEERS(push, 3);
    check_uses(push, 1, best, "best");
    CHECK_OK(nn_close(best));
    check_uses(push, 7, middle, "middle");
    CHECK_OK(nn_close(middle));
    check_uses(push, 16, worst, "worst");
    CHECK_OK(nn_close(worst));
    WAIT_STATISTIC(push, NN_STAT_CURRENT_SND_PRIORITY, (uint64_t)-1);
    CHECK_ERRNO(nn_send(push, "x", 1, NN_DONTWAIT), EAGAIN);
}

TEST_OVER_TRANSPORTS(priorities_are_those_of_the_time_of_binding)
{
    const char *better_address = new_address();
    const char *worse_address = new_address();
    int push = SOCKET(NN_PUSH);

    SET_INT(push, NN_SOL_SOCKET, NN_SNDPRIO, 3);
    CHECK_OK(nn_bind(push, better_address));
    SET_INT(push, NN_SOL_SOCKET, NN_SNDPRIO, 4);
    CHECK_OK(nn_bind(push, worse_address));
    SET_INT(push, NN_SOL_SOCKET, NN_SNDPRIO, 1);
    int worse = test_socket_connected(NN_PULL, worse_address);
    WAIT_PEERS(push, 1);
    check_uses(push, 4, worse, "to the only one");
    int better = test_socket_connected(NN_PULL, better_address);
    WAIT_PEERS(push, 2);
    check_uses(push, 3, better, "to the better one");
}

/* ---- Back-pressure ---- */

TEST_OVER_TRANSPORTS(a_pull_that_does_not_receive_stops_the_push_and_nothing_is_lost)
{
    const char *address = new_address();
    int push = test_socket_connected(NN_PUSH, address);
    int pull = test_socket_bound(NN_PULL, address);
    int sent = 0;

    WAIT_PEERS(push, 1);
    for (int round = 0; round < 3; round++) {
        int count = fill(push);
        CHECK(count > 0);
        for (int i = 0; i < count; i++)
            CHECK_EQUAL(receive_number(pull), i);
        sent += count;
        CHECK(test_is_ready(push, NN_POLLOUT, test_deadline_ms(LIMIT_MS)));
    }
    CHECK_SILENT(pull);
    CHECK_EQUAL(nn_get_statistic(push, NN_STAT_MESSAGES_SENT), sent);
    CHECK_EQUAL(nn_get_statistic(pull, NN_STAT_MESSAGES_RECEIVED), sent);
}

static void pull_numbers(void *argument)
{
    const int *pull = argument;

    for (int i = 0; i < 200; i++)
        CHECK_EQUAL(receive_number(*pull), i);
}

TEST_OVER_TRANSPORTS(a_push_that_waits_goes_on_when_there_is_room)
{
    static uint8_t body[BODY_BYTES];
    const char *address = new_address();
    int push = test_socket_bound(NN_PUSH, address);
    int pull = test_socket_connected(NN_PULL, address);
    struct test_thread *thread = test_thread_start(pull_numbers, &pull);

    for (int i = 0; i < 200; i++) {
        memcpy(body, &i, sizeof i);
        CHECK_OK(nn_send(push, body, sizeof body, 0));
    }
    test_thread_join(thread);
}

/* ---- Taking turns ---- */

/* Pushes with one message more each than the rounds that are looked at, named by their first letter. */
static void start_pushes(const char *address)
{
    for (int i = 0; i < WORKERS; i++) {
        char text[2] = {(char)('a' + i), '\0'};
        int push = test_socket_connected(NN_PUSH, address);
        for (int j = 0; j <= ROUNDS; j++)
            CHECK_SENDS(push, text);
    }
}

TEST_OVER_TRANSPORTS(a_pull_takes_from_each_push_in_turn)
{
    const char *address = new_address();
    int pull = test_socket_bound(NN_PULL, address);

    test_settle();
    start_pushes(address);
    WAIT_PEERS(pull, WORKERS);
    for (int round = 0; round < ROUNDS; round++) {
        unsigned heard = 0;
        test_settle();
        for (int i = 0; i < WORKERS; i++)
            heard |= 1u << (*RECEIVE_TEXT(pull) - 'a');
        CHECK_EQUAL(heard, (1u << WORKERS) - 1);
    }
}

TEST_OVER_TRANSPORTS(a_pull_takes_from_a_better_NN_RCVPRIO_while_anything_is_there)
{
    static const struct {
        int priority;
        const char *text;
    } endpoints[] = {{8, "middle"}, {16, "worst"}, {1, "best"}};
    static const char *const expected[] = {"best", "best", "middle", "middle", "worst", "worst"};
    int pull = SOCKET(NN_PULL);

    test_settle();
    for (size_t i = 0; i < 3; i++) {
        const char *address = new_address();
        SET_INT(pull, NN_SOL_SOCKET, NN_RCVPRIO, endpoints[i].priority);
        CHECK_OK(nn_bind(pull, address));
        int push = test_socket_connected(NN_PUSH, address);
        CHECK_SENDS(push, endpoints[i].text);
        CHECK_SENDS(push, endpoints[i].text);
    }
    WAIT_PEERS(pull, 3);
    for (size_t i = 0; i < 6; i++) {
        test_settle();
        CHECK_RECEIVES(pull, expected[i]);
    }
}
