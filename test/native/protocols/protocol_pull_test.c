/* PULL on mock pipes: the fair queue. */
#include "harness.h"
#include "mock_pipes.h"

#include <errno.h>

extern const struct nn_protocol sp_pull_protocol;

TEST(pull_without_a_message_receives_nothing)
{
    struct sp_socket *pull = mock_open(&sp_pull_protocol);

    mock_attach(pull, 1);
    CHECK_EQUAL(mock_events(pull), 0);
    CHECK_EQUAL(mock_receive_rc(pull), -EAGAIN);
    mock_close(pull);
}

TEST(pull_takes_from_each_peer_in_turn)
{
    struct sp_socket *pull = mock_open(&sp_pull_protocol);
    struct nn_pipe *a = mock_attach(pull, 0);
    struct nn_pipe *b = mock_attach(pull, 0);

    MOCK_DELIVER(a, "a1");
    MOCK_DELIVER(a, "a2");
    MOCK_DELIVER(a, "a3");
    MOCK_DELIVER(b, "b1");
    MOCK_DELIVER(b, "b2");
    CHECK_EQUAL(mock_events(pull), NN_POLLIN);
    CHECK(MOCK_IS(mock_receive(pull), "", "a1"));
    CHECK(MOCK_IS(mock_receive(pull), "", "b1"));
    CHECK(MOCK_IS(mock_receive(pull), "", "a2"));
    CHECK(MOCK_IS(mock_receive(pull), "", "b2"));
    CHECK(MOCK_IS(mock_receive(pull), "", "a3"));
    CHECK_EQUAL(mock_events(pull), 0);
    CHECK_EQUAL(mock_receive_rc(pull), -EAGAIN);
    mock_close(pull);
}

TEST(pull_prefers_peers_of_better_priority)
{
    struct sp_socket *pull = mock_open(&sp_pull_protocol);
    struct nn_pipe *worse = mock_attach_with_priority(pull, 0, 2);
    struct nn_pipe *better = mock_attach_with_priority(pull, 0, 1);

    MOCK_DELIVER(worse, "w1");
    MOCK_DELIVER(worse, "w2");
    CHECK(MOCK_IS(mock_receive(pull), "", "w1"));
    MOCK_DELIVER(better, "b1");
    MOCK_DELIVER(better, "b2");
    CHECK(MOCK_IS(mock_receive(pull), "", "b1"));
    CHECK(MOCK_IS(mock_receive(pull), "", "b2"));
    CHECK(MOCK_IS(mock_receive(pull), "", "w2"));
    mock_close(pull);
}

TEST(pull_hears_again_of_a_peer_that_had_nothing)
{
    struct sp_socket *pull = mock_open(&sp_pull_protocol);
    struct nn_pipe *peer = mock_attach(pull, 0);

    for (int round = 0; round < 3; round++) {
        MOCK_DELIVER(peer, "x");
        CHECK_EQUAL(mock_events(pull), NN_POLLIN);
        CHECK(MOCK_IS(mock_receive(pull), "", "x"));
        if (round > 0) /* both ways to learn that nothing is left */
            CHECK_EQUAL(mock_receive_rc(pull), -EAGAIN);
        CHECK_EQUAL(mock_events(pull), 0);
    }
    mock_close(pull);
}

TEST(pull_forgets_a_peer_that_goes_with_messages_waiting)
{
    struct sp_socket *pull = mock_open(&sp_pull_protocol);
    struct nn_pipe *a = mock_attach(pull, 0);
    struct nn_pipe *b = mock_attach(pull, 0);

    MOCK_DELIVER(a, "a1");
    MOCK_DELIVER(b, "b1");
    mock_break(a);
    CHECK(MOCK_IS(mock_receive(pull), "", "b1"));
    CHECK_EQUAL(mock_receive_rc(pull), -EAGAIN);
    mock_close(pull);
}
