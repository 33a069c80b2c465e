/* PAIR on mock pipes. */
#include "harness.h"
#include "mock_pipes.h"

#include <errno.h>

extern const struct nn_protocol sp_pair_protocol;

TEST(pair_without_a_peer_neither_sends_nor_receives)
{
    struct sp_socket *pair = mock_open(&sp_pair_protocol);

    CHECK_EQUAL(mock_events(pair), 0);
    CHECK_EQUAL(MOCK_SEND(pair, "a"), -EAGAIN);
    CHECK_EQUAL(mock_receive_rc(pair), -EAGAIN);
    mock_close(pair);
}

TEST(pair_passes_messages_both_ways_in_order_without_copying)
{
    struct sp_socket *pair = mock_open(&sp_pair_protocol);
    struct nn_pipe *peer = mock_attach(pair, MOCK_UNLIMITED);
    unsigned copies_before = mock_copies();

    CHECK_OK(MOCK_SEND(pair, "one"));
    CHECK_OK(MOCK_SEND(pair, ""));
    CHECK(MOCK_IS(mock_sent(peer), "", "one"));
    CHECK(MOCK_IS(mock_sent(peer), "", ""));

    MOCK_DELIVER(peer, "first");
    MOCK_DELIVER(peer, "second");
    CHECK(MOCK_IS(mock_receive(pair), "", "first"));
    CHECK(MOCK_IS(mock_receive(pair), "", "second"));
    CHECK_EQUAL(mock_receive_rc(pair), -EAGAIN);
    CHECK_EQUAL(mock_copies(), copies_before);
    mock_close(pair);
}

TEST(pair_puts_a_header_before_the_body)
{
    struct sp_socket *pair = mock_open(&sp_pair_protocol);
    struct nn_pipe *peer = mock_attach(pair, 1);

    CHECK_OK(MOCK_SEND_RAW(pair, "header", "body"));
    CHECK(MOCK_IS(mock_sent(peer), "", "headerbody"));
    mock_close(pair);
}

TEST(pair_reports_what_its_peer_can_do_now)
{
    struct sp_socket *pair = mock_open(&sp_pair_protocol);
    struct nn_pipe *peer = mock_attach(pair, 1);

    CHECK_EQUAL(mock_events(pair), NN_POLLOUT);
    CHECK_OK(MOCK_SEND(pair, "fills it"));
    CHECK_EQUAL(mock_events(pair), 0);
    CHECK_EQUAL(MOCK_SEND(pair, "too much"), -EAGAIN);
    MOCK_DELIVER(peer, "x");
    CHECK_EQUAL(mock_events(pair), NN_POLLIN);
    mock_drain(peer, 1);
    CHECK_EQUAL(mock_events(pair), NN_POLLIN | NN_POLLOUT);
    mock_close(pair);
}

TEST(pair_refuses_a_second_peer_and_keeps_the_first)
{
    struct sp_socket *pair = mock_open(&sp_pair_protocol);
    struct nn_pipe *first = mock_attach(pair, 1);

    CHECK(mock_attach(pair, 1) == NULL);
    CHECK_EQUAL(mock_refusal(), -EBUSY);
    CHECK_OK(MOCK_SEND(pair, "still"));
    CHECK(MOCK_IS(mock_sent(first), "", "still"));
    mock_close(pair);
}

TEST(pair_takes_another_peer_when_the_first_has_gone)
{
    struct sp_socket *pair = mock_open(&sp_pair_protocol);

    mock_break(mock_attach(pair, 1));
    CHECK_EQUAL(MOCK_SEND(pair, "a"), -EAGAIN);
    struct nn_pipe *second = mock_attach(pair, 1);
    CHECK(second != NULL);
    CHECK_OK(MOCK_SEND(pair, "b"));
    CHECK(MOCK_IS(mock_sent(second), "", "b"));
    mock_close(pair);
}
