/* Limits of connections: in all, for an endpoint, from an address, and of handshakes. A peer that is one too many is
 * disconnected, and what is counted is exact whatever ends a connection. */
#include "raw_peer.h"
#include "sockets.h"
#include "ws_peer.h"

#include <nanomsg/limits.h>
#include <nanomsg/loop.h>
#include <nanomsg/pipeline.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int limited(const char *address, int option, int limit)
{
    int pull = SOCKET(NN_PULL);

    SET_INT(pull, NN_SOL_SOCKET, option, limit);
    CHECK_OK(nn_bind(pull, address));
    return pull;
}

static int admitted(const char *address)
{
    return raw_connect_admitted(address, NN_PUSH, NN_PULL);
}

static void expect_rejected(const char *address)
{
    int fd = raw_connect(address);

    CHECK(raw_is_closed(fd));
    close(fd);
}

static void expect_none_left(int s)
{
    WAIT_STATISTIC(s, NN_STAT_PEER_CONNECTIONS, 0);
    WAIT_STATISTIC(s, NN_STAT_HANDSHAKES, 0);
    WAIT_PEERS(s, 0);
}

TEST_OVER_STREAMS(a_socket_has_no_more_connections_than_it_may_have)
{
    const char *address = new_address();
    int pull = limited(address, NN_MAX_CONNECTIONS, 2);
    int first = admitted(address);
    int second = admitted(address);

    expect_rejected(address);
    CHECK_EQUAL(nn_get_statistic(pull, NN_STAT_REJECTED_CONNECTIONS), 1);
    CHECK_EQUAL(nn_get_statistic(pull, NN_STAT_PEER_CONNECTIONS), 2);
    close(first);
    WAIT_STATISTIC(pull, NN_STAT_PEER_CONNECTIONS, 1);
    int third = admitted(address);
    close(second);
    close(third);
    expect_none_left(pull);
}

TEST(a_limit_may_change_and_those_that_are_there_stay)
{
    const char *address = test_tcp_address();
    int pull = limited(address, NN_MAX_CONNECTIONS, -1);
    int first = admitted(address);
    int second = admitted(address);

    SET_INT(pull, NN_SOL_SOCKET, NN_MAX_CONNECTIONS, 1);
    expect_rejected(address);
    raw_send_message(first, address, "first", 5);
    CHECK_RECEIVES(pull, "first");
    raw_send_message(second, address, "second", 6);
    CHECK_RECEIVES(pull, "second");
    close(first);
    close(second);
    expect_none_left(pull);
}

TEST(each_endpoint_has_its_own_limit)
{
    const char *one = test_tcp_address();
    const char *other = test_tcp_address();
    int pull = limited(one, NN_MAX_CONNECTIONS_PER_ENDPOINT, 1);

    SET_INT(pull, NN_SOL_SOCKET, NN_MAX_CONNECTIONS_PER_ENDPOINT, 2);
    CHECK_OK(nn_bind(pull, other));
    int fds[3] = {admitted(one), admitted(other), admitted(other)};
    expect_rejected(one);
    expect_rejected(other);
    for (int i = 0; i < 3; i++)
        close(fds[i]);
    expect_none_left(pull);
}

/* ---- Addresses ---- */

static int connect_from(const char *source, const char *address)
{
    struct sockaddr_in from = {.sin_family = AF_INET};
    int fd = raw_open(address);

    CHECK_EQUAL(inet_pton(AF_INET, source, &from.sin_addr), 1);
    CHECK_OK(bind(fd, (struct sockaddr *)&from, sizeof from));
    raw_connect_opened(fd, address);
    return fd;
}

TEST(connections_from_one_address_are_limited_and_others_get_in)
{
    const char *address = test_localhost_address();
    int pull = limited(address, NN_MAX_CONNECTIONS_PER_ADDRESS, 2);
    int fds[4];

    fds[0] = connect_from("127.0.0.1", address);
    fds[1] = connect_from("127.0.0.1", address);
    fds[2] = connect_from("127.0.0.1", address);
    CHECK(raw_is_closed(fds[2]));
    close(fds[2]);
    fds[2] = connect_from("127.0.0.2", address);
    fds[3] = connect_from("127.0.0.3", address);
    for (int i = 0; i < 4; i++) {
        raw_send_handshake(fds[i], NN_PUSH);
        raw_expect_handshake(fds[i], NN_PULL);
    }
    close(fds[0]);
    WAIT_STATISTIC(pull, NN_STAT_PEER_CONNECTIONS, 3);
    fds[0] = connect_from("127.0.0.1", address);
    raw_expect_handshake(fds[0], NN_PULL);
    for (int i = 0; i < 4; i++)
        close(fds[i]);
    expect_none_left(pull);
}

/* A listener for both families sees peers of IPv4 as addresses of IPv6. */
TEST(mapped_addresses_of_ipv4_are_those_of_ipv4)
{
    const char *localhost = test_localhost_address();
    int pull = SOCKET(NN_PULL);
    char both[64];

    snprintf(both, sizeof both, "tcp://*%s", strrchr(localhost, ':'));
    SET_INT(pull, NN_SOL_SOCKET, NN_IPV4ONLY, 0);
    SET_INT(pull, NN_SOL_SOCKET, NN_MAX_CONNECTIONS_PER_ADDRESS, 1);
    CHECK_OK(nn_bind(pull, both));
    int first = connect_from("127.0.0.1", localhost);
    raw_expect_handshake(first, NN_PULL);
    int second = connect_from("127.0.0.2", localhost);
    raw_expect_handshake(second, NN_PULL);
    int third = connect_from("127.0.0.2", localhost);
    CHECK(raw_is_closed(third));
    close(first);
    close(second);
    close(third);
    expect_none_left(pull);
}

TEST(many_addresses_are_counted_and_forgotten)
{
    const char *address = test_localhost_address();
    int pull = limited(address, NN_MAX_CONNECTIONS_PER_ADDRESS, 1);
    int fds[100];
    char source[32];

    for (int i = 0; i < 100; i++) {
        snprintf(source, sizeof source, "127.0.%d.1", i + 1);
        fds[i] = connect_from(source, address);
        raw_send_handshake(fds[i], NN_PUSH);
    }
    WAIT_PEERS(pull, 100);
    CHECK_EQUAL(nn_get_statistic(pull, NN_STAT_REJECTED_CONNECTIONS), 0);
    for (int i = 99; i >= 0; i -= 1)
        close(fds[(i * 37) % 100]);
    expect_none_left(pull);
}

/* ---- Handshakes ---- */

TEST_OVER_STREAMS(the_oldest_handshake_gives_way)
{
    const char *address = new_address();
    int pull = limited(address, NN_MAX_HANDSHAKES, 3);
    int silent[3];

    for (int i = 0; i < 3; i++) {
        silent[i] = raw_connect(address);
        WAIT_STATISTIC(pull, NN_STAT_HANDSHAKES, (uint64_t)i + 1);
    }
    int honest = admitted(address);
    CHECK(raw_is_closed(silent[0]));
    CHECK_EQUAL(nn_get_statistic(pull, NN_STAT_REJECTED_CONNECTIONS), 1);
    raw_send_handshake(silent[2], NN_PUSH);
    raw_expect_handshake(silent[2], NN_PULL);
    WAIT_PEERS(pull, 2);
    for (int i = 0; i < 3; i++)
        close(silent[i]);
    close(honest);
    expect_none_left(pull);
}

static void check_silent_give_way(const char *address, int limit)
{
    int pull = limited(address, limit, 2);
    int first = admitted(address);
    int silent = raw_connect(address);

    WAIT_STATISTIC(pull, NN_STAT_HANDSHAKES, 1);
    for (int64_t old = test_now_ms() + 100; test_now_ms() < old;)
        test_pause(old);
    int second = admitted(address);
    CHECK(raw_is_closed(silent));
    WAIT_PEERS(pull, 2);
    int third = raw_connect(address);
    CHECK(raw_is_closed(third));
    close(first);
    close(silent);
    close(second);
    close(third);
    expect_none_left(pull);
}

TEST_OVER_STREAMS(strangers_that_say_nothing_do_not_use_up_the_connections)
{
    check_silent_give_way(new_address(), NN_MAX_CONNECTIONS);
    check_silent_give_way(new_address(), NN_MAX_CONNECTIONS_PER_ENDPOINT);
}

TEST(many_that_come_at_once_do_not_push_each_other_out)
{
    const char *address = test_tcp_address();
    int pull = limited(address, NN_MAX_HANDSHAKES, 4);
    int fds[64];

    for (int i = 0; i < 64; i++) {
        fds[i] = raw_connect(address);
        raw_send_handshake(fds[i], NN_PUSH);
    }
    WAIT_PEERS(pull, 64);
    CHECK_EQUAL(nn_get_statistic(pull, NN_STAT_REJECTED_CONNECTIONS), 0);
    for (int i = 0; i < 64; i++)
        close(fds[i]);
    expect_none_left(pull);
}

/* ---- Ends ---- */

TEST_OVER_STREAMS(every_end_of_a_connection_is_counted_once)
{
    const char *address = new_address();
    int pull = limited(address, NN_MAX_CONNECTIONS, 8);
    int fds[8];

    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < 8; i++)
            fds[i] = i % 2 == 0 ? admitted(address) : raw_connect(address);
        WAIT_STATISTIC(pull, NN_STAT_PEER_CONNECTIONS, 8);
        raw_send_prefix(fds[0], address, UINT64_MAX);
        raw_send_message(fds[2], address, "x", 1);
        CHECK_RECEIVES(pull, "x");
        raw_finish(fds[2]);
        raw_reset(fds[4]);
        raw_send(fds[1], "GET / HTTP/1.1", 14);
        raw_send_handshake(fds[3], NN_PULL);
        raw_reset(fds[5]);
        close(fds[6]);
        close(fds[7]);
        for (int i = 0; i < 4; i++) {
            CHECK(raw_is_closed(fds[i]));
            close(fds[i]);
        }
        expect_none_left(pull);
    }
    int fd = admitted(address);
    CHECK_OK(nn_shutdown(pull, 1));
    CHECK(raw_is_closed(fd));
    close(fd);
    expect_none_left(pull);
}

TEST(a_websocket_that_is_handed_over_is_counted_where_it_arrives)
{
    const char *address = test_ws_address();
    char path[128];
    int here = limited(address, NN_MAX_CONNECTIONS, 1);
    int there = SOCKET(NN_PULL);

    snprintf(path, sizeof path, "%s/there", address);
    SET_INT(there, NN_SOL_SOCKET, NN_MAX_CONNECTIONS, 1);
    CHECK_OK(nn_bind(there, path));
    int first = ws_connect(path, "pull");
    int second = ws_connect(address, "pull");
    WAIT_PEERS(there, 1);
    WAIT_PEERS(here, 1);
    CHECK_EQUAL(nn_get_statistic(there, NN_STAT_PEER_CONNECTIONS), 1);
    CHECK_EQUAL(nn_get_statistic(here, NN_STAT_PEER_CONNECTIONS), 1);
    close(first);
    close(second);
    expect_none_left(there);
    expect_none_left(here);
}

TEST(an_event_says_which_limit_it_was)
{
    const char *address = test_tcp_address();
    int pull = SOCKET(NN_PULL);
    struct nn_event event;
    char problem[128];
    size_t size = sizeof problem;

    SET_INT(pull, NN_SOL_SOCKET, NN_MAX_CONNECTIONS, 0);
    CHECK_OK(nn_bind(pull, address));
    expect_rejected(address);
    WAIT_STATISTIC(pull, NN_STAT_REJECTED_CONNECTIONS, 1);
    CHECK_OK(nn_socket_last_failure(pull, &event));
    CHECK_EQUAL(event.type, NN_EVENT_REJECT);
    CHECK_EQUAL(event.error, EMLINK);
    CHECK_OK(nn_socket_event_peer(pull, NN_PEER_PROBLEM, problem, &size));
    CHECK_BYTES(problem, size, "the socket has as many connections as it may have", 49);
    expect_none_left(pull);
}
