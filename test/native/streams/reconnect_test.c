/* Connecting again: listeners that come later, go, and come back; how often it is tried. */
#include "raw_peer.h"
#include "sockets.h"

#include <nanomsg/bus.h>
#include <nanomsg/pair.h>
#include <nanomsg/pipeline.h>
#include <nanomsg/pubsub.h>
#include <nanomsg/reqrep.h>
#include <nanomsg/survey.h>

#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define CLIENTS 5

static int connected_with_intervals(int protocol, const char *address, int interval_ms, int max_ms)
{
    int s = SOCKET(protocol);

    SET_INT(s, NN_SOL_SOCKET, NN_RECONNECT_IVL, interval_ms);
    SET_INT(s, NN_SOL_SOCKET, NN_RECONNECT_IVL_MAX, max_ms);
    CHECK_OK(nn_connect(s, address));
    return s;
}

/* A connecting socket that gets the very port that it connects to is rare, but not rare enough for a client that tries
 * again and again. Here the kernel's choice is made for it. */
static atomic_bool takes_the_port_of_its_peer;

int connect(int fd, const struct sockaddr *address, socklen_t length)
{
    int yes = 1;

    if (atomic_load(&takes_the_port_of_its_peer)) {
        CHECK_OK(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes));
        CHECK_OK(bind(fd, address, length));
    }
    return (int)syscall(SYS_connect, fd, address, length);
}

/* ---- Listeners ---- */

TEST_OVER_TRANSPORTS(a_listener_may_come_later)
{
    const char *address = new_address();
    int clients[CLIENTS];

    for (int i = 0; i < CLIENTS; i++)
        clients[i] = connected_with_intervals(NN_PUSH, address, 10, 0);
    if (new_address != test_inproc_address)
        WAIT_STATISTIC_AT_LEAST(clients[0], NN_STAT_CONNECT_ERRORS, 3);
    CHECK_ERRNO(nn_send(clients[0], "x", 1, NN_DONTWAIT), EAGAIN);
    int pull = test_socket_bound(NN_PULL, address);
    for (int i = 0; i < CLIENTS; i++) {
        CHECK_SENDS(clients[i], "x");
        CHECK_RECEIVES(pull, "x");
    }
    WAIT_PEERS(pull, CLIENTS);
}

TEST_OVER_TRANSPORTS(clients_come_back_to_a_listener_that_was_restarted)
{
    const char *address = new_address();
    int clients[CLIENTS];
    char text[2] = "";

    for (int i = 0; i < CLIENTS; i++)
        clients[i] = connected_with_intervals(NN_REQ, address, 10, 0);
    for (int life = 0; life < 3; life++) {
        int rep = test_socket_bound(NN_REP, address);
        text[0] = (char)('0' + life);
        WAIT_PEERS(rep, CLIENTS);
        for (int i = 0; i < CLIENTS; i++) {
            CHECK_SENDS(clients[i], text);
            CHECK_RECEIVES(rep, text);
            CHECK_SENDS(rep, text);
            CHECK_RECEIVES(clients[i], text);
        }
        CHECK_OK(nn_close(rep));
        for (int i = 0; i < CLIENTS; i++)
            WAIT_PEERS(clients[i], 0);
    }
}

TEST_OVER_TRANSPORTS(an_endpoint_that_is_bound_again_is_found_again)
{
    const char *address = new_address();
    int pub = SOCKET(NN_PUB);
    int sub = connected_with_intervals(NN_SUB, address, 10, 0);

    CHECK_OK(nn_setsockopt(sub, NN_SUB, NN_SUB_SUBSCRIBE, "", 0));
    for (int i = 0; i < 3; i++) {
        int endpoint = (int)CHECK_OK(nn_bind(pub, address));
        WAIT_PEERS(pub, 1);
        CHECK_SENDS(pub, "x");
        CHECK_RECEIVES(sub, "x");
        CHECK_OK(nn_shutdown(pub, endpoint));
        WAIT_PEERS(sub, 0);
        CHECK_SENDS(pub, "to nobody");
    }
    CHECK_SILENT(sub);
}

TEST_OVER_TRANSPORTS(a_send_that_waits_goes_to_the_restarted_listener)
{
    const char *address = new_address();
    int push = connected_with_intervals(NN_PUSH, address, 10, 0);
    int pull = test_socket_bound(NN_PULL, address);

    CHECK_SENDS(push, "before");
    CHECK_RECEIVES(pull, "before");
    CHECK_OK(nn_close(pull));
    WAIT_PEERS(push, 0);
    CHECK_ERRNO(nn_send(push, "x", 1, NN_DONTWAIT), EAGAIN);
    pull = test_socket_bound(NN_PULL, address);
    CHECK_SENDS(push, "after");
    CHECK_RECEIVES(pull, "after");
}

TEST_OVER_TRANSPORTS(a_connection_that_was_shut_down_stays_so)
{
    const char *address = new_address();
    int s = SOCKET(NN_PUSH);
    int pull = test_socket_bound(NN_PULL, address);

    SET_INT(s, NN_SOL_SOCKET, NN_RECONNECT_IVL, 1);
    int endpoint = (int)CHECK_OK(nn_connect(s, address));
    WAIT_PEERS(pull, 1);
    CHECK_OK(nn_shutdown(s, endpoint));
    WAIT_PEERS(pull, 0);
    CHECK_SILENT(pull);
    CHECK_EQUAL(nn_get_statistic(pull, NN_STAT_CURRENT_CONNECTIONS), 0);
    CHECK_EQUAL(nn_get_statistic(pull, NN_STAT_ACCEPTED_CONNECTIONS), 1);
}

/* ---- Intervals ---- */

/* Accepts a connection and closes it at once. Returns when it came. */
static int64_t turn_away(int listener)
{
    int fd = raw_accept(listener);
    int64_t now_ms = test_now_ms();

    close(fd);
    return now_ms;
}

/* The clocks of both sides are read in whole milliseconds. */
#define ROUNDING_MS 1

/* Checks that each delay is long enough, and returns the sum of them. */
static int64_t check_delays(const char *address, int interval_ms, int max_ms, const int *least_ms, size_t count)
{
    int listener = raw_listen(address);
    int s = connected_with_intervals(NN_PAIR, address, interval_ms, max_ms);
    int64_t first_ms = turn_away(listener);
    int64_t before_ms = first_ms;

    for (size_t i = 0; i < count; i++) {
        int64_t now_ms = turn_away(listener);
        CHECK(now_ms - before_ms + ROUNDING_MS >= least_ms[i]);
        before_ms = now_ms;
    }
    CHECK_OK(nn_close(s));
    close(listener);
    return before_ms - first_ms;
}

TEST(the_delay_is_NN_RECONNECT_IVL_after_a_first_attempt_at_once)
{
    static const int least_ms[] = {0, 30, 30, 30};

    check_delays(test_tcp_address(), 30, 0, least_ms, COUNT_OF(least_ms));
    check_delays(test_ipc_address(), 30, 0, least_ms, COUNT_OF(least_ms));
}

/* Each is any time between the interval and what it has become, by chance: together they are longer than they could be
 * without growing, but for one time in a million. */
TEST(the_delay_grows_up_to_NN_RECONNECT_IVL_MAX_by_chance)
{
    static const int least_ms[17] = {0, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10};

    CHECK(check_delays(test_tcp_address(), 10, 100, least_ms, COUNT_OF(least_ms)) > 250);
    CHECK(check_delays(test_ipc_address(), 10, 100, least_ms, COUNT_OF(least_ms)) > 250);
}

/* The twelfth attempt would come after twenty seconds if the delay went on doubling. */
TEST(the_delay_grows_no_further_than_its_maximum)
{
    static const int least_ms[12] = {0};

    check_delays(test_tcp_address(), 10, 40, least_ms, COUNT_OF(least_ms));
    check_delays(test_tcp_address(), 10, 0, least_ms, COUNT_OF(least_ms));
    check_delays(test_tcp_address(), 10, 5, least_ms, COUNT_OF(least_ms)); /* a maximum below the interval */
}

TEST(intervals_are_those_of_the_time_of_connecting)
{
    const char *address = test_tcp_address();
    int s = connected_with_intervals(NN_PAIR, address, 10, 0);

    SET_INT(s, NN_SOL_SOCKET, NN_RECONNECT_IVL, 600000);
    SET_INT(s, NN_SOL_SOCKET, NN_RECONNECT_IVL_MAX, 600000);
    WAIT_STATISTIC_AT_LEAST(s, NN_STAT_CONNECT_ERRORS, 5);
}

TEST(an_interval_of_0_does_not_spin)
{
    int64_t start_ms = test_now_ms();
    int s = connected_with_intervals(NN_PAIR, test_tcp_address(), 0, 0);

    WAIT_STATISTIC_AT_LEAST(s, NN_STAT_CONNECT_ERRORS, 20);
    int64_t count = (int64_t)nn_get_statistic(s, NN_STAT_CONNECT_ERRORS);
    /* The first two attempts follow each other at once; then at least a millisecond passes. */
    CHECK(count <= test_now_ms() - start_ms + ROUNDING_MS + 2);
}

TEST(an_interval_of_0_grows_too_when_there_is_a_maximum)
{
    static const int least_ms[17] = {0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};

    CHECK(check_delays(test_tcp_address(), 0, 100, least_ms, COUNT_OF(least_ms)) > 100);
}

TEST(a_connection_to_itself_is_none)
{
    const char *address = test_tcp_address();

    atomic_store(&takes_the_port_of_its_peer, true);
    int s = connected_with_intervals(NN_PAIR, address, 1, 0);
    WAIT_STATISTIC_AT_LEAST(s, NN_STAT_CONNECT_ERRORS, 3);
    CHECK_ERRNO(nn_send(s, "to myself", 9, NN_DONTWAIT), EAGAIN);
    CHECK_EQUAL(nn_get_statistic(s, NN_STAT_ESTABLISHED_CONNECTIONS), 0);
    atomic_store(&takes_the_port_of_its_peer, false);
    int peer = test_socket_bound(NN_PAIR, address);
    CHECK_SENDS(s, "to a peer");
    CHECK_RECEIVES(peer, "to a peer");
}

/* ---- What resets the delay ---- */

/* Lets a connection live for some while, with a message that proves it is used. */
static void receive_from(int listener, const char *address, int s)
{
    int fd = raw_accept(listener);

    raw_expect_handshake(fd, NN_PAIR);
    raw_send_handshake(fd, NN_PAIR);
    WAIT_PEERS(s, 1);
    raw_send_message(fd, address, "hello", 5);
    CHECK_RECEIVES(s, "hello");
    int64_t deadline_ms = test_now_ms() + 20;
    while (!test_pause(deadline_ms))
        ;
    close(fd);
}

TEST(a_connection_that_was_used_is_followed_by_the_next_at_once)
{
    const char *address = test_tcp_address();
    int listener = raw_listen(address);
    int s = connected_with_intervals(NN_PAIR, address, 10, 100000);
    int64_t before_ms = 0;
    int64_t now_ms = 0;

    for (int i = 0; i < 8; i++) {
        before_ms = now_ms;
        now_ms = turn_away(listener);
    }
    int64_t last_delay_ms = now_ms - before_ms; /* about 640 ms, and the next would be twice as long */
    receive_from(listener, address, s);
    int64_t start_ms = test_now_ms();
    turn_away(listener);
    CHECK(test_now_ms() - start_ms < last_delay_ms);
    close(listener);
}

/* ---- The side that ends ---- */

TEST(statistics_tell_of_attempts_and_connections)
{
    const char *address = test_tcp_address();
    int s = connected_with_intervals(NN_PULL, address, 10, 0);

    WAIT_STATISTIC_AT_LEAST(s, NN_STAT_CONNECT_ERRORS, 2);
    WAIT_STATISTIC(s, NN_STAT_CURRENT_EP_ERRORS, 1);
    CHECK_EQUAL(nn_get_statistic(s, NN_STAT_ESTABLISHED_CONNECTIONS), 0);
    int push = test_socket_bound(NN_PUSH, address);
    WAIT_PEERS(s, 1);
    WAIT_PEERS(push, 1);
    CHECK_EQUAL(nn_get_statistic(s, NN_STAT_ESTABLISHED_CONNECTIONS), 1);
    CHECK_EQUAL(nn_get_statistic(push, NN_STAT_ACCEPTED_CONNECTIONS), 1);
    CHECK_EQUAL(nn_get_statistic(s, NN_STAT_CURRENT_EP_ERRORS), 0);
    CHECK_EQUAL(nn_get_statistic(s, NN_STAT_BROKEN_CONNECTIONS), 0);
    CHECK_OK(nn_close(push));
    WAIT_PEERS(s, 0);
    CHECK_EQUAL(nn_get_statistic(s, NN_STAT_BROKEN_CONNECTIONS), 1);
    WAIT_STATISTIC(s, NN_STAT_CURRENT_EP_ERRORS, 1);
}

TEST_OVER_TRANSPORTS(every_type_comes_back)
{
    static const struct {
        int client;
        int server;
    } types[] = {{NN_PAIR, NN_PAIR},
                 {NN_BUS, NN_BUS},
                 {NN_PUSH, NN_PULL},
                 {NN_PULL, NN_PUSH},
                 {NN_PUB, NN_SUB},
                 {NN_SUB, NN_PUB},
                 {NN_REQ, NN_REP},
                 {NN_REP, NN_REQ},
                 {NN_SURVEYOR, NN_RESPONDENT},
                 {NN_RESPONDENT, NN_SURVEYOR}};

    for (size_t i = 0; i < COUNT_OF(types); i++) {
        const char *address = new_address();
        int client = connected_with_intervals(types[i].client, address, 5, 0);
        for (int life = 0; life < 2; life++) {
            int server = test_socket_bound(types[i].server, address);
            WAIT_PEERS(server, 1);
            WAIT_PEERS(client, 1);
            CHECK_OK(nn_close(server));
            WAIT_PEERS(client, 0);
        }
        CHECK_OK(nn_close(client));
    }
}
