/* SUB on mock pipes: filtering, and the set of subscriptions by itself. */
#include "harness.h"
#include "mock_pipes.h"

#include "protocols/parts/subscriptions.h"

#include <nanomsg/pubsub.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const struct nn_protocol sp_sub_protocol;

static int subscribe(struct sp_socket *sub, const char *prefix)
{
    return mock_set_option(sub, NN_SUB_SUBSCRIBE, prefix, strlen(prefix));
}

static int unsubscribe(struct sp_socket *sub, const char *prefix)
{
    return mock_set_option(sub, NN_SUB_UNSUBSCRIBE, prefix, strlen(prefix));
}

/* ---- The socket ---- */

TEST(sub_without_a_subscription_receives_nothing)
{
    struct sp_socket *sub = mock_open(&sp_sub_protocol);
    struct nn_pipe *pub = mock_attach(sub, 0);

    MOCK_DELIVER(pub, "news");
    MOCK_DELIVER(pub, "");
    CHECK_EQUAL(mock_events(sub), 0);
    CHECK_EQUAL(mock_receive_rc(sub), -EAGAIN);
    CHECK_EQUAL(mock_waiting_count(pub), 0);
    mock_close(sub);
}

TEST(sub_reports_in_only_for_a_message_that_matches)
{
    struct sp_socket *sub = mock_open(&sp_sub_protocol);
    struct nn_pipe *pub = mock_attach(sub, 0);

    CHECK_OK(subscribe(sub, "yes"));
    MOCK_DELIVER(pub, "no");
    CHECK_EQUAL(mock_events(sub), 0);
    MOCK_DELIVER(pub, "ye");
    MOCK_DELIVER(pub, "yes 1");
    MOCK_DELIVER(pub, "yes 2");
    CHECK_EQUAL(mock_events(sub), NN_POLLIN);
    CHECK_EQUAL(mock_events(sub), NN_POLLIN);
    CHECK(MOCK_IS(mock_receive(sub), "", "yes 1"));
    CHECK(MOCK_IS(mock_receive(sub), "", "yes 2"));
    CHECK_EQUAL(mock_events(sub), 0);
    CHECK_EQUAL(mock_receive_rc(sub), -EAGAIN);
    mock_close(sub);
}

TEST(sub_receives_everything_for_the_empty_prefix)
{
    struct sp_socket *sub = mock_open(&sp_sub_protocol);
    struct nn_pipe *pub = mock_attach(sub, 0);

    CHECK_OK(subscribe(sub, ""));
    MOCK_DELIVER(pub, "");
    MOCK_DELIVER(pub, "x");
    CHECK(MOCK_IS(mock_receive(sub), "", ""));
    CHECK(MOCK_IS(mock_receive(sub), "", "x"));
    mock_close(sub);
}

TEST(sub_keeps_a_prefix_until_it_was_taken_back_as_often_as_subscribed)
{
    struct sp_socket *sub = mock_open(&sp_sub_protocol);
    struct nn_pipe *pub = mock_attach(sub, 0);

    CHECK_OK(subscribe(sub, "a"));
    CHECK_OK(subscribe(sub, "a"));
    CHECK_OK(unsubscribe(sub, "unknown"));
    CHECK_OK(unsubscribe(sub, "a"));
    MOCK_DELIVER(pub, "a1");
    CHECK(MOCK_IS(mock_receive(sub), "", "a1"));
    CHECK_OK(unsubscribe(sub, "a"));
    CHECK_OK(unsubscribe(sub, "a"));
    MOCK_DELIVER(pub, "a2");
    CHECK_EQUAL(mock_receive_rc(sub), -EAGAIN);
    mock_close(sub);
}

TEST(sub_delivers_nothing_for_a_prefix_that_was_taken_back)
{
    struct sp_socket *sub = mock_open(&sp_sub_protocol);
    struct nn_pipe *pub = mock_attach(sub, 0);

    CHECK_OK(subscribe(sub, "ab"));
    CHECK_OK(subscribe(sub, "abc"));
    MOCK_DELIVER(pub, "abc seen already");
    MOCK_DELIVER(pub, "ab in the pipe");
    CHECK_EQUAL(mock_events(sub), NN_POLLIN);
    CHECK_OK(unsubscribe(sub, "ab"));
    CHECK_EQUAL(mock_events(sub), NN_POLLIN); /* abc still matches */
    CHECK_OK(unsubscribe(sub, "abc"));
    CHECK_EQUAL(mock_events(sub), 0);
    CHECK_EQUAL(mock_receive_rc(sub), -EAGAIN);
    mock_close(sub);
}

TEST(sub_delivers_a_message_that_was_seen_before_its_pipe_went)
{
    struct sp_socket *sub = mock_open(&sp_sub_protocol);
    struct nn_pipe *pub = mock_attach(sub, 0);

    CHECK_OK(subscribe(sub, ""));
    MOCK_DELIVER(pub, "last words");
    CHECK_EQUAL(mock_events(sub), NN_POLLIN);
    mock_break(pub);
    CHECK(MOCK_IS(mock_receive(sub), "", "last words"));
    CHECK_EQUAL(mock_events(sub), 0);
    mock_close(sub);
}

TEST(sub_takes_from_several_pubs_in_turn_whatever_does_not_match)
{
    struct sp_socket *sub = mock_open(&sp_sub_protocol);
    struct nn_pipe *a = mock_attach(sub, 1);
    struct nn_pipe *b = mock_attach(sub, 1);

    CHECK_OK(subscribe(sub, "+"));
    MOCK_DELIVER(a, "-");
    MOCK_DELIVER(a, "+a1");
    MOCK_DELIVER(a, "+a2");
    MOCK_DELIVER(b, "-");
    MOCK_DELIVER(b, "-");
    MOCK_DELIVER(b, "+b1");
    int received = 0;
    bool has_b1 = false;
    for (struct mock_bytes message; (message = mock_receive(sub)).rc == 0; received++)
        has_b1 = has_b1 || MOCK_IS(message, "", "+b1");
    CHECK_EQUAL(received, 3);
    CHECK(has_b1);
    mock_close(sub);
}

TEST(sub_knows_no_other_options)
{
    struct sp_socket *sub = mock_open(&sp_sub_protocol);
    int value;

    CHECK_EQUAL(mock_set_option(sub, 3, "x", 1), -ENOPROTOOPT);
    CHECK_EQUAL(mock_get_int(sub, NN_SUB_SUBSCRIBE, &value), -ENOPROTOOPT);
    mock_close(sub);
}

TEST(sub_takes_a_message_that_is_left_with_it_when_it_closes)
{
    struct sp_socket *sub = mock_open(&sp_sub_protocol);
    struct nn_pipe *pub = mock_attach(sub, 0);

    CHECK_OK(subscribe(sub, ""));
    MOCK_DELIVER(pub, "unread");
    CHECK_EQUAL(mock_events(sub), NN_POLLIN);
    mock_close(sub); /* aborts if the message is still there */
}

/* ---- The set ---- */

static int add(struct sp_subscriptions *set, const char *prefix)
{
    return sp_subscriptions_add(set, (const uint8_t *)prefix, strlen(prefix));
}

static bool take_back(struct sp_subscriptions *set, const char *prefix)
{
    return sp_subscriptions_remove(set, (const uint8_t *)prefix, strlen(prefix));
}

static bool matches(const struct sp_subscriptions *set, const char *body)
{
    return sp_subscriptions_match(set, (const uint8_t *)body, strlen(body));
}

TEST(subscriptions_match_prefixes_and_nothing_else)
{
    static const struct {
        const char *prefix, *body;
        bool is_match;
    } cases[] = {
        {"", "", true},      {"", "x", true},      {"a", "", false},       {"a", "a", true},
        {"a", "ab", true},   {"a", "b", false},    {"ab", "a", false},     {"ab", "ab", true},
        {"ab", "ac", false}, {"ab", "xab", false}, {"\xff", "\xff", true}, {"\xff", "\x7f", false},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sp_subscriptions set = {0};

        CHECK_OK(add(&set, cases[i].prefix));
        CHECK_EQUAL(matches(&set, cases[i].body), cases[i].is_match);
        sp_subscriptions_destroy(&set);
    }
}

TEST(subscriptions_distinguish_zero_bytes)
{
    struct sp_subscriptions set = {0};

    CHECK_OK(sp_subscriptions_add(&set, (const uint8_t *)"\0\0a", 3));
    CHECK(sp_subscriptions_match(&set, (const uint8_t *)"\0\0ab", 4));
    CHECK(!sp_subscriptions_match(&set, (const uint8_t *)"\0\0", 2));
    CHECK(!sp_subscriptions_match(&set, (const uint8_t *)"\0", 1));
    CHECK(sp_subscriptions_remove(&set, (const uint8_t *)"\0\0a", 3));
    CHECK(!sp_subscriptions_match(&set, (const uint8_t *)"\0\0ab", 4));
    sp_subscriptions_destroy(&set);
}

TEST(subscriptions_do_not_take_back_what_was_not_added)
{
    struct sp_subscriptions set = {0};

    CHECK_OK(add(&set, "abcd"));
    CHECK_OK(add(&set, "abxy"));
    CHECK(!take_back(&set, ""));   /* the root */
    CHECK(!take_back(&set, "a"));  /* inside a label */
    CHECK(!take_back(&set, "ab")); /* a fork */
    CHECK(!take_back(&set, "abcde"));
    CHECK(!take_back(&set, "abce"));
    CHECK(!take_back(&set, "x"));
    CHECK(matches(&set, "abcd") && matches(&set, "abxy"));
    CHECK(take_back(&set, "abcd"));
    CHECK(!take_back(&set, "abcd"));
    CHECK(!matches(&set, "abcd") && matches(&set, "abxyz"));
    sp_subscriptions_destroy(&set);
}

/* Compares with the plainest set there is, over a small alphabet so that labels split and join often. */
TEST(subscriptions_agree_with_a_list_of_prefixes)
{
    enum { PREFIXES = 364 }; /* all words of up to five letters of three */
    static char words[PREFIXES][8];
    static unsigned counts[PREFIXES];
    struct sp_subscriptions set = {0};
    uint64_t seed = 42;
    size_t word_count = 1;

    for (size_t i = 0; i < word_count && word_count < PREFIXES; i++)
        for (char letter = 'a'; letter <= 'c' && word_count < PREFIXES; letter++) {
            strcpy(words[word_count], words[i]);
            words[word_count++][strlen(words[i])] = letter;
        }

    for (int step = 0; step < 20000; step++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        size_t index = (size_t)(seed >> 33) % PREFIXES;
        bool is_growing = (step / 2000) % 2 == 0;
        if (((seed >> 20) & 3) != 0 ? is_growing : !is_growing) {
            CHECK_OK(add(&set, words[index]));
            counts[index]++;
        } else {
            CHECK_EQUAL(take_back(&set, words[index]), counts[index] == 1);
            if (counts[index] > 0)
                counts[index]--;
        }

        const char *body = words[(size_t)(seed >> 40) % PREFIXES];
        bool is_match = false;
        for (size_t i = 0; i < PREFIXES; i++)
            is_match = is_match || (counts[i] > 0 && strncmp(words[i], body, strlen(words[i])) == 0);
        CHECK_EQUAL(matches(&set, body), is_match);
    }
    sp_subscriptions_destroy(&set);
}

TEST(subscriptions_hold_a_hundred_thousand_prefixes)
{
    enum { COUNT = 100000 };
    struct sp_subscriptions set = {0};
    char prefix[32];

    for (int i = 0; i < COUNT; i++) {
        snprintf(prefix, sizeof prefix, "market/%d/price/", i * 7);
        CHECK_OK(add(&set, prefix));
    }
    for (int i = 0; i < COUNT; i++) {
        snprintf(prefix, sizeof prefix, "market/%d/price/9", i * 7);
        CHECK(matches(&set, prefix));
        snprintf(prefix, sizeof prefix, "market/%d/price/9", i * 7 + 1);
        CHECK(!matches(&set, prefix));
    }
    for (int i = 0; i < COUNT; i += 2) {
        snprintf(prefix, sizeof prefix, "market/%d/price/", i * 7);
        CHECK(take_back(&set, prefix));
    }
    for (int i = 0; i < COUNT; i++) {
        snprintf(prefix, sizeof prefix, "market/%d/price/", i * 7);
        CHECK_EQUAL(matches(&set, prefix), i % 2 == 1);
    }
    sp_subscriptions_destroy(&set);
}

/* A tree as deep as it can be: nothing may recurse, and destroying it must not be quadratic. */
TEST(subscriptions_bear_a_hundred_thousand_nested_prefixes)
{
    enum { COUNT = 100000 };
    struct sp_subscriptions set = {0};
    uint8_t *bytes = malloc(COUNT);

    memset(bytes, 'a', COUNT);
    for (size_t length = COUNT; length > 0; length -= 50) /* from the longest: each splits a label */
        CHECK_OK(sp_subscriptions_add(&set, bytes, length));
    CHECK(sp_subscriptions_match(&set, bytes, 50));
    CHECK(!sp_subscriptions_match(&set, bytes, 49));
    for (size_t length = 50; length < COUNT; length += 50)
        CHECK(sp_subscriptions_remove(&set, bytes, length));
    CHECK(sp_subscriptions_match(&set, bytes, COUNT));
    CHECK(!sp_subscriptions_match(&set, bytes, COUNT - 1));

    for (size_t length = 1; length < 3000; length++)
        CHECK_OK(sp_subscriptions_add(&set, bytes, length));
    sp_subscriptions_destroy(&set);
    free(bytes);
}

TEST(subscriptions_tell_all_first_bytes_apart)
{
    struct sp_subscriptions set = {0};

    for (unsigned byte = 0; byte < 256; byte++) {
        uint8_t prefix[2] = {(uint8_t)byte, (uint8_t)(byte ^ 0x55)};
        CHECK_OK(sp_subscriptions_add(&set, prefix, 2));
    }
    for (unsigned byte = 0; byte < 256; byte++) {
        uint8_t body[3] = {(uint8_t)byte, (uint8_t)(byte ^ 0x55), 0};
        CHECK(sp_subscriptions_match(&set, body, 3));
        body[1] ^= 1;
        CHECK(!sp_subscriptions_match(&set, body, 3));
        body[1] ^= 1;
        CHECK(sp_subscriptions_remove(&set, body, 2));
        CHECK(!sp_subscriptions_match(&set, body, 3));
    }
    CHECK_EQUAL(set.root.child_count, 0);
    sp_subscriptions_destroy(&set);
}
