/* REP and RESPONDENT on mock pipes: they differ in their numbers only. */
#include "harness.h"
#include "mock_pipes.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

extern const struct nn_protocol sp_rep_protocol, sp_rep_raw_protocol;
extern const struct nn_protocol sp_respondent_protocol, sp_respondent_raw_protocol;

struct family {
    const struct nn_protocol *cooked;
    const struct nn_protocol *raw;
};

static const struct family rep_family = {&sp_rep_protocol, &sp_rep_raw_protocol};
static const struct family respondent_family = {&sp_respondent_protocol, &sp_respondent_raw_protocol};

/* One case for each of the two. */
#define TEST_BOTH(name)                                                                                                \
    static void name(const struct family *family);                                                                     \
    TEST(rep_##name)                                                                                                   \
    {                                                                                                                  \
        name(&rep_family);                                                                                             \
    }                                                                                                                  \
    TEST(respondent_##name)                                                                                            \
    {                                                                                                                  \
        name(&respondent_family);                                                                                      \
    }                                                                                                                  \
    static void name(const struct family *family)

#define REQUEST_ID "\x80\0\0\7"

/* A stack of `words` words of which only the last has its top bit set; returns its length. */
static size_t stack_of(uint8_t *bytes, size_t words)
{
    memset(bytes, 0, 4 * words);
    for (size_t word = 0; word < words; word++)
        bytes[4 * word + 3] = (uint8_t)word;
    if (words > 0)
        bytes[4 * (words - 1)] = 0x80;
    return 4 * words;
}

static size_t stack_and_body(uint8_t *bytes, size_t words, const char *body)
{
    size_t count = stack_of(bytes, words);

    memcpy(bytes + count, body, strlen(body));
    return count + strlen(body);
}

/* ---- Cooked ---- */

TEST_BOTH(answers_what_it_was_asked)
{
    struct sp_socket *rep = mock_open(family->cooked);
    struct nn_pipe *req = mock_attach(rep, 1);

    CHECK_EQUAL(mock_events(rep), 0);
    CHECK_EQUAL(MOCK_SEND(rep, "early"), -EFSM);
    CHECK_EQUAL(mock_receive_rc(rep), -EAGAIN);

    MOCK_DELIVER(req, REQUEST_ID "ask");
    CHECK_EQUAL(mock_events(rep), NN_POLLIN);
    CHECK(MOCK_IS(mock_receive(rep), "", "ask"));
    CHECK_EQUAL(mock_events(rep), NN_POLLOUT);
    CHECK_OK(MOCK_SEND(rep, "answer"));
    CHECK(MOCK_IS(mock_sent(req), "", REQUEST_ID "answer"));

    CHECK_EQUAL(mock_events(rep), 0);
    CHECK_EQUAL(MOCK_SEND(rep, "twice"), -EFSM);
    mock_close(rep);
}

TEST_BOTH(sends_each_answer_to_the_asker_with_the_whole_stack)
{
    struct sp_socket *rep = mock_open(family->cooked);
    struct nn_pipe *reqs[3];

    for (int i = 0; i < 3; i++)
        reqs[i] = mock_attach(rep, 1);
    MOCK_DELIVER(reqs[0], "\x80\0\0\0first");
    MOCK_DELIVER(reqs[1], "\0\0\1\0\x80\0\0\0second");
    MOCK_DELIVER(reqs[2], "\0\0\1\0\x7f\xff\xff\xff\xff\xff\xff\xffthird");
    CHECK(MOCK_IS(mock_receive(rep), "", "first"));
    CHECK_OK(MOCK_SEND(rep, "1"));
    CHECK(MOCK_IS(mock_receive(rep), "", "second"));
    CHECK_OK(MOCK_SEND(rep, "2"));
    CHECK(MOCK_IS(mock_receive(rep), "", "third"));
    CHECK_OK(MOCK_SEND(rep, "3"));
    CHECK(MOCK_IS(mock_sent(reqs[0]), "",
                  "\x80\0\0\0"
                  "1"));
    CHECK(MOCK_IS(mock_sent(reqs[1]), "",
                  "\0\0\1\0\x80\0\0\0"
                  "2"));
    CHECK(MOCK_IS(mock_sent(reqs[2]), "",
                  "\0\0\1\0\x7f\xff\xff\xff\xff\xff\xff\xff"
                  "3"));
    mock_close(rep);
}

TEST_BOTH(forgets_the_asker_when_it_receives_again_even_in_vain)
{
    struct sp_socket *rep = mock_open(family->cooked);
    struct nn_pipe *req = mock_attach(rep, 1);

    MOCK_DELIVER(req, REQUEST_ID "ask");
    CHECK(MOCK_IS(mock_receive(rep), "", "ask"));
    CHECK_EQUAL(mock_receive_rc(rep), -EAGAIN);
    CHECK_EQUAL(mock_events(rep), 0);
    CHECK_EQUAL(MOCK_SEND(rep, "late"), -EFSM);
    CHECK_EQUAL(mock_sent_count(req), 0);
    mock_close(rep);
}

TEST_BOTH(answers_the_latest_of_two_questions)
{
    struct sp_socket *rep = mock_open(family->cooked);
    struct nn_pipe *req = mock_attach(rep, MOCK_UNLIMITED);

    MOCK_DELIVER(req, "\x80\0\0\1one");
    MOCK_DELIVER(req, "\x80\0\0\2two");
    CHECK(MOCK_IS(mock_receive(rep), "", "one"));
    CHECK_EQUAL(mock_events(rep), NN_POLLIN | NN_POLLOUT);
    CHECK(MOCK_IS(mock_receive(rep), "", "two"));
    CHECK_OK(MOCK_SEND(rep, "x"));
    CHECK(MOCK_IS(mock_sent(req), "", "\x80\0\0\2x"));
    CHECK_EQUAL(mock_sent_count(req), 0);
    mock_close(rep);
}

TEST_BOTH(drops_the_answer_when_the_asker_has_gone)
{
    struct sp_socket *rep = mock_open(family->cooked);
    struct nn_pipe *req = mock_attach(rep, 1);

    MOCK_DELIVER(req, REQUEST_ID "ask");
    CHECK(MOCK_IS(mock_receive(rep), "", "ask"));
    mock_break(req);
    struct nn_pipe *other = mock_attach(rep, 1);
    CHECK_OK(MOCK_SEND(rep, "to nobody"));
    CHECK_EQUAL(mock_sent_count(other), 0);
    CHECK_EQUAL(MOCK_SEND(rep, "again"), -EFSM);
    mock_close(rep);
}

TEST_BOTH(drops_the_answer_when_its_pipe_is_full)
{
    struct sp_socket *rep = mock_open(family->cooked);
    struct nn_pipe *req = mock_attach(rep, 0);

    MOCK_DELIVER(req, REQUEST_ID "ask");
    CHECK(MOCK_IS(mock_receive(rep), "", "ask"));
    CHECK_OK(MOCK_SEND(rep, "too much"));
    CHECK_EQUAL(MOCK_SEND(rep, "again"), -EFSM);
    mock_drain(req, 1);
    CHECK_EQUAL(mock_sent_count(req), 0);
    mock_close(rep);
}

TEST_BOTH(drops_malformed_messages_and_keeps_the_connection)
{
    static const struct {
        const char *bytes;
        size_t count;
    } cases[] = {
        {"", 0},
        {"\x80", 1},
        {"\x80\0\0", 3},
        {"\0\0\0\0", 4},
        {"\0\0\0\1\x80\0\0", 7},
        {"\0\0\0\1\0\0\0\2no bottom", 17},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sp_socket *rep = mock_open(family->cooked);
        struct nn_pipe *req = mock_attach(rep, 1);

        mock_deliver_bytes(req, cases[i].bytes, cases[i].count);
        CHECK_EQUAL(mock_events(rep), 0);
        CHECK_EQUAL(mock_receive_rc(rep), -EAGAIN);
        CHECK_EQUAL(mock_waiting_count(req), 0);
        mock_deliver_bytes(req, cases[i].bytes, cases[i].count);
        MOCK_DELIVER(req, REQUEST_ID "right");
        CHECK(MOCK_IS(mock_receive(rep), "", "right"));
        CHECK_OK(MOCK_SEND(rep, "x"));
        CHECK_EQUAL(mock_sent_count(req), 1);
        mock_close(rep);
    }
}

TEST_BOTH(takes_stacks_up_to_the_maximal_number_of_words)
{
    static const int limits[] = {1, 2, 8, 9, 10, 255};

    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        size_t limit = (size_t)limits[i];
        uint8_t bytes[1100];
        struct sp_socket *rep = mock_open(family->cooked);
        struct nn_pipe *req = mock_attach(rep, 1);

        mock_set_max_ttl(rep, limits[i]);
        mock_deliver_bytes(req, bytes, stack_and_body(bytes, limit + 1, "over"));
        CHECK_EQUAL(mock_events(rep), 0);
        mock_deliver_bytes(req, bytes, stack_and_body(bytes, limit, "ok"));
        CHECK(MOCK_IS(mock_receive(rep), "", "ok"));
        CHECK_OK(MOCK_SEND(rep, "ok"));
        struct mock_bytes answer = mock_sent(req);
        CHECK_EQUAL(answer.count, 4 * limit + 2);
        CHECK(memcmp(answer.bytes, bytes, answer.count) == 0);
        mock_close(rep);
    }
}

TEST_BOTH(refuses_a_header_and_can_answer_still)
{
    struct sp_socket *rep = mock_open(family->cooked);
    struct nn_pipe *req = mock_attach(rep, 1);

    CHECK_EQUAL(MOCK_SEND_RAW(rep, REQUEST_ID, "x"), -EFSM);
    MOCK_DELIVER(req, REQUEST_ID "ask");
    CHECK(MOCK_IS(mock_receive(rep), "", "ask"));
    CHECK_EQUAL(MOCK_SEND_RAW(rep, REQUEST_ID, "x"), -EINVAL);
    CHECK_OK(MOCK_SEND(rep, "answer"));
    CHECK(MOCK_IS(mock_sent(req), "", REQUEST_ID "answer"));
    mock_close(rep);
}

TEST_BOTH(can_answer_still_when_memory_for_a_deep_stack_was_short)
{
    struct sp_socket *rep = mock_open(family->cooked);
    struct nn_pipe *req = mock_attach(rep, 1);
    uint8_t bytes[100];

    mock_set_max_ttl(rep, 20);
    size_t count = stack_and_body(bytes, 20, "ask");
    mock_starve(1);
    mock_deliver_bytes(req, bytes, count);
    CHECK_EQUAL(mock_receive_rc(rep), -EAGAIN); /* costs that message */
    mock_deliver_bytes(req, bytes, count);
    CHECK(MOCK_IS(mock_receive(rep), "", "ask"));
    mock_starve(1);
    CHECK_EQUAL(MOCK_SEND(rep, "answer"), -ENOMEM);
    CHECK_OK(MOCK_SEND(rep, "answer"));
    CHECK_EQUAL(mock_sent(req).count, 86);
    mock_close(rep);
}

TEST_BOTH(delivers_a_question_that_was_seen_before_its_pipe_went)
{
    struct sp_socket *rep = mock_open(family->cooked);
    struct nn_pipe *req = mock_attach(rep, 1);

    MOCK_DELIVER(req, REQUEST_ID "ask");
    CHECK_EQUAL(mock_events(rep), NN_POLLIN);
    mock_break(req);
    CHECK(MOCK_IS(mock_receive(rep), "", "ask"));
    CHECK_OK(MOCK_SEND(rep, "to nobody"));
    mock_close(rep);
}

TEST_BOTH(copies_no_body)
{
    struct sp_socket *rep = mock_open(family->cooked);
    struct nn_pipe *req = mock_attach(rep, 1);
    unsigned copies_before = mock_copies();

    MOCK_DELIVER(req, REQUEST_ID "ask");
    CHECK(MOCK_IS(mock_receive(rep), "", "ask"));
    CHECK_OK(MOCK_SEND(rep, "answer"));
    CHECK_EQUAL(mock_copies(), copies_before);
    mock_close(rep);
}

/* ---- Raw ---- */

TEST_BOTH(raw_tells_the_pipe_and_the_stack_in_the_header)
{
    struct sp_socket *rep = mock_open(family->raw);
    struct nn_pipe *req = mock_attach(rep, 1);
    uint32_t id = nn_pipe_id(req);

    CHECK_EQUAL(mock_events(rep), NN_POLLOUT);
    MOCK_DELIVER(req, "\0\0\0\1\0\0\0\2no bottom");
    CHECK_EQUAL(mock_events(rep), NN_POLLOUT);
    MOCK_DELIVER(req, "\0\0\0\1" REQUEST_ID "ask");
    CHECK_EQUAL(mock_events(rep), NN_POLLIN | NN_POLLOUT);

    struct mock_bytes asked = mock_receive(rep);
    CHECK_EQUAL(asked.header_bytes, 12);
    uint8_t expected[] = {(uint8_t)(id >> 24), (uint8_t)(id >> 16), (uint8_t)(id >> 8), (uint8_t)id};
    CHECK(memcmp(asked.bytes, expected, 4) == 0);
    CHECK((asked.bytes[0] & 0x80) == 0);
    CHECK(memcmp(asked.bytes + 4, "\0\0\0\1" REQUEST_ID "ask", 11) == 0);

    CHECK_OK(mock_send_bytes(rep, asked.bytes, 12, "answer", 6));
    CHECK(MOCK_IS(mock_sent(req), "", "\0\0\0\1" REQUEST_ID "answer"));
    mock_close(rep);
}

TEST_BOTH(raw_answers_in_any_order)
{
    struct sp_socket *rep = mock_open(family->raw);
    struct nn_pipe *reqs[100];
    struct mock_bytes asked[100];

    for (int i = 0; i < 100; i++) {
        reqs[i] = mock_attach(rep, 1);
        MOCK_DELIVER(reqs[i], REQUEST_ID "x");
        asked[i] = mock_receive(rep);
    }
    for (int i = 1; i < 100; i += 2)
        mock_break(reqs[i]);
    for (int i = 99; i >= 0; i--)
        CHECK_OK(mock_send_bytes(rep, asked[i].bytes, 8, "y", 1));
    for (int i = 0; i < 100; i += 2)
        CHECK(MOCK_IS(mock_sent(reqs[i]), "", REQUEST_ID "y"));
    mock_close(rep);
}

TEST_BOTH(raw_drops_answers_to_nowhere)
{
    struct sp_socket *rep = mock_open(family->raw);
    struct nn_pipe *req = mock_attach(rep, MOCK_UNLIMITED);

    CHECK_OK(MOCK_SEND(rep, "no header"));
    CHECK_OK(MOCK_SEND_RAW(rep, "\1\2\3", "short header"));
    CHECK_OK(MOCK_SEND_RAW(rep, "\1\2\3\4" REQUEST_ID, "unknown pipe"));
    CHECK_EQUAL(mock_sent_count(req), 0);

    MOCK_DELIVER(req, REQUEST_ID "ask");
    struct mock_bytes asked = mock_receive(rep);
    mock_jam(req);
    CHECK_OK(mock_send_bytes(rep, asked.bytes, 8, "busy pipe", 9));
    CHECK_EQUAL(mock_sent_count(req), 0);
    mock_close(rep);
}

TEST_BOTH(raw_takes_stacks_up_to_the_maximal_number_of_words)
{
    struct sp_socket *rep = mock_open(family->raw);
    struct nn_pipe *req = mock_attach(rep, 1);
    uint8_t bytes[1100];

    mock_deliver_bytes(req, bytes, stack_of(bytes, 9));
    CHECK_EQUAL(mock_receive_rc(rep), -EAGAIN);
    mock_deliver_bytes(req, bytes, stack_of(bytes, 8));
    CHECK_EQUAL(mock_receive(rep).header_bytes, 36);
    mock_set_max_ttl(rep, 255);
    mock_deliver_bytes(req, bytes, stack_of(bytes, 255));
    CHECK_EQUAL(mock_receive(rep).header_bytes, 1024);
    mock_close(rep);
}
