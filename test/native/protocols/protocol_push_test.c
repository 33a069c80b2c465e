/* PUSH on mock pipes: the load balancer. */
#include "harness.h"
#include "mock_pipes.h"

#include <errno.h>

extern const struct nn_protocol sp_push_protocol;

TEST(push_without_a_peer_does_not_send)
{
    struct sp_socket *push = mock_open(&sp_push_protocol);

    CHECK_EQUAL(mock_events(push), 0);
    CHECK_EQUAL(mock_send_priority(push), -1);
    CHECK_EQUAL(MOCK_SEND(push, "a"), -EAGAIN);
    mock_close(push);
}

TEST(push_deals_messages_in_turn_without_copying)
{
    struct sp_socket *push = mock_open(&sp_push_protocol);
    struct nn_pipe *pulls[3];
    unsigned copies_before = mock_copies();

    for (int i = 0; i < 3; i++)
        pulls[i] = mock_attach(push, MOCK_UNLIMITED);
    for (int i = 0; i < 9; i++)
        CHECK_OK(MOCK_SEND(push, "work"));
    for (int i = 0; i < 3; i++)
        CHECK_EQUAL(mock_sent_count(pulls[i]), 3);
    CHECK_EQUAL(mock_copies(), copies_before);
    mock_close(push);
}

TEST(push_puts_a_header_before_the_body)
{
    struct sp_socket *push = mock_open(&sp_push_protocol);
    struct nn_pipe *pull = mock_attach(push, 1);

    CHECK_OK(MOCK_SEND_RAW(push, "header", "body"));
    CHECK(MOCK_IS(mock_sent(pull), "", "headerbody"));
    mock_close(push);
}

TEST(push_uses_a_lower_priority_only_when_the_higher_ones_take_nothing)
{
    struct sp_socket *push = mock_open(&sp_push_protocol);
    struct nn_pipe *last = mock_attach_with_priority(push, 2, 16);
    struct nn_pipe *first = mock_attach_with_priority(push, 2, 1);
    struct nn_pipe *middle = mock_attach_with_priority(push, 1, 9);

    CHECK_EQUAL(mock_send_priority(push), 1);
    CHECK_OK(MOCK_SEND(push, "1"));
    CHECK_OK(MOCK_SEND(push, "2"));
    CHECK_EQUAL(mock_send_priority(push), 9);
    CHECK_OK(MOCK_SEND(push, "3"));
    CHECK_EQUAL(mock_send_priority(push), 16);
    CHECK_OK(MOCK_SEND(push, "4"));
    mock_drain(first, 1);
    CHECK_EQUAL(mock_send_priority(push), 1);
    CHECK_OK(MOCK_SEND(push, "5"));
    CHECK_OK(MOCK_SEND(push, "6"));
    CHECK_EQUAL(MOCK_SEND(push, "7"), -EAGAIN);

    CHECK_EQUAL(mock_sent_count(first), 3);
    CHECK_EQUAL(mock_sent_count(middle), 1);
    CHECK_EQUAL(mock_sent_count(last), 2);
    mock_close(push);
}

TEST(push_lets_a_pipe_that_was_full_rejoin_behind_the_others)
{
    struct sp_socket *push = mock_open(&sp_push_protocol);
    struct nn_pipe *a = mock_attach(push, 1);
    struct nn_pipe *b = mock_attach(push, MOCK_UNLIMITED);
    struct nn_pipe *c = mock_attach(push, MOCK_UNLIMITED);

    for (int i = 0; i < 4; i++) /* a b c, and as a is full: b */
        CHECK_OK(MOCK_SEND(push, "x"));
    CHECK_EQUAL(mock_sent_count(a), 1);
    CHECK_EQUAL(mock_sent_count(b), 2);

    mock_drain(a, MOCK_UNLIMITED); /* now the order is c b a */
    CHECK_OK(MOCK_SEND(push, "x"));
    CHECK_EQUAL(mock_sent_count(c), 2);
    CHECK_OK(MOCK_SEND(push, "x"));
    CHECK_EQUAL(mock_sent_count(b), 3);
    CHECK_OK(MOCK_SEND(push, "x"));
    CHECK_EQUAL(mock_sent_count(a), 2);
    mock_close(push);
}

TEST(push_is_not_writable_when_its_pipes_have_broken_without_notice)
{
    struct sp_socket *push = mock_open(&sp_push_protocol);
    struct nn_pipe *a = mock_attach(push, 5);
    struct nn_pipe *b = mock_attach(push, 5);

    mock_jam(a);
    CHECK_EQUAL(mock_events(push), NN_POLLOUT);
    mock_jam(b);
    CHECK_EQUAL(mock_events(push), 0);
    CHECK_EQUAL(mock_send_priority(push), -1);
    CHECK_EQUAL(MOCK_SEND(push, "x"), -EAGAIN);
    mock_break(a);
    mock_drain(b, 1);
    CHECK_EQUAL(mock_events(push), NN_POLLOUT);
    mock_close(push);
}

TEST(push_goes_on_in_turn_when_pipes_come_and_go)
{
    struct sp_socket *push = mock_open(&sp_push_protocol);
    struct nn_pipe *pulls[4];

    for (int i = 0; i < 4; i++)
        pulls[i] = mock_attach(push, MOCK_UNLIMITED);
    CHECK_OK(MOCK_SEND(push, "0"));
    mock_break(pulls[1]); /* whose turn it is */
    CHECK_OK(MOCK_SEND(push, "2"));
    CHECK_EQUAL(mock_sent_count(pulls[2]), 1);
    mock_break(pulls[2]); /* the peer that just had its turn */
    CHECK_OK(MOCK_SEND(push, "3"));
    CHECK_EQUAL(mock_sent_count(pulls[3]), 1);
    mock_break(pulls[0]);
    mock_break(pulls[3]);
    CHECK_EQUAL(MOCK_SEND(push, "none"), -EAGAIN);
    mock_close(push);
}

TEST(push_drops_what_a_peer_says)
{
    struct sp_socket *push = mock_open(&sp_push_protocol);
    struct nn_pipe *pull = mock_attach(push, 1);

    mock_deliver_silently(pull, "noise", 5);
    MOCK_DELIVER(pull, "");
    mock_announce(pull);
    CHECK_EQUAL(mock_waiting_count(pull), 0);
    CHECK_OK(MOCK_SEND(push, "x"));
    mock_close(push);
}
