/* PUB on mock pipes: the distributor. */
#include "harness.h"
#include "mock_pipes.h"

#include <errno.h>

extern const struct nn_protocol sp_pub_protocol;

TEST(pub_without_a_peer_drops_messages_and_copies_nothing)
{
    struct sp_socket *pub = mock_open(&sp_pub_protocol);
    unsigned copies_before = mock_copies();

    CHECK_EQUAL(mock_events(pub), NN_POLLOUT);
    CHECK_OK(MOCK_SEND(pub, "news"));
    CHECK_OK(mock_send_owned(pub, "news", 4));
    CHECK_EQUAL(mock_copies(), copies_before);
    CHECK_EQUAL(mock_live_chunks(), 0);
    mock_close(pub);
}

TEST(pub_sends_to_one_peer_without_copying)
{
    struct sp_socket *pub = mock_open(&sp_pub_protocol);
    struct nn_pipe *sub = mock_attach(pub, 1);
    unsigned copies_before = mock_copies();

    CHECK_OK(MOCK_SEND(pub, "news"));
    CHECK_EQUAL(mock_copies(), copies_before);
    CHECK(MOCK_IS(mock_sent(sub), "", "news"));
    mock_close(pub);
}

TEST(pub_shares_one_copy_among_all_peers)
{
    struct sp_socket *pub = mock_open(&sp_pub_protocol);
    struct nn_pipe *subs[5];
    unsigned copies_before = mock_copies();
    unsigned shares_before = mock_shares();

    for (int i = 0; i < 5; i++)
        subs[i] = mock_attach(pub, 1);
    CHECK_OK(MOCK_SEND_RAW(pub, "head", "line"));
    CHECK_EQUAL(mock_copies(), copies_before + 1);
    CHECK_EQUAL(mock_shares(), shares_before + 4);

    struct mock_bytes first = mock_sent(subs[0]);
    CHECK(MOCK_IS(first, "", "headline"));
    for (int i = 1; i < 5; i++) {
        struct mock_bytes other = mock_sent(subs[i]);
        CHECK(MOCK_IS(other, "", "headline"));
        CHECK(other.origin == first.origin);
    }
    mock_close(pub);
}

TEST(pub_does_not_copy_a_message_that_is_owned_already)
{
    struct sp_socket *pub = mock_open(&sp_pub_protocol);
    unsigned copies_before = mock_copies();

    mock_attach(pub, 1);
    mock_attach(pub, 1);
    CHECK_OK(mock_send_owned(pub, "news", 4));
    CHECK_EQUAL(mock_copies(), copies_before);
    mock_close(pub);
}

/* Every combination of full and ready pipes among four, full ones without notice. */
TEST(pub_skips_exactly_the_peers_that_take_nothing)
{
    for (unsigned full = 0; full < 16; full++) {
        struct sp_socket *pub = mock_open(&sp_pub_protocol);
        struct nn_pipe *subs[4];

        for (int i = 0; i < 4; i++) {
            subs[i] = mock_attach(pub, MOCK_UNLIMITED);
            if (full & 1u << i)
                mock_jam(subs[i]);
        }
        CHECK_OK(MOCK_SEND(pub, "one"));
        for (int i = 0; i < 4; i++)
            if (full & 1u << i)
                mock_drain(subs[i], 1);
        CHECK_OK(MOCK_SEND(pub, "two"));

        for (int i = 0; i < 4; i++) {
            if (!(full & 1u << i))
                CHECK(MOCK_IS(mock_sent(subs[i]), "", "one"));
            CHECK(MOCK_IS(mock_sent(subs[i]), "", "two"));
            CHECK_EQUAL(mock_sent_count(subs[i]), 0);
        }
        mock_close(pub);
    }
}

TEST(pub_goes_on_when_peers_break)
{
    struct sp_socket *pub = mock_open(&sp_pub_protocol);
    struct nn_pipe *subs[3];

    for (int i = 0; i < 3; i++)
        subs[i] = mock_attach(pub, MOCK_UNLIMITED);
    mock_jam(subs[0]);
    CHECK_OK(MOCK_SEND(pub, "x")); /* notices the first */
    mock_break(subs[0]);
    mock_break(subs[1]);
    CHECK_OK(MOCK_SEND(pub, "y"));
    CHECK_EQUAL(mock_sent_count(subs[2]), 2);
    mock_close(pub);
}

TEST(pub_drops_the_message_when_memory_for_the_copy_is_short)
{
    struct sp_socket *pub = mock_open(&sp_pub_protocol);
    struct nn_pipe *a = mock_attach(pub, 1);
    struct nn_pipe *b = mock_attach(pub, 1);

    mock_starve(1);
    CHECK_EQUAL(MOCK_SEND(pub, "x"), -ENOMEM);
    CHECK_EQUAL(mock_sent_count(a) + mock_sent_count(b), 0);
    CHECK_OK(MOCK_SEND(pub, "y"));
    CHECK_EQUAL(mock_sent_count(a) + mock_sent_count(b), 2);
    mock_close(pub);
}

TEST(pub_lets_a_peer_miss_the_message_when_memory_for_its_share_is_short)
{
    struct sp_socket *pub = mock_open(&sp_pub_protocol);
    struct nn_pipe *subs[3];

    for (int i = 0; i < 3; i++)
        subs[i] = mock_attach(pub, MOCK_UNLIMITED);
    mock_starve(1);
    CHECK_OK(mock_send_owned(pub, "x", 1));
    CHECK_OK(MOCK_SEND(pub, "y"));
    CHECK_EQUAL(mock_sent_count(subs[0]), 1);
    CHECK_EQUAL(mock_sent_count(subs[1]), 2);
    CHECK_EQUAL(mock_sent_count(subs[2]), 2);
    mock_close(pub);
}

TEST(pub_drops_what_a_peer_says)
{
    struct sp_socket *pub = mock_open(&sp_pub_protocol);
    struct nn_pipe *sub = mock_attach(pub, 1);

    mock_deliver_silently(sub, "noise", 5);
    MOCK_DELIVER(sub, "");
    mock_announce(sub);
    CHECK_EQUAL(mock_waiting_count(sub), 0);
    CHECK_OK(MOCK_SEND(pub, "x"));
    mock_close(pub);
}
