/* REQ on mock pipes. The mock's "random" numbers make the first two ids ffffffff and 80000000. */
#include "harness.h"
#include "mock_pipes.h"

#include <nanomsg/reqrep.h>

#include <errno.h>
#include <string.h>

extern const struct nn_protocol sp_req_protocol;
extern const struct nn_protocol sp_req_raw_protocol;

#define FIRST_ID "\xff\xff\xff\xff"
#define SECOND_ID "\x80\0\0\0"

/* ---- Sending and receiving ---- */

TEST(req_sends_a_random_id_with_the_top_bit_set)
{
    struct sp_socket *req = mock_open(&sp_req_protocol);
    struct nn_pipe *rep = mock_attach(req, MOCK_UNLIMITED);

    CHECK_OK(MOCK_SEND(req, "A"));
    CHECK_OK(MOCK_SEND(req, ""));
    CHECK_OK(MOCK_SEND(req, "C"));
    CHECK(MOCK_IS(mock_sent(rep), "", FIRST_ID "A"));
    CHECK(MOCK_IS(mock_sent(rep), "", SECOND_ID ""));
    CHECK(MOCK_IS(mock_sent(rep), "", "\x80\0\0\1C"));
    mock_close(req);
}

TEST(req_receives_the_reply_once)
{
    struct sp_socket *req = mock_open(&sp_req_protocol);
    struct nn_pipe *rep = mock_attach(req, 1);

    CHECK_EQUAL(mock_events(req), NN_POLLOUT);
    CHECK_EQUAL(mock_receive_rc(req), -EFSM);
    CHECK_OK(MOCK_SEND(req, "A"));
    CHECK_EQUAL(mock_events(req), NN_POLLOUT);
    CHECK_EQUAL(mock_receive_rc(req), -EAGAIN);
    MOCK_DELIVER(rep, FIRST_ID "reply");
    CHECK_EQUAL(mock_events(req), NN_POLLIN | NN_POLLOUT);
    CHECK(MOCK_IS(mock_receive(req), "", "reply"));
    CHECK_EQUAL(mock_events(req), NN_POLLOUT);
    CHECK_EQUAL(mock_receive_rc(req), -EFSM);
    mock_close(req);
}

TEST(req_copies_a_request_once_and_an_owned_one_never)
{
    struct sp_socket *req = mock_open(&sp_req_protocol);
    unsigned copies_before = mock_copies();

    mock_attach(req, MOCK_UNLIMITED);
    CHECK_OK(MOCK_SEND(req, "A"));
    CHECK_EQUAL(mock_copies(), copies_before + 1);
    mock_pass_ms(req, 60000);
    CHECK_OK(mock_send_owned(req, "B", 1));
    CHECK_EQUAL(mock_copies(), copies_before + 1);
    mock_close(req);
}

TEST(req_drops_whatever_is_not_the_reply_to_the_latest_request)
{
    static const struct {
        const char *what;
        const char *bytes;
        size_t count;
    } cases[] = {
        {"nothing", "", 0},
        {"too short", "\x80\0\0", 3},
        {"top bit missing", "\0\0\0\0x", 5},
        {"cancelled request", FIRST_ID "x", 5},
        {"later id", "\x80\0\0\1x", 5},
        {"backtrace on top", "\0\0\0\1\x80\0\0\0x", 9},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sp_socket *req = mock_open(&sp_req_protocol);
        struct nn_pipe *rep = mock_attach(req, MOCK_UNLIMITED);

        CHECK_OK(MOCK_SEND(req, "cancelled"));
        CHECK_OK(MOCK_SEND(req, "latest"));
        mock_deliver_bytes(rep, cases[i].bytes, cases[i].count);
        CHECK_EQUAL(mock_waiting_count(rep), 0);
        CHECK_EQUAL(mock_events(req), NN_POLLOUT);
        CHECK_EQUAL(mock_receive_rc(req), -EAGAIN);

        MOCK_DELIVER(rep, SECOND_ID "right");
        CHECK(MOCK_IS(mock_receive(req), "", "right"));
        mock_close(req);
    }
}

TEST(req_finds_the_reply_among_stale_ones_and_drops_the_rest)
{
    struct sp_socket *req = mock_open(&sp_req_protocol);
    struct nn_pipe *rep = mock_attach(req, MOCK_UNLIMITED);

    CHECK_OK(MOCK_SEND(req, "A"));
    CHECK_OK(MOCK_SEND(req, "B"));
    mock_deliver_silently(rep, FIRST_ID "stale", 9);
    mock_deliver_silently(rep, SECOND_ID "one", 7);
    mock_deliver_silently(rep, SECOND_ID "two", 7);
    mock_announce(rep);
    CHECK_EQUAL(mock_waiting_count(rep), 0);
    CHECK(MOCK_IS(mock_receive(req), "", "one"));
    CHECK_EQUAL(mock_receive_rc(req), -EFSM);
    mock_close(req);
}

TEST(req_drops_a_reply_when_nothing_was_asked)
{
    struct sp_socket *req = mock_open(&sp_req_protocol);
    struct nn_pipe *rep = mock_attach(req, 1);

    MOCK_DELIVER(rep, FIRST_ID "eager");
    CHECK_EQUAL(mock_events(req), NN_POLLOUT);
    CHECK_EQUAL(mock_receive_rc(req), -EFSM);
    mock_close(req);
}

TEST(req_accepts_the_reply_only_from_the_peer_that_was_asked)
{
    struct sp_socket *req = mock_open(&sp_req_protocol);
    struct nn_pipe *asked = mock_attach(req, 1);
    struct nn_pipe *other = mock_attach(req, 1);

    CHECK_OK(MOCK_SEND(req, "A"));
    CHECK_EQUAL(mock_sent_count(asked), 1);
    MOCK_DELIVER(other, FIRST_ID "made up");
    CHECK_EQUAL(mock_waiting_count(other), 0);
    CHECK_EQUAL(mock_receive_rc(req), -EAGAIN);
    MOCK_DELIVER(asked, FIRST_ID "reply");
    CHECK(MOCK_IS(mock_receive(req), "", "reply"));
    mock_close(req);
}

TEST(req_accepts_no_reply_to_a_request_that_was_not_sent)
{
    struct sp_socket *req = mock_open(&sp_req_protocol);
    struct nn_pipe *full = mock_attach(req, 0);

    CHECK_OK(MOCK_SEND(req, "A"));
    MOCK_DELIVER(full, FIRST_ID "made up");
    CHECK_EQUAL(mock_receive_rc(req), -EAGAIN);
    mock_drain(full, 1);
    CHECK_EQUAL(mock_sent_count(full), 1);
    MOCK_DELIVER(full, FIRST_ID "reply");
    CHECK(MOCK_IS(mock_receive(req), "", "reply"));
    mock_close(req);
}

TEST(req_accepts_a_late_reply_from_each_peer_that_was_asked)
{
    enum { PEERS = 5 };

    for (int answering = 0; answering < PEERS; answering++) {
        struct sp_socket *req = mock_open(&sp_req_protocol);
        struct nn_pipe *peers[PEERS];
        struct nn_pipe *stranger;

        for (int i = 0; i < PEERS; i++)
            peers[i] = mock_attach(req, MOCK_UNLIMITED);
        CHECK_OK(MOCK_SEND(req, "A"));
        for (int i = 0; i < 2 * PEERS; i++)
            mock_pass_ms(req, 60000); /* each is asked twice */
        stranger = mock_attach(req, MOCK_UNLIMITED);
        MOCK_DELIVER(stranger, FIRST_ID "made up");
        CHECK_EQUAL(mock_receive_rc(req), -EAGAIN);
        MOCK_DELIVER(peers[answering], FIRST_ID "late");
        CHECK(MOCK_IS(mock_receive(req), "", "late"));
        mock_close(req);
    }
}

TEST(req_forgets_peers_that_were_asked_and_have_gone)
{
    struct sp_socket *req = mock_open(&sp_req_protocol);
    struct nn_pipe *first = mock_attach(req, MOCK_UNLIMITED);
    struct nn_pipe *second = mock_attach(req, MOCK_UNLIMITED);
    struct nn_pipe *third = mock_attach(req, MOCK_UNLIMITED);

    CHECK_OK(MOCK_SEND(req, "A"));
    mock_pass_ms(req, 60000);
    mock_pass_ms(req, 60000);
    mock_break(first);
    mock_break(third); /* the peer that has it now: the second is asked again */
    CHECK_EQUAL(mock_sent_count(second), 2);
    struct nn_pipe *stranger = mock_attach(req, MOCK_UNLIMITED); /* perhaps in the memory of one of them */
    MOCK_DELIVER(stranger, FIRST_ID "made up");
    CHECK_EQUAL(mock_receive_rc(req), -EAGAIN);
    MOCK_DELIVER(second, FIRST_ID "reply");
    CHECK(MOCK_IS(mock_receive(req), "", "reply"));
    mock_close(req);
}

TEST(req_forgets_the_peers_it_asked_when_it_sends_another)
{
    struct sp_socket *req = mock_open(&sp_req_protocol);
    struct nn_pipe *first = mock_attach(req, MOCK_UNLIMITED);
    struct nn_pipe *second = mock_attach(req, MOCK_UNLIMITED);

    CHECK_OK(MOCK_SEND(req, "A"));
    mock_pass_ms(req, 60000);
    CHECK_EQUAL(mock_sent_count(second), 1);
    CHECK_OK(MOCK_SEND(req, "B")); /* to the first */
    MOCK_DELIVER(second, SECOND_ID "made up");
    CHECK_EQUAL(mock_receive_rc(req), -EAGAIN);
    MOCK_DELIVER(first, SECOND_ID "reply");
    CHECK(MOCK_IS(mock_receive(req), "", "reply"));
    mock_close(req);
}

TEST(req_cancels_a_request_and_its_unread_reply_when_it_sends_another)
{
    struct sp_socket *req = mock_open(&sp_req_protocol);
    struct nn_pipe *rep = mock_attach(req, MOCK_UNLIMITED);

    CHECK_OK(MOCK_SEND(req, "A"));
    MOCK_DELIVER(rep, FIRST_ID "unread");
    CHECK_OK(MOCK_SEND(req, "B"));
    CHECK_EQUAL(mock_events(req), NN_POLLOUT);
    CHECK_EQUAL(mock_receive_rc(req), -EAGAIN);
    MOCK_DELIVER(rep, SECOND_ID "read");
    CHECK(MOCK_IS(mock_receive(req), "", "read"));
    mock_close(req);
}

TEST(req_refuses_a_header_and_keeps_the_request_before)
{
    struct sp_socket *req = mock_open(&sp_req_protocol);
    struct nn_pipe *rep = mock_attach(req, MOCK_UNLIMITED);

    CHECK_OK(MOCK_SEND(req, "A"));
    CHECK_EQUAL(MOCK_SEND_RAW(req, "\x80\0\0\1", "B"), -EINVAL);
    CHECK_EQUAL(mock_sent_count(rep), 1);
    MOCK_DELIVER(rep, FIRST_ID "reply");
    CHECK(MOCK_IS(mock_receive(req), "", "reply"));
    mock_close(req);
}

TEST(req_keeps_the_request_before_when_memory_for_another_is_short)
{
    struct sp_socket *req = mock_open(&sp_req_protocol);
    struct nn_pipe *rep = mock_attach(req, MOCK_UNLIMITED);

    CHECK_OK(MOCK_SEND(req, "A"));
    mock_starve(1);
    CHECK_EQUAL(MOCK_SEND(req, "B"), -ENOMEM);
    MOCK_DELIVER(rep, FIRST_ID "reply");
    CHECK(MOCK_IS(mock_receive(req), "", "reply"));
    mock_close(req);
}

/* ---- Without a peer ---- */

TEST(req_keeps_a_request_for_the_first_peer_that_takes_it)
{
    struct sp_socket *req = mock_open(&sp_req_protocol);

    CHECK_OK(MOCK_SEND(req, "A"));
    CHECK_EQUAL(mock_receive_rc(req), -EAGAIN);
    struct nn_pipe *busy = mock_attach(req, 0);
    CHECK_EQUAL(mock_receive_rc(req), -EAGAIN);
    struct nn_pipe *ready = mock_attach(req, 1);
    CHECK(MOCK_IS(mock_sent(ready), "", FIRST_ID "A"));
    mock_drain(busy, 1);
    CHECK_EQUAL(mock_sent_count(busy), 0);
    MOCK_DELIVER(ready, FIRST_ID "reply");
    CHECK(MOCK_IS(mock_receive(req), "", "reply"));
    mock_close(req);
}

TEST(req_sends_only_the_latest_of_the_requests_that_waited_for_a_peer)
{
    struct sp_socket *req = mock_open(&sp_req_protocol);

    CHECK_OK(MOCK_SEND(req, "A"));
    CHECK_OK(MOCK_SEND(req, "B"));
    struct nn_pipe *rep = mock_attach(req, MOCK_UNLIMITED);
    CHECK(MOCK_IS(mock_sent(rep), "", SECOND_ID "B"));
    CHECK_EQUAL(mock_sent_count(rep), 0);
    mock_close(req);
}

TEST(req_closes_with_a_request_or_a_reply_left)
{
    struct sp_socket *unsent = mock_open(&sp_req_protocol);
    struct sp_socket *answered = mock_open(&sp_req_protocol);

    CHECK_OK(MOCK_SEND(unsent, "A"));
    struct nn_pipe *rep = mock_attach(answered, 1);
    CHECK_OK(MOCK_SEND(answered, "A"));
    MOCK_DELIVER(rep, FIRST_ID "unread");
    mock_close(unsent);
    mock_close(answered); /* aborts if a message is still there */
}

/* ---- Asking again ---- */

TEST(req_resends_to_the_next_peer_when_the_interval_has_passed)
{
    struct sp_socket *req = mock_open(&sp_req_protocol);
    struct nn_pipe *first = mock_attach(req, MOCK_UNLIMITED);
    struct nn_pipe *second = mock_attach(req, MOCK_UNLIMITED);

    CHECK_OK(MOCK_SEND(req, "A"));
    mock_pass_ms(req, 59999);
    CHECK_EQUAL(mock_sent_count(second), 0);
    mock_pass_ms(req, 1);
    CHECK(MOCK_IS(mock_sent(second), "", FIRST_ID "A"));
    mock_pass_ms(req, 60000);
    CHECK_EQUAL(mock_sent_count(first), 2);
    MOCK_DELIVER(first, FIRST_ID "reply");
    mock_pass_ms(req, 60000);
    CHECK_EQUAL(mock_sent_count(second), 0);
    CHECK(MOCK_IS(mock_receive(req), "", "reply"));
    mock_close(req);
}

TEST(req_resends_at_once_when_its_pipe_breaks)
{
    struct sp_socket *req = mock_open(&sp_req_protocol);
    struct nn_pipe *first = mock_attach(req, MOCK_UNLIMITED);
    struct nn_pipe *second = mock_attach(req, MOCK_UNLIMITED);
    struct nn_pipe *third = mock_attach(req, MOCK_UNLIMITED);

    CHECK_OK(MOCK_SEND(req, "A"));
    mock_break(third); /* not the one */
    CHECK_EQUAL(mock_sent_count(second), 0);
    mock_break(first);
    CHECK(MOCK_IS(mock_sent(second), "", FIRST_ID "A"));
    mock_break(second);
    struct nn_pipe *later = mock_attach(req, 1);
    CHECK(MOCK_IS(mock_sent(later), "", FIRST_ID "A"));
    mock_close(req);
}

TEST(req_does_not_resend_when_the_pipe_that_answered_breaks)
{
    struct sp_socket *req = mock_open(&sp_req_protocol);
    struct nn_pipe *first = mock_attach(req, 1);
    struct nn_pipe *second = mock_attach(req, 1);

    CHECK_OK(MOCK_SEND(req, "A"));
    MOCK_DELIVER(first, FIRST_ID "reply");
    mock_break(first);
    CHECK_EQUAL(mock_sent_count(second), 0);
    CHECK(MOCK_IS(mock_receive(req), "", "reply"));
    mock_close(req);
}

TEST(req_that_cannot_resend_waits_for_a_peer_and_accepts_a_late_reply)
{
    struct sp_socket *req = mock_open(&sp_req_protocol);
    struct nn_pipe *rep = mock_attach(req, 1);

    CHECK_OK(MOCK_SEND(req, "A"));
    mock_pass_ms(req, 60000);
    CHECK_EQUAL(mock_sent_count(rep), 1);
    MOCK_DELIVER(rep, FIRST_ID "late");
    mock_drain(rep, 5);
    CHECK_EQUAL(mock_sent_count(rep), 1);
    CHECK(MOCK_IS(mock_receive(req), "", "late"));
    mock_close(req);
}

TEST(req_resends_a_request_that_memory_was_too_short_to_send)
{
    struct sp_socket *req = mock_open(&sp_req_protocol);
    struct nn_pipe *rep = mock_attach(req, MOCK_UNLIMITED);

    mock_starve(1);
    CHECK_OK(mock_send_owned(req, "A", 1));
    CHECK_EQUAL(mock_sent_count(rep), 0);
    mock_pass_ms(req, 60000);
    CHECK(MOCK_IS(mock_sent(rep), "", FIRST_ID "A"));
    mock_close(req);
}

TEST(req_never_resends_by_time_when_the_interval_is_zero)
{
    struct sp_socket *req = mock_open(&sp_req_protocol);
    struct nn_pipe *rep = mock_attach(req, MOCK_UNLIMITED);

    CHECK_OK(mock_set_int(req, NN_REQ_RESEND_IVL, 0));
    CHECK_OK(MOCK_SEND(req, "A"));
    mock_pass_ms(req, 1000000);
    CHECK_EQUAL(mock_sent_count(rep), 1);
    mock_close(req);
}

TEST(req_takes_a_new_interval_from_the_next_request_on)
{
    struct sp_socket *req = mock_open(&sp_req_protocol);
    struct nn_pipe *rep = mock_attach(req, MOCK_UNLIMITED);

    CHECK_OK(MOCK_SEND(req, "A"));
    CHECK_OK(mock_set_int(req, NN_REQ_RESEND_IVL, 10));
    mock_pass_ms(req, 10);
    CHECK_EQUAL(mock_sent_count(rep), 1);
    CHECK_OK(MOCK_SEND(req, "B")); /* its deadline is before the one that the timer runs for */
    mock_pass_ms(req, 10);
    CHECK_EQUAL(mock_sent_count(rep), 3);
    CHECK_OK(mock_set_int(req, NN_REQ_RESEND_IVL, 100));
    CHECK_OK(MOCK_SEND(req, "C")); /* its deadline is behind it */
    mock_pass_ms(req, 50);
    CHECK_EQUAL(mock_sent_count(rep), 4);
    mock_pass_ms(req, 51);
    CHECK_EQUAL(mock_sent_count(rep), 5);
    mock_close(req);
}

TEST(req_starts_no_timer_for_each_of_many_requests)
{
    struct sp_socket *req = mock_open(&sp_req_protocol);
    struct nn_pipe *rep = mock_attach(req, MOCK_UNLIMITED);

    for (int i = 0; i < 1000; i++) {
        CHECK_OK(MOCK_SEND(req, "A"));
        struct mock_bytes request = mock_sent(rep);
        mock_deliver_bytes(rep, request.bytes, request.count);
        CHECK(MOCK_IS(mock_receive(req), "", "A"));
        mock_pass_ms(req, 1);
    }
    CHECK_EQUAL(mock_timer_starts(req), 1);
    mock_close(req);
}

TEST(req_has_an_interval_that_is_no_negative_number)
{
    struct sp_socket *req = mock_open(&sp_req_protocol);
    int value = 0;

    CHECK_OK(mock_get_int(req, NN_REQ_RESEND_IVL, &value));
    CHECK_EQUAL(value, 60000);
    CHECK_EQUAL(mock_set_int(req, NN_REQ_RESEND_IVL, -1), -EINVAL);
    CHECK_EQUAL(mock_set_option(req, NN_REQ_RESEND_IVL, &value, 1), -EINVAL);
    CHECK_EQUAL(mock_set_option(req, NN_REQ_RESEND_IVL, &value, 8), -EINVAL);
    CHECK_EQUAL(mock_set_int(req, 99, 1), -ENOPROTOOPT);
    CHECK_EQUAL(mock_get_int(req, 99, &value), -ENOPROTOOPT);
    CHECK_OK(mock_get_int(req, NN_REQ_RESEND_IVL, &value));
    CHECK_EQUAL(value, 60000);
    mock_close(req);
}

TEST(req_prefers_peers_of_better_priority)
{
    struct sp_socket *req = mock_open(&sp_req_protocol);

    CHECK_EQUAL(mock_send_priority(req), -1);
    struct nn_pipe *worse = mock_attach_with_priority(req, MOCK_UNLIMITED, 3);
    CHECK_EQUAL(mock_send_priority(req), 3);
    struct nn_pipe *better = mock_attach_with_priority(req, 1, 2);
    CHECK_OK(MOCK_SEND(req, "A"));
    CHECK_OK(MOCK_SEND(req, "B"));
    CHECK_EQUAL(mock_sent_count(better), 1);
    CHECK_EQUAL(mock_sent_count(worse), 1);
    mock_close(req);
}

/* ---- Raw ---- */

TEST(raw_req_sends_what_it_is_given)
{
    struct sp_socket *req = mock_open(&sp_req_raw_protocol);

    CHECK_EQUAL(mock_events(req), 0);
    CHECK_EQUAL(mock_send_priority(req), -1);
    CHECK_EQUAL(MOCK_SEND(req, "A"), -EAGAIN);
    struct nn_pipe *rep = mock_attach(req, 2);
    CHECK_EQUAL(mock_send_priority(req), 8);
    CHECK_EQUAL(mock_events(req), NN_POLLOUT);
    CHECK_OK(MOCK_SEND_RAW(req, "\0\0\0\1\x80\0\0\2", "A"));
    CHECK_OK(MOCK_SEND(req, "no header"));
    CHECK_EQUAL(MOCK_SEND(req, "B"), -EAGAIN);
    CHECK(MOCK_IS(mock_sent(rep), "", "\0\0\0\1\x80\0\0\2A"));
    CHECK(MOCK_IS(mock_sent(rep), "", "no header"));
    mock_close(req);
}

TEST(raw_req_receives_the_first_word_as_header_whatever_it_says)
{
    struct sp_socket *req = mock_open(&sp_req_raw_protocol);
    struct nn_pipe *rep = mock_attach(req, 0);

    MOCK_DELIVER(rep, "abc"); /* too short */
    CHECK_EQUAL(mock_events(req), 0);
    MOCK_DELIVER(rep, "");
    MOCK_DELIVER(rep, "\0\0\0\1\x80\0\0\2body");
    MOCK_DELIVER(rep, "head");
    CHECK_EQUAL(mock_events(req), NN_POLLIN);
    CHECK(MOCK_IS(mock_receive(req), "\0\0\0\1", "\x80\0\0\2body"));
    CHECK(MOCK_IS(mock_receive(req), "head", ""));
    CHECK_EQUAL(mock_receive_rc(req), -EAGAIN);
    mock_break(rep);
    mock_close(req);
}

TEST(raw_req_has_no_options)
{
    struct sp_socket *req = mock_open(&sp_req_raw_protocol);
    int value;

    CHECK_EQUAL(mock_set_int(req, NN_REQ_RESEND_IVL, 1), -ENOPROTOOPT);
    CHECK_EQUAL(mock_get_int(req, NN_REQ_RESEND_IVL, &value), -ENOPROTOOPT);
    mock_close(req);
}
