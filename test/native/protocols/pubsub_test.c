/* PUB and SUB between sockets: prefixes, many to many, and what a slow subscriber misses. */
#include "sockets.h"

#include <nanomsg/pubsub.h>

#include <stdio.h>
#include <string.h>

#define SUBS 3
#define BODY_BYTES 50000

static void subscribe(int sub, const void *prefix, size_t count)
{
    CHECK_OK(nn_setsockopt(sub, NN_SUB, NN_SUB_SUBSCRIBE, prefix, count));
}

static void unsubscribe(int sub, const void *prefix, size_t count)
{
    CHECK_OK(nn_setsockopt(sub, NN_SUB, NN_SUB_UNSUBSCRIBE, prefix, count));
}

static int sub_connected(const char *address, const char *prefix)
{
    int sub = SOCKET(NN_SUB);

    subscribe(sub, prefix, strlen(prefix));
    CHECK_OK(nn_connect(sub, address));
    return sub;
}

/* ---- Prefixes ---- */

/* The message that ends what a sub is asked for; every sub of the case has to be subscribed to it. */
#define END "."

static void check_receives_only(int sub, const char *const *texts)
{
    while (*texts != NULL)
        CHECK_RECEIVES(sub, *texts++);
    CHECK_RECEIVES(sub, END);
}

TEST_OVER_TRANSPORTS(a_sub_receives_what_begins_with_a_prefix_of_its_own)
{
    static const char *const published[] = {"", "a", "ab", "abc", "b", "ba", "\xff", "A"};
    static const struct {
        const char *prefix;
        const char *expected[9];
    } cases[] = {
        {"", {"", "a", "ab", "abc", "b", "ba", "\xff", "A"}},
        {"a", {"a", "ab", "abc"}},
        {"ab", {"ab", "abc"}},
        {"abcd", {NULL}},
        {"\xff", {"\xff"}},
    };
    const char *address = new_address();
    int pub = test_socket_bound(NN_PUB, address);
    int subs[5];

    for (size_t i = 0; i < 5; i++) {
        subs[i] = sub_connected(address, cases[i].prefix);
        if (*cases[i].prefix != '\0')
            subscribe(subs[i], END, strlen(END));
    }
    WAIT_PEERS(pub, 5);
    for (size_t i = 0; i < sizeof published / sizeof published[0]; i++)
        CHECK_SENDS(pub, published[i]);
    CHECK_SENDS(pub, END);
    for (size_t i = 0; i < 5; i++)
        check_receives_only(subs[i], cases[i].expected);
}

TEST_OVER_TRANSPORTS(prefixes_are_bytes_and_not_text)
{
    const char *address = new_address();
    int pub = test_socket_bound(NN_PUB, address);
    int sub = test_socket_connected(NN_SUB, address);
    char bytes[8];

    subscribe(sub, "a\0b", 3);
    WAIT_PEERS(pub, 1);
    CHECK_OK(nn_send(pub, "a\0c", 3, 0));
    CHECK_OK(nn_send(pub, "a\0b!", 4, 0));
    CHECK_EQUAL(CHECK_OK(nn_recv(sub, bytes, sizeof bytes, 0)), 4);
    CHECK_BYTES(bytes, 4, "a\0b!", 4);
}

TEST_OVER_TRANSPORTS(several_prefixes_deliver_a_message_once)
{
    const char *address = new_address();
    int pub = test_socket_bound(NN_PUB, address);
    int sub = sub_connected(address, "a");

    subscribe(sub, "ab", 2);
    subscribe(sub, "b", 1);
    WAIT_PEERS(pub, 1);
    CHECK_SENDS(pub, "abc");
    CHECK_SENDS(pub, "c");
    CHECK_SENDS(pub, "b");
    CHECK_RECEIVES(sub, "abc");
    CHECK_RECEIVES(sub, "b");
    CHECK_SILENT(sub);
}

TEST_OVER_TRANSPORTS(without_a_subscription_nothing_is_received)
{
    const char *address = new_address();
    int pub = test_socket_bound(NN_PUB, address);
    int sub = test_socket_connected(NN_SUB, address);
    char byte;

    WAIT_PEERS(pub, 1);
    WAIT_PEERS(sub, 1);
    test_settle();
    CHECK_SENDS(pub, "early");
    CHECK_SENDS(pub, "");
    test_settle();
    CHECK_SILENT(sub);
    CHECK_ERRNO(nn_recv(sub, &byte, 1, NN_DONTWAIT), EAGAIN);
    subscribe(sub, "", 0);
    CHECK_SENDS(pub, "late");
    CHECK_RECEIVES(sub, "late");
}

TEST_OVER_TRANSPORTS(a_prefix_is_taken_back_as_often_as_it_was_subscribed)
{
    const char *address = new_address();
    int pub = test_socket_bound(NN_PUB, address);
    int sub = sub_connected(address, "a");

    subscribe(sub, "a", 1);
    subscribe(sub, END, strlen(END));
    WAIT_PEERS(pub, 1);
    unsubscribe(sub, "a", 1);
    CHECK_SENDS(pub, "a still");
    CHECK_RECEIVES(sub, "a still");
    unsubscribe(sub, "a", 1);
    CHECK_SENDS(pub, "a no more");
    CHECK_SENDS(pub, END);
    CHECK_RECEIVES(sub, END);
}

TEST_OVER_TRANSPORTS(taking_back_what_was_never_subscribed_changes_nothing)
{
    const char *address = new_address();
    int pub = test_socket_bound(NN_PUB, address);
    int sub = sub_connected(address, "ab");

    unsubscribe(sub, "", 0);
    unsubscribe(sub, "a", 1);
    unsubscribe(sub, "abc", 3);
    WAIT_PEERS(pub, 1);
    CHECK_SENDS(pub, "abc");
    CHECK_RECEIVES(sub, "abc");
}

TEST_OVER_TRANSPORTS(what_waits_for_a_prefix_that_is_taken_back_is_not_received)
{
    const char *address = new_address();
    int pub = test_socket_bound(NN_PUB, address);
    int sub = sub_connected(address, "a");

    subscribe(sub, "b", 1);
    test_settle();
    WAIT_PEERS(pub, 1);
    WAIT_PEERS(sub, 1);
    CHECK_SENDS(pub, "a1");
    CHECK_SENDS(pub, "a2");
    CHECK_SENDS(pub, "b");
    test_settle();
    unsubscribe(sub, "a", 1);
    CHECK_RECEIVES(sub, "b");
}

/* ---- Many to many ---- */

TEST_OVER_TRANSPORTS(every_sub_receives_everything_in_order)
{
    const char *address = new_address();
    int pub = test_socket_bound(NN_PUB, address);
    int subs[SUBS];
    char text[16];

    for (int i = 0; i < SUBS; i++)
        subs[i] = sub_connected(address, "");
    WAIT_PEERS(pub, SUBS);
    for (int i = 0; i < 100; i++) {
        snprintf(text, sizeof text, "%d", i);
        CHECK_SENDS(pub, text);
    }
    for (int i = 0; i < SUBS * 100; i++) {
        snprintf(text, sizeof text, "%d", i / SUBS);
        CHECK_RECEIVES(subs[i % SUBS], text);
    }
}

TEST_OVER_TRANSPORTS(a_sub_hears_each_of_its_pubs_in_turn)
{
    const char *address = new_address();
    int sub = test_socket_bound(NN_SUB, address);
    int pubs[SUBS];

    subscribe(sub, "", 0);
    test_settle();
    for (int i = 0; i < SUBS; i++)
        pubs[i] = test_socket_connected(NN_PUB, address);
    for (int i = 0; i < SUBS; i++) {
        char text[2] = {(char)('a' + i), '\0'};
        WAIT_PEERS(pubs[i], 1);
        for (int j = 0; j < 20; j++)
            CHECK_SENDS(pubs[i], text);
    }
    WAIT_PEERS(sub, SUBS);
    for (int round = 0; round < 10; round++) {
        unsigned heard = 0;
        test_settle();
        /* One more than there are, for the message that a sub looks ahead at. */
        for (int i = 0; i <= SUBS; i++)
            heard |= 1u << (*RECEIVE_TEXT(sub) - 'a');
        CHECK_EQUAL(heard, (1u << SUBS) - 1);
    }
}

TEST(a_pub_without_subscribers_drops_messages_without_waiting)
{
    int pub = SOCKET(NN_PUB);

    CHECK_OK(nn_bind(pub, test_inproc_address()));
    for (int i = 0; i < 1000; i++)
        CHECK_OK(nn_send(pub, "x", 1, i % 2 == 0 ? 0 : NN_DONTWAIT));
    CHECK_EQUAL(nn_get_statistic(pub, NN_STAT_MESSAGES_SENT), 1000);
}

TEST_OVER_TRANSPORTS(a_late_sub_misses_what_was_before)
{
    const char *address = new_address();
    int pub = test_socket_bound(NN_PUB, address);
    int early = sub_connected(address, "");

    WAIT_PEERS(pub, 1);
    CHECK_SENDS(pub, "first");
    CHECK_RECEIVES(early, "first");
    int late = sub_connected(address, "");
    WAIT_PEERS(pub, 2);
    CHECK_SENDS(pub, "second");
    CHECK_RECEIVES(late, "second");
    CHECK_RECEIVES(early, "second");
}

/* ---- Slow subscribers ---- */

static int publish_number(int pub, int number)
{
    static uint8_t body[BODY_BYTES];

    memcpy(body, &number, sizeof number);
    return nn_send(pub, body, sizeof body, NN_DONTWAIT);
}

/* The number of the next message, or -1 for one that is no body. */
static int receive_number(int sub)
{
    static uint8_t body[BODY_BYTES];
    int number;

    if (CHECK_OK(nn_recv(sub, body, sizeof body, 0)) != BODY_BYTES)
        return -1;
    memcpy(&number, body, sizeof number);
    return number;
}

TEST_OVER_TRANSPORTS(a_slow_sub_misses_messages_and_delays_no_other)
{
    enum { COUNT = 1000 }; /* fifty megabytes, more than the buffers of TCP grow to */
    const char *address = new_address();
    int pub = test_socket_bound(NN_PUB, address);
    int quick = sub_connected(address, "");
    int slow = sub_connected(address, "");

    WAIT_PEERS(pub, 2);
    for (int i = 0; i < COUNT; i++) {
        CHECK_OK(publish_number(pub, i));
        CHECK_EQUAL(receive_number(quick), i);
    }

    /* The oldest are kept. Room for the end comes up while they are received. */
    CHECK_EQUAL(receive_number(slow), 0);
    int kept = 1;
    int number;
    int last = 0;
    do {
        CHECK_OK(nn_send(pub, END, strlen(END), NN_DONTWAIT));
        CHECK_EQUAL(receive_number(quick), -1);
        number = receive_number(slow);
        CHECK(number == -1 || number > last);
        if (number != -1) {
            kept++;
            last = number;
        }
    } while (number != -1);
    CHECK(kept < COUNT);
    CHECK_EQUAL(nn_get_statistic(pub, NN_STAT_CURRENT_CONNECTIONS), 2);
}

TEST_OVER_TRANSPORTS(a_burst_within_NN_SNDBUF_reaches_a_sub_that_reads_later)
{
    enum { COUNT = 5000, BYTES = 1024 * 1024 }; /* each message counts with its prefix */
    const char *address = new_address();
    int pub = SOCKET(NN_PUB);
    int sub = SOCKET(NN_SUB);
    char text[128];

    SET_INT(pub, NN_SOL_SOCKET, NN_SNDBUF, BYTES);
    SET_INT(sub, NN_SOL_SOCKET, NN_RCVBUF, BYTES); /* the one that counts over inproc */
    CHECK_OK(nn_bind(pub, address));
    subscribe(sub, "", 0);
    CHECK_OK(nn_connect(sub, address));
    WAIT_PEERS(pub, 1);
    for (int i = 0; i < COUNT; i++) {
        snprintf(text, sizeof text, "%0100d", i);
        CHECK_SENDS(pub, text);
    }
    for (int i = 0; i < COUNT; i++) {
        snprintf(text, sizeof text, "%0100d", i);
        CHECK_RECEIVES(sub, text);
    }
}
