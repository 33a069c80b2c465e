/* SURVEYOR on mock pipes. The mock's "random" numbers make the first two ids ffffffff and 80000000. */
#include "harness.h"
#include "mock_pipes.h"

#include <nanomsg/survey.h>

#include <errno.h>
#include <limits.h>

extern const struct nn_protocol sp_surveyor_protocol;
extern const struct nn_protocol sp_surveyor_raw_protocol;

#define FIRST_ID "\xff\xff\xff\xff"
#define SECOND_ID "\x80\0\0\0"

/* ---- Cooked ---- */

TEST(surveyor_without_a_survey_is_readable_and_says_efsm)
{
    struct sp_socket *surveyor = mock_open(&sp_surveyor_protocol);

    CHECK_EQUAL(mock_events(surveyor), NN_POLLIN | NN_POLLOUT);
    CHECK_EQUAL(mock_receive_rc(surveyor), -EFSM);
    CHECK_EQUAL(mock_receive_rc(surveyor), -EFSM);
    mock_close(surveyor);
}

TEST(surveyor_asks_all_and_receives_every_answer)
{
    struct sp_socket *surveyor = mock_open(&sp_surveyor_protocol);
    struct nn_pipe *pipes[3];

    for (int i = 0; i < 3; i++)
        pipes[i] = mock_attach(surveyor, MOCK_UNLIMITED);
    CHECK_OK(MOCK_SEND(surveyor, "?"));
    CHECK_EQUAL(mock_events(surveyor), NN_POLLOUT);
    CHECK_EQUAL(mock_receive_rc(surveyor), -EAGAIN);
    for (int i = 0; i < 3; i++) {
        CHECK(MOCK_IS(mock_sent(pipes[i]), "", FIRST_ID "?"));
        MOCK_DELIVER(pipes[i], FIRST_ID "!");
    }
    CHECK_EQUAL(mock_events(surveyor), NN_POLLIN | NN_POLLOUT);
    for (int i = 0; i < 3; i++)
        CHECK(MOCK_IS(mock_receive(surveyor), "", "!"));
    CHECK_EQUAL(mock_events(surveyor), NN_POLLOUT);
    CHECK_EQUAL(mock_receive_rc(surveyor), -EAGAIN);
    mock_close(surveyor);
}

TEST(surveyor_without_a_peer_waits_for_its_deadline)
{
    struct sp_socket *surveyor = mock_open(&sp_surveyor_protocol);

    CHECK_OK(MOCK_SEND(surveyor, "?"));
    mock_pass_ms(surveyor, 999);
    CHECK_EQUAL(mock_receive_rc(surveyor), -EAGAIN);
    mock_pass_ms(surveyor, 1);
    CHECK_EQUAL(mock_receive_rc(surveyor), -ETIMEDOUT);
    mock_close(surveyor);
}

TEST(surveyor_tells_once_that_the_deadline_has_passed)
{
    struct sp_socket *surveyor = mock_open(&sp_surveyor_protocol);

    CHECK_OK(MOCK_SEND(surveyor, "?"));
    CHECK_EQUAL(mock_events(surveyor), NN_POLLOUT);
    mock_pass_ms(surveyor, 1000);
    CHECK_EQUAL(mock_events(surveyor), NN_POLLIN | NN_POLLOUT);
    CHECK_EQUAL(mock_receive_rc(surveyor), -ETIMEDOUT);
    CHECK_EQUAL(mock_receive_rc(surveyor), -EFSM);
    CHECK_EQUAL(mock_events(surveyor), NN_POLLIN | NN_POLLOUT);
    mock_close(surveyor);
}

TEST(surveyor_drops_answers_that_were_not_received_by_the_deadline)
{
    struct sp_socket *surveyor = mock_open(&sp_surveyor_protocol);
    struct nn_pipe *pipe = mock_attach(surveyor, 1);

    CHECK_OK(MOCK_SEND(surveyor, "?"));
    MOCK_DELIVER(pipe, FIRST_ID "seen");
    MOCK_DELIVER(pipe, FIRST_ID "not seen");
    CHECK_EQUAL(mock_events(surveyor), NN_POLLIN | NN_POLLOUT);
    mock_pass_ms(surveyor, 1000);
    CHECK_EQUAL(mock_waiting_count(pipe), 0);
    CHECK_EQUAL(mock_receive_rc(surveyor), -ETIMEDOUT);
    CHECK_EQUAL(mock_receive_rc(surveyor), -EFSM);
    mock_close(surveyor);
}

TEST(surveyor_drops_answers_that_come_while_nothing_is_asked)
{
    struct sp_socket *surveyor = mock_open(&sp_surveyor_protocol);
    struct nn_pipe *pipe = mock_attach(surveyor, MOCK_UNLIMITED);

    MOCK_DELIVER(pipe, FIRST_ID "early");
    CHECK_EQUAL(mock_waiting_count(pipe), 0);
    CHECK_OK(MOCK_SEND(surveyor, "?"));
    CHECK_EQUAL(mock_receive_rc(surveyor), -EAGAIN);
    mock_pass_ms(surveyor, 1000);
    MOCK_DELIVER(pipe, FIRST_ID "late, not met yet");
    CHECK_EQUAL(mock_waiting_count(pipe), 0);
    CHECK_EQUAL(mock_receive_rc(surveyor), -ETIMEDOUT);
    MOCK_DELIVER(pipe, FIRST_ID "late");
    CHECK_EQUAL(mock_waiting_count(pipe), 0);
    mock_close(surveyor);
}

TEST(surveyor_drops_whatever_is_no_answer_to_the_latest_survey)
{
    static const struct {
        const char *bytes;
        size_t count;
    } cases[] = {
        {"", 0}, {"\x80\0\0", 3}, {"\0\0\0\0x", 5}, {FIRST_ID "x", 5}, {"\0\0\0\1" SECOND_ID "x", 9},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sp_socket *surveyor = mock_open(&sp_surveyor_protocol);
        struct nn_pipe *pipe = mock_attach(surveyor, MOCK_UNLIMITED);

        CHECK_OK(MOCK_SEND(surveyor, "first"));
        CHECK_OK(MOCK_SEND(surveyor, "second"));
        mock_deliver_bytes(pipe, cases[i].bytes, cases[i].count);
        CHECK_EQUAL(mock_events(surveyor), NN_POLLOUT);
        CHECK_EQUAL(mock_waiting_count(pipe), 0);
        mock_deliver_bytes(pipe, cases[i].bytes, cases[i].count);
        MOCK_DELIVER(pipe, SECOND_ID "right");
        CHECK(MOCK_IS(mock_receive(surveyor), "", "right"));
        mock_close(surveyor);
    }
}

TEST(surveyor_ends_a_survey_and_its_answers_when_it_starts_another)
{
    struct sp_socket *surveyor = mock_open(&sp_surveyor_protocol);
    struct nn_pipe *pipe = mock_attach(surveyor, MOCK_UNLIMITED);

    CHECK_OK(MOCK_SEND(surveyor, "first"));
    MOCK_DELIVER(pipe, FIRST_ID "seen");
    MOCK_DELIVER(pipe, FIRST_ID "not seen");
    CHECK_EQUAL(mock_events(surveyor), NN_POLLIN | NN_POLLOUT);
    mock_pass_ms(surveyor, 600);
    CHECK_OK(MOCK_SEND(surveyor, "second"));
    CHECK_EQUAL(mock_events(surveyor), NN_POLLOUT);
    mock_pass_ms(surveyor, 600); /* the first one's deadline */
    CHECK_EQUAL(mock_receive_rc(surveyor), -EAGAIN);
    MOCK_DELIVER(pipe, SECOND_ID "right");
    CHECK(MOCK_IS(mock_receive(surveyor), "", "right"));
    mock_pass_ms(surveyor, 401);
    CHECK_EQUAL(mock_receive_rc(surveyor), -ETIMEDOUT);
    mock_close(surveyor);
}

TEST(surveyor_can_ask_again_when_no_call_has_met_the_deadline)
{
    struct sp_socket *surveyor = mock_open(&sp_surveyor_protocol);

    CHECK_OK(MOCK_SEND(surveyor, "first"));
    mock_pass_ms(surveyor, 1000);
    CHECK_OK(MOCK_SEND(surveyor, "second"));
    CHECK_EQUAL(mock_receive_rc(surveyor), -EAGAIN);
    mock_close(surveyor);
}

TEST(surveyor_never_asks_a_pipe_again)
{
    struct sp_socket *surveyor = mock_open(&sp_surveyor_protocol);
    struct nn_pipe *full = mock_attach(surveyor, 0);
    struct nn_pipe *ready = mock_attach(surveyor, 5);

    CHECK_OK(MOCK_SEND(surveyor, "?"));
    mock_drain(full, 5);
    struct nn_pipe *late = mock_attach(surveyor, 5);
    mock_break(ready);
    CHECK_EQUAL(mock_sent_count(full) + mock_sent_count(late), 0);
    mock_close(surveyor);
}

TEST(surveyor_copies_a_survey_once_for_all)
{
    struct sp_socket *surveyor = mock_open(&sp_surveyor_protocol);
    unsigned copies_before = mock_copies();

    for (int i = 0; i < 4; i++)
        mock_attach(surveyor, 1);
    CHECK_OK(MOCK_SEND(surveyor, "?"));
    CHECK_EQUAL(mock_copies(), copies_before + 1);
    mock_close(surveyor);
}

TEST(surveyor_goes_on_with_its_survey_when_another_cannot_be_sent)
{
    struct sp_socket *surveyor = mock_open(&sp_surveyor_protocol);
    struct nn_pipe *pipe = mock_attach(surveyor, MOCK_UNLIMITED);

    mock_attach(surveyor, MOCK_UNLIMITED);
    CHECK_OK(MOCK_SEND(surveyor, "first"));
    CHECK_EQUAL(MOCK_SEND_RAW(surveyor, SECOND_ID, "second"), -EINVAL);
    mock_starve(1);
    CHECK_EQUAL(MOCK_SEND(surveyor, "third"), -ENOMEM);
    CHECK_EQUAL(mock_sent_count(pipe), 1);
    MOCK_DELIVER(pipe, FIRST_ID "answer");
    CHECK(MOCK_IS(mock_receive(surveyor), "", "answer"));
    mock_close(surveyor);
}

TEST(surveyor_has_a_deadline_that_is_no_negative_number)
{
    struct sp_socket *surveyor = mock_open(&sp_surveyor_protocol);
    int value = 0;

    CHECK_OK(mock_get_int(surveyor, NN_SURVEYOR_DEADLINE, &value));
    CHECK_EQUAL(value, 1000);
    CHECK_EQUAL(mock_set_int(surveyor, NN_SURVEYOR_DEADLINE, -1), -EINVAL);
    CHECK_EQUAL(mock_set_option(surveyor, NN_SURVEYOR_DEADLINE, &value, 3), -EINVAL);
    CHECK_EQUAL(mock_set_int(surveyor, 99, 1), -ENOPROTOOPT);
    CHECK_EQUAL(mock_get_int(surveyor, 99, &value), -ENOPROTOOPT);
    CHECK_OK(mock_get_int(surveyor, NN_SURVEYOR_DEADLINE, &value));
    CHECK_EQUAL(value, 1000);
    mock_close(surveyor);
}

TEST(surveyor_takes_a_new_deadline_from_the_next_survey_on)
{
    struct sp_socket *surveyor = mock_open(&sp_surveyor_protocol);

    CHECK_OK(MOCK_SEND(surveyor, "?"));
    CHECK_OK(mock_set_int(surveyor, NN_SURVEYOR_DEADLINE, 0));
    mock_pass_ms(surveyor, 1);
    CHECK_EQUAL(mock_receive_rc(surveyor), -EAGAIN);
    CHECK_OK(MOCK_SEND(surveyor, "?"));
    mock_pass_ms(surveyor, 0);
    CHECK_EQUAL(mock_receive_rc(surveyor), -ETIMEDOUT);
    CHECK_OK(mock_set_int(surveyor, NN_SURVEYOR_DEADLINE, INT_MAX));
    CHECK_OK(MOCK_SEND(surveyor, "?"));
    mock_pass_ms(surveyor, INT_MAX - 1);
    CHECK_EQUAL(mock_receive_rc(surveyor), -EAGAIN);
    mock_pass_ms(surveyor, 2);
    CHECK_EQUAL(mock_receive_rc(surveyor), -ETIMEDOUT);
    mock_close(surveyor);
}

TEST(surveyor_closes_with_an_answer_left)
{
    struct sp_socket *surveyor = mock_open(&sp_surveyor_protocol);
    struct nn_pipe *pipe = mock_attach(surveyor, 1);

    CHECK_OK(MOCK_SEND(surveyor, "?"));
    MOCK_DELIVER(pipe, FIRST_ID "unread");
    CHECK_EQUAL(mock_events(surveyor), NN_POLLIN | NN_POLLOUT);
    mock_close(surveyor); /* aborts if the message is still there */
}

/* ---- Raw ---- */

TEST(raw_surveyor_sends_what_it_is_given_to_all)
{
    struct sp_socket *surveyor = mock_open(&sp_surveyor_raw_protocol);

    CHECK_EQUAL(mock_events(surveyor), NN_POLLOUT);
    CHECK_OK(MOCK_SEND(surveyor, "to nobody"));
    struct nn_pipe *a = mock_attach(surveyor, 1);
    struct nn_pipe *b = mock_attach(surveyor, 1);
    CHECK_OK(MOCK_SEND_RAW(surveyor, "\0\0\0\1" FIRST_ID, "?"));
    CHECK(MOCK_IS(mock_sent(a), "", "\0\0\0\1" FIRST_ID "?"));
    CHECK(MOCK_IS(mock_sent(b), "", "\0\0\0\1" FIRST_ID "?"));
    mock_close(surveyor);
}

TEST(raw_surveyor_receives_the_first_word_as_header_whatever_it_says)
{
    struct sp_socket *surveyor = mock_open(&sp_surveyor_raw_protocol);
    struct nn_pipe *pipe = mock_attach(surveyor, 0);
    int value;

    CHECK_EQUAL(mock_receive_rc(surveyor), -EAGAIN);
    MOCK_DELIVER(pipe, "abc");
    CHECK_EQUAL(mock_events(surveyor), NN_POLLOUT);
    MOCK_DELIVER(pipe, "\0\0\0\1" FIRST_ID "!");
    CHECK_EQUAL(mock_events(surveyor), NN_POLLIN | NN_POLLOUT);
    CHECK(MOCK_IS(mock_receive(surveyor), "\0\0\0\1", FIRST_ID "!"));
    CHECK_EQUAL(mock_set_int(surveyor, NN_SURVEYOR_DEADLINE, 1), -ENOPROTOOPT);
    CHECK_EQUAL(mock_get_int(surveyor, NN_SURVEYOR_DEADLINE, &value), -ENOPROTOOPT);
    mock_close(surveyor);
}
