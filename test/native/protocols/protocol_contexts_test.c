/* Contexts on mock pipes: requests, surveys and their answers side by side on one socket. */
#include "harness.h"
#include "mock_pipes.h"

#include <nanomsg/reqrep.h>
#include <nanomsg/survey.h>

#include <errno.h>

extern const struct nn_protocol sp_req_protocol;
extern const struct nn_protocol sp_rep_protocol;
extern const struct nn_protocol sp_surveyor_protocol;
extern const struct nn_protocol sp_respondent_protocol;

/* The mock's "random" numbers make these the first ids. */
#define FIRST_ID "\xff\xff\xff\xff"
#define SECOND_ID "\x80\0\0\0"
#define THIRD_ID "\x80\0\0\1"

static void check_receives(struct sp_socket *socket, uint32_t expected, struct mock_bytes body)
{
    uint32_t context = 12345;
    struct mock_bytes received = mock_context_receive(socket, &context);

    CHECK_EQUAL(received.rc, 0);
    CHECK_EQUAL(context, expected);
    CHECK_BYTES(received.bytes, received.count, body.bytes, body.count);
}

#define CHECK_RECEIVES(socket, context, text)                                                                          \
    check_receives((socket), (context), (struct mock_bytes){.count = sizeof(text) - 1, .bytes = text})

static int context_receive_rc(struct sp_socket *socket)
{
    uint32_t context;

    return mock_context_receive(socket, &context).rc;
}

/* ---- REQ ---- */

TEST(requests_go_on_side_by_side_and_are_answered_in_any_order)
{
    struct sp_socket *req = mock_open(&sp_req_protocol);
    struct nn_pipe *rep = mock_attach(req, MOCK_UNLIMITED);

    CHECK_OK(MOCK_CONTEXT_SEND(req, 7, "A"));
    CHECK_OK(MOCK_SEND(req, "B"));
    CHECK_OK(MOCK_CONTEXT_SEND(req, 9, "C"));
    CHECK(MOCK_IS(mock_sent(rep), "", FIRST_ID "A"));
    CHECK(MOCK_IS(mock_sent(rep), "", SECOND_ID "B"));
    CHECK(MOCK_IS(mock_sent(rep), "", THIRD_ID "C"));
    CHECK_EQUAL(mock_events(req), NN_POLLOUT);
    MOCK_DELIVER(rep, THIRD_ID "to C");
    MOCK_DELIVER(rep, FIRST_ID "to A");
    MOCK_DELIVER(rep, SECOND_ID "to B");
    CHECK_EQUAL(mock_events(req), NN_POLLIN | NN_POLLOUT);
    CHECK_RECEIVES(req, 9, "to C");
    CHECK_RECEIVES(req, 7, "to A");
    CHECK_RECEIVES(req, 0, "to B");
    CHECK_EQUAL(context_receive_rc(req), -EAGAIN);
    CHECK_EQUAL(mock_events(req), NN_POLLOUT);
    mock_close(req);
}

TEST(no_two_requests_at_the_same_time_have_one_id)
{
    struct sp_socket *req = mock_open(&sp_req_protocol);
    struct nn_pipe *rep = mock_attach(req, MOCK_UNLIMITED);

    CHECK_OK(MOCK_CONTEXT_SEND(req, 7, "A"));
    CHECK_OK(MOCK_SEND(req, "B"));
    mock_repeat_random(req);
    CHECK_OK(MOCK_CONTEXT_SEND(req, 9, "C"));
    CHECK(MOCK_IS(mock_sent(rep), "", FIRST_ID "A"));
    CHECK(MOCK_IS(mock_sent(rep), "", SECOND_ID "B"));
    CHECK(MOCK_IS(mock_sent(rep), "", THIRD_ID "C"));
    mock_close(req);
}

TEST(each_request_is_answered_by_the_peer_that_was_asked)
{
    struct sp_socket *req = mock_open(&sp_req_protocol);
    struct nn_pipe *first = mock_attach(req, MOCK_UNLIMITED);
    struct nn_pipe *second = mock_attach(req, MOCK_UNLIMITED);

    CHECK_OK(MOCK_CONTEXT_SEND(req, 7, "A"));
    CHECK_OK(MOCK_CONTEXT_SEND(req, 9, "B"));
    MOCK_DELIVER(first, SECOND_ID "made up");
    MOCK_DELIVER(second, FIRST_ID "made up");
    CHECK_EQUAL(context_receive_rc(req), -EAGAIN);
    MOCK_DELIVER(second, SECOND_ID "to B");
    MOCK_DELIVER(first, FIRST_ID "to A");
    CHECK_RECEIVES(req, 9, "to B");
    CHECK_RECEIVES(req, 7, "to A");
    mock_close(req);
}

TEST(a_context_ends_with_its_reply)
{
    struct sp_socket *req = mock_open(&sp_req_protocol);
    struct nn_pipe *rep = mock_attach(req, MOCK_UNLIMITED);

    CHECK_OK(MOCK_CONTEXT_SEND(req, 7, "A"));
    CHECK_EQUAL(MOCK_CONTEXT_SEND(req, 7, "again"), -EEXIST);
    MOCK_DELIVER(rep, FIRST_ID "reply");
    MOCK_DELIVER(rep, FIRST_ID "another");
    CHECK_EQUAL(MOCK_CONTEXT_SEND(req, 7, "before it is received"), -EEXIST);
    CHECK_RECEIVES(req, 7, "reply");
    CHECK_EQUAL(context_receive_rc(req), -EAGAIN);
    CHECK_OK(MOCK_CONTEXT_SEND(req, 7, "B"));
    mock_close(req);
}

TEST(requests_that_no_peer_takes_wait_in_order)
{
    struct sp_socket *req = mock_open(&sp_req_protocol);
    struct nn_pipe *rep;

    CHECK_OK(MOCK_CONTEXT_SEND(req, 1, "A"));
    CHECK_OK(MOCK_CONTEXT_SEND(req, 2, "B"));
    CHECK_OK(MOCK_CONTEXT_SEND(req, 3, "C"));
    rep = mock_attach(req, 2);
    CHECK(MOCK_IS(mock_sent(rep), "", FIRST_ID "A"));
    CHECK(MOCK_IS(mock_sent(rep), "", SECOND_ID "B"));
    CHECK_EQUAL(mock_sent(rep).rc, -EAGAIN);
    mock_drain(rep, 1);
    CHECK(MOCK_IS(mock_sent(rep), "", THIRD_ID "C"));
    mock_close(req);
}

TEST(requests_are_sent_again_when_their_connection_breaks)
{
    struct sp_socket *req = mock_open(&sp_req_protocol);
    struct nn_pipe *dying = mock_attach(req, MOCK_UNLIMITED);

    CHECK_OK(MOCK_CONTEXT_SEND(req, 1, "A"));
    CHECK_OK(MOCK_CONTEXT_SEND(req, 2, "B"));
    mock_break(dying);
    struct nn_pipe *rep = mock_attach(req, MOCK_UNLIMITED);
    CHECK(MOCK_IS(mock_sent(rep), "", FIRST_ID "A"));
    CHECK(MOCK_IS(mock_sent(rep), "", SECOND_ID "B"));
    mock_close(req);
}

TEST(each_request_is_sent_again_at_its_own_time)
{
    struct sp_socket *req = mock_open(&sp_req_protocol);
    struct nn_pipe *rep = mock_attach(req, MOCK_UNLIMITED);

    CHECK_OK(mock_set_int(req, NN_REQ_RESEND_IVL, 100));
    CHECK_OK(MOCK_CONTEXT_SEND(req, 1, "A"));
    mock_pass_ms(req, 60);
    CHECK_OK(MOCK_CONTEXT_SEND(req, 2, "B"));
    CHECK_EQUAL(mock_sent_count(rep), 2);
    mock_pass_ms(req, 41);
    CHECK_EQUAL(mock_sent_count(rep), 3);
    MOCK_DELIVER(rep, FIRST_ID "to A");
    mock_pass_ms(req, 61);
    CHECK_EQUAL(mock_sent_count(rep), 4);
    mock_sent(rep);
    mock_sent(rep);
    CHECK(MOCK_IS(mock_sent(rep), "", FIRST_ID "A"));
    CHECK(MOCK_IS(mock_sent(rep), "", SECOND_ID "B"));
    mock_close(req);
}

TEST(a_request_that_is_forgotten_is_not_sent_again_and_its_reply_is_dropped)
{
    struct sp_socket *req = mock_open(&sp_req_protocol);
    struct nn_pipe *rep = mock_attach(req, MOCK_UNLIMITED);

    CHECK_OK(mock_set_int(req, NN_REQ_RESEND_IVL, 100));
    CHECK_OK(MOCK_CONTEXT_SEND(req, 1, "A"));
    CHECK_OK(MOCK_CONTEXT_SEND(req, 2, "B"));
    mock_context_close(req, 1);
    MOCK_DELIVER(rep, FIRST_ID "to A");
    CHECK_EQUAL(context_receive_rc(req), -EAGAIN);
    MOCK_DELIVER(rep, SECOND_ID "to B");
    mock_context_close(req, 2);
    CHECK_EQUAL(context_receive_rc(req), -EAGAIN);
    CHECK_EQUAL(mock_events(req), NN_POLLOUT);
    mock_context_close(req, 3);
    mock_pass_ms(req, 1000);
    CHECK_EQUAL(mock_sent_count(rep), 2);
    mock_close(req);
}

TEST(requests_without_memory_change_nothing)
{
    struct sp_socket *req = mock_open(&sp_req_protocol);
    struct nn_pipe *rep = mock_attach(req, MOCK_UNLIMITED);

    mock_starve(1);
    CHECK_EQUAL(MOCK_CONTEXT_SEND(req, 1, "A"), -ENOMEM);
    mock_starve(0);
    CHECK_EQUAL(mock_sent_count(rep), 0);
    CHECK_OK(MOCK_CONTEXT_SEND(req, 1, "A"));
    mock_close(req);
}

/* ---- REP and RESPONDENT ---- */

static void check_answers_in_any_order(const struct nn_protocol *protocol)
{
    struct sp_socket *rep = mock_open(protocol);
    struct nn_pipe *one = mock_attach(rep, MOCK_UNLIMITED);
    struct nn_pipe *other = mock_attach(rep, MOCK_UNLIMITED);

    MOCK_DELIVER(one, "\x80\0\0\1A");
    MOCK_DELIVER(other, "\0\0\0\5\x80\0\0\1B");
    MOCK_DELIVER(one, "\x80\0\0\2C");
    CHECK_RECEIVES(rep, 1, "A");
    CHECK_RECEIVES(rep, 2, "B");
    CHECK_RECEIVES(rep, 3, "C");
    CHECK_EQUAL(context_receive_rc(rep), -EAGAIN);
    CHECK_OK(MOCK_CONTEXT_SEND(rep, 3, "to C"));
    CHECK_OK(MOCK_CONTEXT_SEND(rep, 2, "to B"));
    CHECK_OK(MOCK_CONTEXT_SEND(rep, 1, "to A"));
    CHECK_EQUAL(MOCK_CONTEXT_SEND(rep, 1, "once more"), -EFSM);
    CHECK(MOCK_IS(mock_sent(one), "", "\x80\0\0\2to C"));
    CHECK(MOCK_IS(mock_sent(other), "", "\0\0\0\5\x80\0\0\1to B"));
    CHECK(MOCK_IS(mock_sent(one), "", "\x80\0\0\1to A"));
    mock_close(rep);
}

TEST(replies_go_where_their_requests_came_from_in_any_order)
{
    check_answers_in_any_order(&sp_rep_protocol);
}

TEST(answers_go_where_their_surveys_came_from_in_any_order)
{
    check_answers_in_any_order(&sp_respondent_protocol);
}

TEST(replies_that_their_peer_does_not_take_wait_and_it_is_not_listened_to)
{
    struct sp_socket *rep = mock_open(&sp_rep_protocol);
    struct nn_pipe *slow = mock_attach(rep, 1);

    MOCK_DELIVER(slow, "\x80\0\0\1A");
    MOCK_DELIVER(slow, "\x80\0\0\2B");
    MOCK_DELIVER(slow, "\x80\0\0\3C");
    CHECK_RECEIVES(rep, 1, "A");
    CHECK_RECEIVES(rep, 2, "B");
    CHECK_OK(MOCK_CONTEXT_SEND(rep, 1, "to A"));
    CHECK_OK(MOCK_CONTEXT_SEND(rep, 2, "to B"));
    CHECK_EQUAL(mock_sent_count(slow), 1);
    CHECK_EQUAL(context_receive_rc(rep), -EAGAIN);
    MOCK_DELIVER(slow, "\x80\0\0\4D");
    CHECK_EQUAL(context_receive_rc(rep), -EAGAIN);
    mock_drain(slow, 2);
    CHECK(MOCK_IS(mock_sent(slow), "", "\x80\0\0\1to A"));
    CHECK(MOCK_IS(mock_sent(slow), "", "\x80\0\0\2to B"));
    CHECK_RECEIVES(rep, 3, "C");
    CHECK_RECEIVES(rep, 4, "D");
    mock_close(rep);
}

TEST(replies_to_a_peer_that_is_gone_are_dropped)
{
    struct sp_socket *rep = mock_open(&sp_rep_protocol);
    struct nn_pipe *gone = mock_attach(rep, 1);

    MOCK_DELIVER(gone, "\x80\0\0\1A");
    MOCK_DELIVER(gone, "\x80\0\0\2B");
    MOCK_DELIVER(gone, "\x80\0\0\3C");
    CHECK_RECEIVES(rep, 1, "A");
    CHECK_RECEIVES(rep, 2, "B");
    CHECK_RECEIVES(rep, 3, "C");
    CHECK_OK(MOCK_CONTEXT_SEND(rep, 1, "sent"));
    CHECK_OK(MOCK_CONTEXT_SEND(rep, 2, "waiting"));
    mock_break(gone);
    CHECK_OK(MOCK_CONTEXT_SEND(rep, 3, "late"));
    mock_close(rep);
}

TEST(a_question_that_is_forgotten_cannot_be_answered)
{
    struct sp_socket *rep = mock_open(&sp_rep_protocol);
    struct nn_pipe *req = mock_attach(rep, MOCK_UNLIMITED);

    MOCK_DELIVER(req, "\x80\0\0\1A");
    CHECK_RECEIVES(rep, 1, "A");
    mock_context_close(rep, 1);
    CHECK_EQUAL(MOCK_CONTEXT_SEND(rep, 1, "to A"), -EFSM);
    CHECK_EQUAL(mock_sent_count(req), 0);
    mock_close(rep);
}

TEST(the_turn_of_a_rep_is_not_changed_by_contexts)
{
    struct sp_socket *rep = mock_open(&sp_rep_protocol);
    struct nn_pipe *req = mock_attach(rep, MOCK_UNLIMITED);

    MOCK_DELIVER(req, "\x80\0\0\1A");
    MOCK_DELIVER(req, "\x80\0\0\2B");
    CHECK(MOCK_IS(mock_receive(rep), "", "A"));
    CHECK_RECEIVES(rep, 1, "B");
    CHECK_OK(MOCK_SEND(rep, "to A"));
    CHECK_EQUAL(MOCK_SEND(rep, "out of turn"), -EFSM);
    CHECK_OK(MOCK_CONTEXT_SEND(rep, 1, "to B"));
    CHECK(MOCK_IS(mock_sent(req), "", "\x80\0\0\1to A"));
    CHECK(MOCK_IS(mock_sent(req), "", "\x80\0\0\2to B"));
    mock_close(rep);
}

/* ---- SURVEYOR ---- */

TEST(surveys_go_on_side_by_side_until_they_are_forgotten)
{
    struct sp_socket *surveyor = mock_open(&sp_surveyor_protocol);
    struct nn_pipe *one = mock_attach(surveyor, MOCK_UNLIMITED);
    struct nn_pipe *other = mock_attach(surveyor, MOCK_UNLIMITED);

    CHECK_OK(MOCK_CONTEXT_SEND(surveyor, 1, "A"));
    CHECK_OK(MOCK_CONTEXT_SEND(surveyor, 2, "B"));
    CHECK_EQUAL(MOCK_CONTEXT_SEND(surveyor, 2, "B again"), -EEXIST);
    CHECK(MOCK_IS(mock_sent(one), "", FIRST_ID "A"));
    CHECK(MOCK_IS(mock_sent(other), "", FIRST_ID "A"));
    CHECK_EQUAL(mock_events(surveyor), NN_POLLOUT);
    MOCK_DELIVER(one, SECOND_ID "one to B");
    MOCK_DELIVER(one, FIRST_ID "one to A");
    MOCK_DELIVER(other, FIRST_ID "other to A");
    CHECK_EQUAL(mock_events(surveyor), NN_POLLIN | NN_POLLOUT);
    CHECK_RECEIVES(surveyor, 2, "one to B");
    CHECK_RECEIVES(surveyor, 1, "other to A");
    mock_context_close(surveyor, 1);
    CHECK_EQUAL(context_receive_rc(surveyor), -EAGAIN);
    MOCK_DELIVER(other, SECOND_ID "other to B");
    CHECK_RECEIVES(surveyor, 2, "other to B");
    mock_close(surveyor);
}

TEST(no_two_surveys_at_the_same_time_have_one_id)
{
    struct sp_socket *surveyor = mock_open(&sp_surveyor_protocol);
    struct nn_pipe *pipe = mock_attach(surveyor, MOCK_UNLIMITED);

    CHECK_OK(MOCK_CONTEXT_SEND(surveyor, 7, "A"));
    CHECK_OK(MOCK_SEND(surveyor, "B"));
    mock_repeat_random(surveyor);
    CHECK_OK(MOCK_SEND(surveyor, "C"));
    CHECK(MOCK_IS(mock_sent(pipe), "", FIRST_ID "A"));
    CHECK(MOCK_IS(mock_sent(pipe), "", SECOND_ID "B"));
    CHECK(MOCK_IS(mock_sent(pipe), "", THIRD_ID "C"));
    mock_close(surveyor);
}

TEST(a_survey_that_names_no_context_goes_on_beside_them)
{
    struct sp_socket *surveyor = mock_open(&sp_surveyor_protocol);
    struct nn_pipe *respondent = mock_attach(surveyor, MOCK_UNLIMITED);

    CHECK_OK(MOCK_CONTEXT_SEND(surveyor, 1, "A"));
    CHECK_OK(MOCK_SEND(surveyor, "B"));
    MOCK_DELIVER(respondent, SECOND_ID "to B");
    MOCK_DELIVER(respondent, FIRST_ID "to A");
    CHECK(MOCK_IS(mock_receive(surveyor), "", "to B"));
    CHECK_EQUAL(mock_receive_rc(surveyor), -EAGAIN);
    CHECK_RECEIVES(surveyor, 1, "to A");
    mock_pass_ms(surveyor, 1001);
    CHECK_EQUAL(mock_receive_rc(surveyor), -ETIMEDOUT);
    MOCK_DELIVER(respondent, SECOND_ID "too late");
    MOCK_DELIVER(respondent, FIRST_ID "in time");
    CHECK_RECEIVES(surveyor, 1, "in time");
    CHECK_EQUAL(mock_receive_rc(surveyor), -EFSM);
    mock_close(surveyor);
}
