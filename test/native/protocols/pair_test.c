/* PAIR between sockets: one peer at a time, both ways. */
#include "sockets.h"

#include <nanomsg/pair.h>

#include <stdio.h>
#include <string.h>

TEST(a_pair_alone_neither_sends_nor_receives)
{
    int s = SOCKET(NN_PAIR);
    char byte;

    CHECK_OK(nn_bind(s, test_inproc_address()));
    CHECK_ERRNO(nn_send(s, "x", 1, NN_DONTWAIT), EAGAIN);
    CHECK_ERRNO(nn_recv(s, &byte, 1, NN_DONTWAIT), EAGAIN);
    SET_INT(s, NN_SOL_SOCKET, NN_SNDTIMEO, 20);
    CHECK_ERRNO(nn_send(s, "x", 1, 0), ETIMEDOUT);
    CHECK_SILENT(s);
}

TEST_OVER_TRANSPORTS(both_sides_say_what_they_like_and_hear_it_in_order)
{
    const char *address = new_address();
    int one = test_socket_bound(NN_PAIR, address);
    int other = test_socket_connected(NN_PAIR, address);
    char text[32];

    for (int i = 0; i < 20; i++) {
        snprintf(text, sizeof text, "there %d", i);
        CHECK_SENDS(one, text);
        if (i % 2 == 0) {
            snprintf(text, sizeof text, "back %d", i);
            CHECK_SENDS(other, text);
        }
    }
    for (int i = 0; i < 20; i++) {
        snprintf(text, sizeof text, "there %d", i);
        CHECK_RECEIVES(other, text);
    }
    for (int i = 0; i < 20; i += 2) {
        snprintf(text, sizeof text, "back %d", i);
        CHECK_RECEIVES(one, text);
    }
}

/* ---- One peer ---- */

/* A pair that is turned away must never say of a message that it was sent. */
static void check_refused(int s, uint64_t times)
{
    int64_t deadline_ms = test_wait_deadline();

    while (nn_get_statistic(s, NN_STAT_BROKEN_CONNECTIONS) < times) {
        CHECK_ERRNO(nn_send(s, "lost", 4, NN_DONTWAIT), EAGAIN);
        CHECK(!test_pause(deadline_ms));
    }
    CHECK_EQUAL(nn_get_statistic(s, NN_STAT_CURRENT_CONNECTIONS), 0);
    CHECK_ERRNO(nn_send(s, "lost", 4, NN_DONTWAIT), EAGAIN);
}

static int pair_with_short_timeouts(const char *address)
{
    int s = SOCKET(NN_PAIR);

    SET_INT(s, NN_SOL_SOCKET, NN_RECONNECT_IVL, 10);
    CHECK_OK(nn_connect(s, address));
    return s;
}

TEST_OVER_TRANSPORTS(a_second_peer_is_refused_until_the_first_has_gone)
{
    const char *address = new_address();
    int bound = test_socket_bound(NN_PAIR, address);
    int first = test_socket_connected(NN_PAIR, address);

    WAIT_PEERS(bound, 1);
    WAIT_PEERS(first, 1);
    int second = pair_with_short_timeouts(address);
    check_refused(second, 3);
    CHECK_SENDS(first, "still here");
    CHECK_RECEIVES(bound, "still here");
    CHECK_SENDS(bound, "so am I");
    CHECK_RECEIVES(first, "so am I");

    CHECK_OK(nn_close(first));
    CHECK_SENDS(second, "my turn");
    CHECK_RECEIVES(bound, "my turn");
    CHECK_SENDS(bound, "welcome");
    CHECK_RECEIVES(second, "welcome");
}

TEST_OVER_TRANSPORTS(a_pair_that_has_connected_takes_no_peer_that_comes_to_it)
{
    const char *its_own = new_address();
    const char *peers = new_address();
    int peer = test_socket_bound(NN_PAIR, peers);
    int s = test_socket_connected(NN_PAIR, peers);

    WAIT_PEERS(peer, 1);
    WAIT_PEERS(s, 1);
    CHECK_OK(nn_bind(s, its_own));
    int second = pair_with_short_timeouts(its_own);
    check_refused(second, 2);
    CHECK_SENDS(s, "to the first");
    CHECK_RECEIVES(peer, "to the first");
}

TEST_OVER_TRANSPORTS(a_peer_is_heard_to_the_end_before_the_next_one)
{
    const char *address = new_address();
    int bound = test_socket_bound(NN_PAIR, address);
    int first = test_socket_connected(NN_PAIR, address);

    CHECK_SENDS(first, "one");
    CHECK_SENDS(first, "two");
    CHECK_SENDS(first, "three");
    CHECK_OK(nn_close(first));
    int second = pair_with_short_timeouts(address);
    CHECK_RECEIVES(bound, "one");
    CHECK_RECEIVES(bound, "two");
    CHECK_RECEIVES(bound, "three");
    CHECK_SENDS(second, "four");
    CHECK_RECEIVES(bound, "four");
}

/* ---- Back-pressure ---- */

#define BODY_BYTES 20000

/* Sends numbered bodies until the socket takes none for a while. Returns how many it took. */
static int fill(int s)
{
    static uint8_t body[BODY_BYTES];
    int before = test_get_int(s, NN_SOL_SOCKET, NN_SNDTIMEO);
    int count = 0;

    SET_INT(s, NN_SOL_SOCKET, NN_SNDTIMEO, 20);
    while (memcpy(body, &count, sizeof count), nn_send(s, body, sizeof body, 0) >= 0)
        count++;
    CHECK_EQUAL(nn_errno(), ETIMEDOUT);
    SET_INT(s, NN_SOL_SOCKET, NN_SNDTIMEO, before);
    return count;
}

static void drain(int s, int count)
{
    static uint8_t body[BODY_BYTES];

    for (int i = 0; i < count; i++) {
        int number;
        CHECK_EQUAL(CHECK_OK(nn_recv(s, body, sizeof body, 0)), BODY_BYTES);
        memcpy(&number, body, sizeof number);
        CHECK_EQUAL(number, i);
    }
}

TEST_OVER_TRANSPORTS(both_directions_fill_up_and_nothing_is_lost)
{
    const char *address = new_address();
    int one = test_socket_bound(NN_PAIR, address);
    int other = test_socket_connected(NN_PAIR, address);

    WAIT_PEERS(one, 1);
    WAIT_PEERS(other, 1);
    int there = fill(one);
    int back = fill(other);
    CHECK(there > 1 && back > 1);
    drain(other, there);
    drain(one, back);
    CHECK_SILENT(one);
    CHECK_SENDS(one, "room again");
    CHECK_RECEIVES(other, "room again");
}
