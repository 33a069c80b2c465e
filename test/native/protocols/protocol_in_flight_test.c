/* NN_REQ_MAX_IN_FLIGHT on mock pipes: how many requests a peer has, and which peer gets the next. The mock's "random"
 * numbers make these the first ids. */
#include "harness.h"
#include "mock_pipes.h"

#include <nanomsg/reqrep.h>

#include <errno.h>
#include <limits.h>

extern const struct nn_protocol sp_req_protocol;
extern const struct nn_protocol sp_req_raw_protocol;

#define FIRST_ID "\xff\xff\xff\xff"
#define SECOND_ID "\x80\0\0\0"
#define THIRD_ID "\x80\0\0\1"
#define FOURTH_ID "\x80\0\0\2"

static struct sp_socket *limited_req(int limit)
{
    struct sp_socket *req = mock_open(&sp_req_protocol);

    CHECK_OK(mock_set_int(req, NN_REQ_MAX_IN_FLIGHT, limit));
    return req;
}

static void ask(struct sp_socket *req, uint32_t first, uint32_t last)
{
    for (uint32_t context = first; context <= last; context++)
        CHECK_OK(MOCK_CONTEXT_SEND(req, context, "job"));
}

static void check_has(struct nn_pipe *peer, size_t count)
{
    CHECK_EQUAL(mock_sent_count(peer), count);
}

TEST(a_peer_has_no_more_requests_than_it_may_and_the_next_when_one_is_answered)
{
    struct sp_socket *req = limited_req(2);
    struct nn_pipe *rep = mock_attach(req, MOCK_UNLIMITED);

    ask(req, 1, 4);
    check_has(rep, 2);
    MOCK_DELIVER(rep, SECOND_ID "done");
    check_has(rep, 3);
    CHECK(MOCK_IS(mock_sent(rep), "", FIRST_ID "job"));
    CHECK(MOCK_IS(mock_sent(rep), "", SECOND_ID "job"));
    CHECK(MOCK_IS(mock_sent(rep), "", THIRD_ID "job"));
    MOCK_DELIVER(rep, FIRST_ID "done");
    CHECK(MOCK_IS(mock_sent(rep), "", FOURTH_ID "job"));
    mock_close(req);
}

TEST(a_request_that_is_given_up_makes_room)
{
    struct sp_socket *req = limited_req(1);
    struct nn_pipe *rep = mock_attach(req, MOCK_UNLIMITED);

    ask(req, 1, 3);
    mock_context_close(req, 2);
    check_has(rep, 1);
    mock_context_close(req, 1);
    check_has(rep, 1);
    mock_pass_ms(req, 0);
    check_has(rep, 2);
    CHECK(MOCK_IS(mock_sent(rep), "", FIRST_ID "job"));
    CHECK(MOCK_IS(mock_sent(rep), "", THIRD_ID "job"));
    mock_close(req);
}

TEST(requests_that_are_given_up_together_are_not_sent_in_each_others_place)
{
    struct sp_socket *req = limited_req(1);
    struct nn_pipe *rep = mock_attach(req, MOCK_UNLIMITED);

    ask(req, 1, 100);
    for (uint32_t context = 1; context <= 99; context++)
        mock_context_close(req, context);
    mock_pass_ms(req, 0);
    check_has(rep, 2);
    mock_close(req);
}

TEST(a_request_that_is_sent_again_goes_to_a_peer_that_does_not_have_it)
{
    struct sp_socket *req = limited_req(10);
    struct nn_pipe *hung = mock_attach(req, MOCK_UNLIMITED);

    ask(req, 1, 1);
    struct nn_pipe *busy = mock_attach(req, MOCK_UNLIMITED);
    ask(req, 2, 3);
    check_has(hung, 2);
    check_has(busy, 1);
    mock_pass_ms(req, 60000);
    check_has(hung, 3);
    check_has(busy, 3);
    mock_close(req);
}

TEST(the_peer_with_the_fewest_requests_gets_the_next)
{
    struct sp_socket *req = limited_req(10);
    struct nn_pipe *slow = mock_attach(req, MOCK_UNLIMITED);

    ask(req, 1, 3);
    struct nn_pipe *fast = mock_attach(req, MOCK_UNLIMITED);
    ask(req, 4, 6);
    check_has(slow, 3);
    check_has(fast, 3);
    ask(req, 7, 8); /* both have as many: in turn */
    check_has(slow, 4);
    check_has(fast, 4);
    MOCK_DELIVER(slow, FIRST_ID "done");
    ask(req, 9, 9);
    check_has(slow, 5);
    mock_close(req);
}

TEST(a_worse_priority_gets_what_the_better_one_has_no_room_for)
{
    struct sp_socket *req = limited_req(2);
    struct nn_pipe *worse = mock_attach_with_priority(req, MOCK_UNLIMITED, 9);
    struct nn_pipe *better = mock_attach_with_priority(req, MOCK_UNLIMITED, 1);

    ask(req, 1, 2);
    check_has(better, 2);
    CHECK_EQUAL(mock_send_priority(req), 9);
    ask(req, 3, 3);
    check_has(worse, 1);
    MOCK_DELIVER(better, FIRST_ID "done");
    CHECK_EQUAL(mock_send_priority(req), 1);
    ask(req, 4, 4);
    check_has(better, 3);
    mock_close(req);
}

TEST(a_peer_that_goes_gives_its_requests_to_those_with_room)
{
    struct sp_socket *req = limited_req(2);
    struct nn_pipe *first = mock_attach(req, MOCK_UNLIMITED);

    ask(req, 1, 4);
    struct nn_pipe *second = mock_attach(req, MOCK_UNLIMITED);
    check_has(second, 2);
    mock_break(first);
    check_has(second, 2);
    MOCK_DELIVER(second, THIRD_ID "done");
    check_has(second, 3);
    struct nn_pipe *third = mock_attach(req, MOCK_UNLIMITED);
    check_has(third, 1);
    mock_close(req);
}

TEST(a_peer_that_is_full_and_goes_is_forgotten)
{
    struct sp_socket *req = limited_req(1);
    struct nn_pipe *first = mock_attach(req, MOCK_UNLIMITED);

    ask(req, 1, 2);
    check_has(first, 1);
    mock_break(first);
    CHECK_OK(mock_set_int(req, NN_REQ_MAX_IN_FLIGHT, 5));
    struct nn_pipe *second = mock_attach(req, MOCK_UNLIMITED);
    check_has(second, 2);
    mock_close(req);
}

TEST(a_request_that_is_sent_again_counts_for_each_peer_that_has_it_once)
{
    struct sp_socket *req = limited_req(1);
    struct nn_pipe *first = mock_attach(req, MOCK_UNLIMITED);
    struct nn_pipe *second = mock_attach(req, MOCK_UNLIMITED);

    CHECK_OK(mock_set_int(req, NN_REQ_RESEND_IVL, 100));
    ask(req, 1, 1);
    mock_pass_ms(req, 100);
    check_has(second, 1);
    ask(req, 2, 3);
    check_has(first, 1);
    check_has(second, 1);
    mock_pass_ms(req, 100); /* no peer has room, and the one that has it gets it once more */
    check_has(first, 1);
    check_has(second, 2);
    MOCK_DELIVER(first, FIRST_ID "done"); /* both have room now */
    check_has(first, 2);
    check_has(second, 3);
    mock_close(req);
}

TEST(a_request_that_its_only_peer_has_lost_goes_there_again_though_others_wait)
{
    struct sp_socket *req = limited_req(1);
    struct nn_pipe *rep = mock_attach(req, 1);

    CHECK_OK(mock_set_int(req, NN_REQ_RESEND_IVL, 100));
    ask(req, 1, 2);
    mock_pass_ms(req, 100); /* the peer takes nothing now */
    check_has(rep, 1);
    mock_drain(rep, MOCK_UNLIMITED);
    check_has(rep, 2);
    CHECK(MOCK_IS(mock_sent(rep), "", FIRST_ID "job"));
    CHECK(MOCK_IS(mock_sent(rep), "", FIRST_ID "job"));
    MOCK_DELIVER(rep, FIRST_ID "done");
    CHECK(MOCK_IS(mock_sent(rep), "", SECOND_ID "job"));
    mock_close(req);
}

TEST(a_peer_that_takes_nothing_gets_what_waits_when_it_has_room_and_takes_some)
{
    struct sp_socket *req = limited_req(1);
    struct nn_pipe *rep = mock_attach(req, 1);

    ask(req, 1, 2);
    MOCK_DELIVER(rep, FIRST_ID "done");
    check_has(rep, 1);
    mock_drain(rep, 1);
    check_has(rep, 2);
    mock_close(req);
}

TEST(a_higher_limit_counts_at_once_and_so_does_a_lower_one)
{
    struct sp_socket *req = limited_req(1);
    struct nn_pipe *first = mock_attach(req, MOCK_UNLIMITED);
    struct nn_pipe *second = mock_attach(req, MOCK_UNLIMITED);

    ask(req, 1, 8);
    CHECK_OK(mock_set_int(req, NN_REQ_MAX_IN_FLIGHT, 3));
    check_has(first, 3);
    check_has(second, 3);
    CHECK_OK(mock_set_int(req, NN_REQ_MAX_IN_FLIGHT, 0));
    CHECK_EQUAL(mock_sent_count(first) + mock_sent_count(second), 8);
    CHECK_OK(mock_set_int(req, NN_REQ_MAX_IN_FLIGHT, 1));
    ask(req, 9, 9);
    MOCK_DELIVER(first, FIRST_ID "done");
    CHECK_EQUAL(mock_sent_count(first) + mock_sent_count(second), 8);
    struct nn_pipe *third = mock_attach(req, MOCK_UNLIMITED);
    check_has(third, 1);
    mock_close(req);
}

TEST(a_limit_is_a_number_from_0_on_and_the_raw_socket_has_none)
{
    struct sp_socket *req = mock_open(&sp_req_protocol);
    struct sp_socket *raw = mock_open(&sp_req_raw_protocol);
    int value = -1;

    CHECK_OK(mock_get_int(req, NN_REQ_MAX_IN_FLIGHT, &value));
    CHECK_EQUAL(value, 0);
    CHECK_EQUAL(mock_set_int(req, NN_REQ_MAX_IN_FLIGHT, -1), -EINVAL);
    CHECK_EQUAL(mock_set_option(req, NN_REQ_MAX_IN_FLIGHT, &value, 1), -EINVAL);
    CHECK_OK(mock_set_int(req, NN_REQ_MAX_IN_FLIGHT, INT_MAX));
    CHECK_OK(mock_get_int(req, NN_REQ_MAX_IN_FLIGHT, &value));
    CHECK_EQUAL(value, INT_MAX);
    CHECK_EQUAL(mock_set_int(raw, NN_REQ_MAX_IN_FLIGHT, 1), -ENOPROTOOPT);
    mock_close(req);
    mock_close(raw);
}
