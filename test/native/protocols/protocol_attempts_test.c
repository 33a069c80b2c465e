/* NN_REQ_ATTEMPTS on mock pipes: requests whose peers go away while they have them. The mock's "random" numbers make
 * these the first ids. */
#include "harness.h"
#include "mock_pipes.h"

#include <nanomsg/reqrep.h>

#include <errno.h>

extern const struct nn_protocol sp_req_protocol;

#define FIRST_ID "\xff\xff\xff\xff"

static struct sp_socket *open_req(int option, int value)
{
    struct sp_socket *req = mock_open(&sp_req_protocol);

    CHECK_OK(mock_set_int(req, option, value));
    return req;
}

/* A peer comes, has the request, and goes. */
static void lose_peer(struct sp_socket *req)
{
    struct nn_pipe *rep = mock_attach(req, MOCK_UNLIMITED);

    CHECK_EQUAL(mock_sent_count(rep), 1);
    mock_break(rep);
}

static void check_sent(struct sp_socket *req, size_t count)
{
    struct nn_pipe *rep = mock_attach(req, MOCK_UNLIMITED);

    CHECK_EQUAL(mock_sent_count(rep), count);
}

TEST(a_request_fails_when_as_many_peers_have_gone_as_it_has_attempts)
{
    struct sp_socket *req = open_req(NN_REQ_ATTEMPTS, 3);

    CHECK_OK(MOCK_SEND(req, "poison"));
    lose_peer(req);
    lose_peer(req);
    CHECK_EQUAL(mock_receive_rc(req), -EAGAIN);
    CHECK_EQUAL(mock_events(req), NN_POLLOUT);
    lose_peer(req);
    CHECK_EQUAL(mock_events(req), NN_POLLIN | NN_POLLOUT);
    CHECK_EQUAL(mock_receive_rc(req), -ECONNRESET);
    CHECK_EQUAL(mock_receive_rc(req), -EFSM);
    check_sent(req, 0);
    CHECK_OK(MOCK_SEND(req, "next"));
    mock_close(req);
}

TEST(a_request_that_has_failed_gives_way_to_the_next)
{
    struct sp_socket *req = open_req(NN_REQ_ATTEMPTS, 1);

    CHECK_OK(MOCK_SEND(req, "poison"));
    lose_peer(req);
    CHECK_OK(MOCK_SEND(req, "next"));
    CHECK_EQUAL(mock_receive_rc(req), -EAGAIN);
    mock_close(req);
}

TEST(a_request_has_any_number_of_attempts_at_first)
{
    struct sp_socket *req = mock_open(&sp_req_protocol);

    CHECK_OK(MOCK_SEND(req, "A"));
    for (int i = 0; i < 100; i++)
        lose_peer(req);
    check_sent(req, 1);
    mock_close(req);
}

TEST(a_request_in_a_context_fails_with_the_number_of_peers_that_have_gone)
{
    struct sp_socket *req = open_req(NN_REQ_CONTEXT_ATTEMPTS, 2);
    uint32_t context = 0;

    CHECK_OK(MOCK_CONTEXT_SEND(req, 7, "poison"));
    CHECK_OK(mock_set_int(req, NN_REQ_CONTEXT_ATTEMPTS, 0)); /* for later ones */
    lose_peer(req);
    lose_peer(req);
    CHECK_EQUAL(mock_events(req), NN_POLLIN | NN_POLLOUT);
    CHECK_EQUAL(mock_context_receive(req, &context).rc, -ECONNRESET);
    CHECK_EQUAL(context, 7);
    CHECK_EQUAL(mock_context_receive(req, &context).rc, -EAGAIN);
    CHECK_OK(MOCK_CONTEXT_SEND(req, 7, "again"));
    lose_peer(req);
    lose_peer(req);
    check_sent(req, 1);
    mock_close(req);
}

TEST(a_failure_that_was_not_received_ends_with_its_context_or_its_socket)
{
    struct sp_socket *req = open_req(NN_REQ_CONTEXT_ATTEMPTS, 1);
    uint32_t context = 0;

    CHECK_OK(MOCK_CONTEXT_SEND(req, 1, "A"));
    lose_peer(req);
    mock_context_close(req, 1);
    CHECK_EQUAL(mock_context_receive(req, &context).rc, -EAGAIN);
    CHECK_OK(MOCK_CONTEXT_SEND(req, 2, "B"));
    lose_peer(req);
    mock_close(req);
}

TEST(no_request_fails_while_a_peer_has_it)
{
    struct sp_socket *req = open_req(NN_REQ_ATTEMPTS, 1);
    struct nn_pipe *first = mock_attach(req, MOCK_UNLIMITED);
    struct nn_pipe *second = mock_attach(req, MOCK_UNLIMITED);

    CHECK_OK(MOCK_SEND(req, "A"));
    mock_pass_ms(req, 60000);
    CHECK_EQUAL(mock_sent_count(second), 1);
    mock_break(first);
    CHECK_EQUAL(mock_receive_rc(req), -EAGAIN);
    MOCK_DELIVER(second, FIRST_ID "reply");
    CHECK(MOCK_IS(mock_receive(req), "", "reply"));
    mock_close(req);
}

TEST(a_request_fails_with_the_last_peer_that_has_it_and_is_sent_to_no_other_before)
{
    struct sp_socket *req = open_req(NN_REQ_ATTEMPTS, 1);
    struct nn_pipe *first = mock_attach(req, MOCK_UNLIMITED);
    struct nn_pipe *second = mock_attach(req, MOCK_UNLIMITED);

    CHECK_OK(MOCK_SEND(req, "A"));
    mock_pass_ms(req, 60000);
    mock_break(second); /* the latest: the first one still has it */
    struct nn_pipe *third = mock_attach(req, MOCK_UNLIMITED);
    mock_pass_ms(req, 60000);
    CHECK_EQUAL(mock_sent_count(third), 0);
    CHECK_EQUAL(mock_receive_rc(req), -EAGAIN);
    mock_break(first);
    CHECK_EQUAL(mock_receive_rc(req), -ECONNRESET);
    CHECK_EQUAL(mock_sent_count(third), 0);
    mock_close(req);
}

TEST(what_a_timer_has_sent_again_uses_no_attempt_up)
{
    struct sp_socket *req = open_req(NN_REQ_ATTEMPTS, 2);
    struct nn_pipe *first = mock_attach(req, MOCK_UNLIMITED);

    CHECK_OK(MOCK_SEND(req, "A"));
    for (int i = 0; i < 10; i++)
        mock_pass_ms(req, 60000);
    CHECK_EQUAL(mock_sent_count(first), 11);
    mock_break(first); /* the first attempt */
    check_sent(req, 1);
    CHECK_EQUAL(mock_receive_rc(req), -EAGAIN);
    mock_close(req);
}

TEST(a_request_that_waits_for_a_peer_that_takes_some_fails_when_that_has_gone)
{
    struct sp_socket *req = open_req(NN_REQ_ATTEMPTS, 1);
    struct nn_pipe *rep = mock_attach(req, 1);

    CHECK_OK(MOCK_SEND(req, "A"));
    mock_pass_ms(req, 60000); /* the peer takes nothing now */
    mock_break(rep);
    CHECK_EQUAL(mock_receive_rc(req), -ECONNRESET);
    check_sent(req, 0);
    mock_close(req);
}

TEST(requests_in_contexts_may_have_an_interval_of_their_own)
{
    struct sp_socket *req = open_req(NN_REQ_CONTEXT_RESEND_IVL, 10);
    struct nn_pipe *rep = mock_attach(req, MOCK_UNLIMITED);

    CHECK_OK(MOCK_CONTEXT_SEND(req, 1, "often"));
    CHECK_OK(mock_set_int(req, NN_REQ_CONTEXT_RESEND_IVL, 0));
    CHECK_OK(MOCK_CONTEXT_SEND(req, 2, "once"));
    CHECK_OK(mock_set_int(req, NN_REQ_CONTEXT_RESEND_IVL, -1));
    CHECK_OK(MOCK_CONTEXT_SEND(req, 3, "as others"));
    mock_pass_ms(req, 10);
    mock_pass_ms(req, 10);
    CHECK_EQUAL(mock_sent_count(rep), 5);
    mock_context_close(req, 1);
    mock_pass_ms(req, 60000);
    CHECK_EQUAL(mock_sent_count(rep), 6);
    mock_close(req);
}

TEST(attempts_are_a_number_from_0_on_and_an_interval_of_contexts_one_from_minus_1_on)
{
    struct sp_socket *req = mock_open(&sp_req_protocol);
    int value = 12345;

    CHECK_EQUAL(mock_set_int(req, NN_REQ_ATTEMPTS, -1), -EINVAL);
    CHECK_EQUAL(mock_set_int(req, NN_REQ_CONTEXT_ATTEMPTS, -1), -EINVAL);
    CHECK_EQUAL(mock_set_int(req, NN_REQ_CONTEXT_RESEND_IVL, -2), -EINVAL);
    CHECK_OK(mock_get_int(req, NN_REQ_CONTEXT_RESEND_IVL, &value));
    CHECK_EQUAL(value, -1);
    CHECK_OK(mock_get_int(req, NN_REQ_CONTEXT_ATTEMPTS, &value));
    CHECK_EQUAL(value, 0);
    mock_close(req);
}
