/* BUS between sockets: to all neighbours, and no further. */
#include "sockets.h"

#include <nanomsg/bus.h>

#include <stdio.h>
#include <string.h>

#define MEMBERS 4
#define BODY_BYTES 50000

/* The message that ends what a member is asked for. */
#define END "."

/* Members that are all connected to each other. */
static void join_all(int *members, const char *(*new_address)(void))
{
    const char *addresses[MEMBERS];

    for (int i = 0; i < MEMBERS; i++) {
        addresses[i] = new_address();
        members[i] = test_socket_bound(NN_BUS, addresses[i]);
        for (int j = 0; j < i; j++)
            CHECK_OK(nn_connect(members[i], addresses[j]));
    }
    for (int i = 0; i < MEMBERS; i++)
        WAIT_PEERS(members[i], MEMBERS - 1);
}

TEST_OVER_TRANSPORTS(each_member_hears_every_other_and_not_itself)
{
    int members[MEMBERS];

    join_all(members, new_address);
    for (int i = 0; i < MEMBERS; i++) {
        char text[2] = {(char)('a' + i), '\0'};
        CHECK_SENDS(members[i], text);
    }
    for (int i = 0; i < MEMBERS; i++) {
        unsigned heard = 0;
        for (int j = 0; j < MEMBERS - 1; j++)
            heard |= 1u << (*RECEIVE_TEXT(members[i]) - 'a');
        CHECK_EQUAL(heard, ((1u << MEMBERS) - 1) & ~(1u << i));
        CHECK_SILENT(members[i]);
    }
}

TEST_OVER_TRANSPORTS(what_one_member_says_arrives_in_order)
{
    int members[MEMBERS];
    char text[16];

    join_all(members, new_address);
    for (int i = 0; i < 100; i++) {
        snprintf(text, sizeof text, "%d", i);
        CHECK_SENDS(members[1], text);
    }
    for (int i = 0; i < 100; i++) {
        snprintf(text, sizeof text, "%d", i);
        CHECK_RECEIVES(members[0], text);
        CHECK_RECEIVES(members[2], text);
        CHECK_RECEIVES(members[3], text);
    }
}

TEST_OVER_TRANSPORTS(nothing_is_passed_on_by_a_member_in_the_middle)
{
    const char *left = new_address();
    const char *right = new_address();
    int middle = test_socket_bound(NN_BUS, left);
    int one = test_socket_connected(NN_BUS, left);
    int other = test_socket_connected(NN_BUS, right);

    CHECK_OK(nn_bind(middle, right));
    WAIT_PEERS(middle, 2);
    WAIT_PEERS(other, 1);
    CHECK_SENDS(one, "to my neighbour");
    CHECK_RECEIVES(middle, "to my neighbour");
    CHECK_SENDS(middle, "to both of mine");
    CHECK_RECEIVES(one, "to both of mine");
    CHECK_RECEIVES(other, "to both of mine");
    CHECK_SILENT(other);
    CHECK_SILENT(one);
}

TEST(a_bus_without_neighbours_drops_messages_without_waiting)
{
    int s = SOCKET(NN_BUS);
    char byte;

    CHECK_OK(nn_bind(s, test_inproc_address()));
    for (int i = 0; i < 100; i++)
        CHECK_OK(nn_send(s, "x", 1, i % 2 == 0 ? 0 : NN_DONTWAIT));
    CHECK_ERRNO(nn_recv(s, &byte, 1, NN_DONTWAIT), EAGAIN);
    CHECK_SILENT(s);
}

TEST_OVER_TRANSPORTS(a_member_that_leaves_disturbs_no_other)
{
    int members[MEMBERS];

    join_all(members, new_address);
    CHECK_OK(nn_close(members[0])); /* the others had connected to it, and go on trying */
    for (int i = 1; i < MEMBERS; i++)
        WAIT_PEERS(members[i], MEMBERS - 2);
    CHECK_SENDS(members[1], "still here?");
    CHECK_RECEIVES(members[2], "still here?");
    CHECK_RECEIVES(members[3], "still here?");
}

TEST_OVER_TRANSPORTS(members_are_heard_in_turn)
{
    int members[MEMBERS];

    test_settle();
    join_all(members, new_address);
    for (int i = 1; i < MEMBERS; i++) {
        char text[2] = {(char)('a' + i), '\0'};
        for (int j = 0; j < 11; j++)
            CHECK_SENDS(members[i], text);
    }
    for (int round = 0; round < 10; round++) {
        unsigned heard = 0;
        test_settle();
        for (int i = 1; i < MEMBERS; i++)
            heard |= 1u << (*RECEIVE_TEXT(members[0]) - 'a');
        CHECK_EQUAL(heard, ((1u << MEMBERS) - 1) & ~1u);
    }
}

TEST_OVER_TRANSPORTS(a_slow_member_misses_messages_and_delays_no_other)
{
    enum { COUNT = 100 }; /* five megabytes, which no buffer holds */
    static uint8_t body[BODY_BYTES];
    int members[MEMBERS];
    int kept = 0;
    int last = -1;

    join_all(members, new_address);
    for (int i = 0; i < COUNT; i++) {
        memcpy(body, &i, sizeof i);
        CHECK_OK(nn_send(members[0], body, sizeof body, NN_DONTWAIT));
        CHECK_EQUAL(CHECK_OK(nn_recv(members[1], body, sizeof body, 0)), sizeof body);
        CHECK_EQUAL(CHECK_OK(nn_recv(members[2], body, sizeof body, 0)), sizeof body);
    }
    /* Room for the end comes up while the slow one receives. */
    while (CHECK_OK(nn_send(members[0], END, strlen(END), 0)) &&
           CHECK_OK(nn_recv(members[3], body, sizeof body, 0)) == sizeof body) {
        int number;
        memcpy(&number, body, sizeof number);
        CHECK(number > last);
        CHECK(kept > 0 || number == 0);
        last = number;
        kept++;
    }
    CHECK(kept > 0 && kept < COUNT);
}
