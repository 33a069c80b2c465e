/* Peers that keep to the stream's rules and send SP headers that make no sense: those messages are dropped, and the
 * connection goes on. */
#include "raw_peer.h"
#include "sockets.h"

#include <nanomsg/reqrep.h>
#include <nanomsg/survey.h>

#include <string.h>
#include <unistd.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* A literal's bytes and their count, without the final NUL. */
#define BYTES(literal) (literal), sizeof(literal) - 1

/* The two patterns with a way back. */
static const struct pattern {
    int asker;
    int replier;
} patterns[] = {{NN_REQ, NN_REP}, {NN_SURVEYOR, NN_RESPONDENT}};

struct piece {
    const char *bytes;
    size_t count;
};

static void send_each(int fd, const char *address, const struct piece *pieces, size_t count)
{
    for (size_t i = 0; i < count; i++)
        raw_send_message(fd, address, pieces[i].bytes, pieces[i].count);
}

static void check_receives_bytes(int s, const void *bytes, size_t count)
{
    uint8_t received[256];
    int rc = (int)CHECK_OK(nn_recv(s, received, sizeof received, 0));

    CHECK_BYTES(received, (size_t)rc, bytes, count);
}

static void check_raw_receives(int fd, const char *address, const void *bytes, size_t count)
{
    uint8_t received[256];
    size_t got = raw_receive_message(fd, address, received, sizeof received);

    CHECK_BYTES(received, got, bytes, count);
}

/* ---- Questions ---- */

#define WORD "\0\0\0\1"
#define BOTTOM "\x80\0\0\2"
#define SEVEN_WORDS WORD WORD WORD WORD WORD WORD WORD

/* The way back of each is missing, cut off or too long. */
static const struct piece bad_questions[] = {
    {BYTES("")},
    {BYTES("\x80")},
    {BYTES("\x80\0\0")},
    {BYTES(WORD)},
    {BYTES(WORD "\x80\0\0")},
    {BYTES("\x7f\xff\xff\xff"
           "body")},
    {BYTES(SEVEN_WORDS WORD WORD WORD)},
    {BYTES(SEVEN_WORDS WORD BOTTOM "9 hops, and NN_MAXTTL is 8")},
};

static void check_answers(int replier, int fd, const char *address)
{
    raw_send_message(fd, address, BYTES(BOTTOM "direct"));
    CHECK_RECEIVES(replier, "direct");
    CHECK_SENDS(replier, "answer");
    check_raw_receives(fd, address, BYTES(BOTTOM "answer"));

    raw_send_message(fd, address, BYTES(SEVEN_WORDS BOTTOM "8 hops"));
    CHECK_RECEIVES(replier, "8 hops");
    CHECK_SENDS(replier, "answer");
    check_raw_receives(fd, address, BYTES(SEVEN_WORDS BOTTOM "answer"));

    raw_send_message(fd, address, BYTES(BOTTOM)); /* an empty question */
    check_receives_bytes(replier, "", 0);
    CHECK_OK(nn_send(replier, "", 0, 0));
    check_raw_receives(fd, address, BYTES(BOTTOM));
}

TEST_OVER_STREAMS(a_question_without_a_way_back_is_dropped)
{
    for (size_t i = 0; i < COUNT_OF(patterns); i++) {
        const char *address = new_address();
        int replier = test_socket_bound(patterns[i].replier, address);
        int honest = test_socket_connected(patterns[i].asker, address);
        int fd = raw_connect_admitted(address, patterns[i].asker, patterns[i].replier);

        WAIT_PEERS(replier, 2);
        WAIT_PEERS(honest, 1);
        send_each(fd, address, bad_questions, COUNT_OF(bad_questions));
        check_answers(replier, fd, address);
        CHECK_SENDS(honest, "honest question");
        CHECK_RECEIVES(replier, "honest question");
        CHECK_SENDS(replier, "honest answer");
        CHECK_RECEIVES(honest, "honest answer");
        CHECK_EQUAL(nn_get_statistic(replier, NN_STAT_BROKEN_CONNECTIONS), 0);
        close(fd);
    }
}

TEST_OVER_STREAMS(a_raw_socket_drops_the_same_questions)
{
    for (size_t i = 0; i < COUNT_OF(patterns); i++) {
        const char *address = new_address();
        int replier = (int)CHECK_OK(test_socket(AF_SP_RAW, patterns[i].replier));

        CHECK_OK(nn_bind(replier, address));
        int fd = raw_connect_admitted(address, patterns[i].asker, patterns[i].replier);
        send_each(fd, address, bad_questions, COUNT_OF(bad_questions));
        raw_send_message(fd, address, BYTES(SEVEN_WORDS BOTTOM "good"));
        CHECK_RECEIVES(replier, "good");
        CHECK_EQUAL(nn_get_statistic(replier, NN_STAT_BROKEN_CONNECTIONS), 0);
        close(fd);
    }
}

TEST(NN_MAXTTL_decides_how_far_a_question_may_have_come)
{
    for (size_t i = 0; i < COUNT_OF(patterns); i++) {
        const char *address = test_tcp_address();
        int replier = test_socket_bound(patterns[i].replier, address);
        int fd = raw_connect_admitted(address, patterns[i].asker, patterns[i].replier);

        SET_INT(replier, NN_SOL_SOCKET, NN_MAXTTL, 1);
        raw_send_message(fd, address, BYTES(WORD BOTTOM "over a device"));
        raw_send_message(fd, address, BYTES(BOTTOM "direct"));
        CHECK_RECEIVES(replier, "direct");
        SET_INT(replier, NN_SOL_SOCKET, NN_MAXTTL, 9);
        raw_send_message(fd, address, BYTES(SEVEN_WORDS WORD WORD BOTTOM "10 hops"));
        raw_send_message(fd, address, BYTES(SEVEN_WORDS WORD BOTTOM "9 hops"));
        CHECK_RECEIVES(replier, "9 hops");
        close(fd);
    }
}

TEST_OVER_STREAMS(an_answer_to_a_peer_that_has_left_is_dropped)
{
    for (size_t i = 0; i < COUNT_OF(patterns); i++) {
        const char *address = new_address();
        int replier = test_socket_bound(patterns[i].replier, address);
        int fd = raw_connect_admitted(address, patterns[i].asker, patterns[i].replier);

        raw_send_message(fd, address, BYTES(BOTTOM "and away"));
        CHECK_RECEIVES(replier, "and away");
        close(fd);
        WAIT_PEERS(replier, 0);
        CHECK_SENDS(replier, "too late");
        CHECK_ERRNO(nn_send(replier, "twice", 5, 0), EFSM);

        fd = raw_connect_admitted(address, patterns[i].asker, patterns[i].replier);
        check_answers(replier, fd, address);
        close(fd);
    }
}

/* ---- Answers ---- */

/* Reads a question and keeps its id. */
static void take_question(int fd, const char *address, const char *text, uint8_t id[4])
{
    uint8_t message[64];
    size_t count = raw_receive_message(fd, address, message, sizeof message);

    CHECK(count >= 4);
    CHECK(message[0] & 0x80);
    memcpy(id, message, 4);
    CHECK_BYTES(message + 4, count - 4, text, strlen(text));
}

static void send_answer(int fd, const char *address, const uint8_t id[4], uint8_t changed_bits, const char *text)
{
    uint8_t message[64];

    memcpy(message, id, 4);
    message[changed_bits == 0x80 ? 0 : 3] ^= changed_bits;
    memcpy(message + 4, text, strlen(text));
    raw_send_message(fd, address, message, 4 + strlen(text));
}

static void send_bad_answers(int fd, const char *address, const uint8_t id[4])
{
    raw_send_message(fd, address, BYTES(""));
    raw_send_message(fd, address, BYTES("\x80"));
    raw_send_message(fd, address, id, 3);
    send_answer(fd, address, id, 0x80, "the right id without its highest bit");
    send_answer(fd, address, id, 0x01, "another id");
    send_answer(fd, address, id, 0xff, "another id");
    raw_send_message(fd, address, BYTES(WORD BOTTOM "a stack instead of an id"));
}

TEST_OVER_STREAMS(an_answer_to_another_question_is_dropped)
{
    for (size_t i = 0; i < COUNT_OF(patterns); i++) {
        const char *address = new_address();
        int asker = test_socket_bound(patterns[i].asker, address);
        int fd = raw_connect_admitted(address, patterns[i].replier, patterns[i].asker);
        uint8_t first[4];
        uint8_t second[4];

        if (patterns[i].asker == NN_SURVEYOR)
            SET_INT(asker, NN_SURVEYOR, NN_SURVEYOR_DEADLINE, test_deadline_ms(8000));
        WAIT_PEERS(asker, 1);
        raw_send_message(fd, address, BYTES(BOTTOM "an answer to nothing"));
        CHECK_SENDS(asker, "first?");
        take_question(fd, address, "first?", first);
        send_bad_answers(fd, address, first);
        send_answer(fd, address, first, 0, "first!");
        CHECK_RECEIVES(asker, "first!");

        CHECK_SENDS(asker, "second?");
        take_question(fd, address, "second?", second);
        send_answer(fd, address, first, 0, "stale");
        send_answer(fd, address, second, 0, "");
        check_receives_bytes(asker, "", 0);
        CHECK_EQUAL(nn_get_statistic(asker, NN_STAT_BROKEN_CONNECTIONS), 0);
        CHECK_EQUAL(nn_get_statistic(asker, NN_STAT_MESSAGES_RECEIVED), 2);
        close(fd);
    }
}

TEST(a_request_is_answered_once)
{
    const char *address = test_tcp_address();
    int request = test_socket_bound(NN_REQ, address);
    int fd = raw_connect_admitted(address, NN_REP, NN_REQ);
    uint8_t id[4];

    CHECK_SENDS(request, "?");
    take_question(fd, address, "?", id);
    for (int i = 0; i < 3; i++)
        send_answer(fd, address, id, 0, "!");
    CHECK_RECEIVES(request, "!");
    CHECK_ERRNO(nn_recv(request, id, sizeof id, 0), EFSM);
    CHECK_SENDS(request, "again?");
    take_question(fd, address, "again?", id);
    send_answer(fd, address, id, 0, "again!");
    CHECK_RECEIVES(request, "again!");
    close(fd);
}

TEST(a_survey_goes_on_among_answers_that_make_no_sense)
{
    const char *address = test_tcp_address();
    int surveyor = test_socket_bound(NN_SURVEYOR, address);
    int respondent = test_socket_connected(NN_RESPONDENT, address);
    int fd = raw_connect_admitted(address, NN_RESPONDENT, NN_SURVEYOR);
    uint8_t id[4];

    SET_INT(surveyor, NN_SURVEYOR, NN_SURVEYOR_DEADLINE, test_deadline_ms(8000));
    WAIT_PEERS(surveyor, 2);
    CHECK_SENDS(surveyor, "?");
    take_question(fd, address, "?", id);
    send_bad_answers(fd, address, id);
    CHECK_RECEIVES(respondent, "?");
    CHECK_SENDS(respondent, "honest");
    CHECK_RECEIVES(surveyor, "honest");
    send_answer(fd, address, id, 0, "late, but right");
    CHECK_RECEIVES(surveyor, "late, but right");
    close(fd);
}

TEST(a_raw_asker_drops_what_is_shorter_than_an_id)
{
    for (size_t i = 0; i < COUNT_OF(patterns); i++) {
        const char *address = test_tcp_address();
        int asker = (int)CHECK_OK(test_socket(AF_SP_RAW, patterns[i].asker));

        CHECK_OK(nn_bind(asker, address));
        int fd = raw_connect_admitted(address, patterns[i].replier, patterns[i].asker);
        raw_send_message(fd, address, BYTES(""));
        raw_send_message(fd, address, BYTES("\x80\0\0"));
        raw_send_message(fd, address, BYTES(WORD "any id will do"));
        CHECK_RECEIVES(asker, "any id will do");
        close(fd);
    }
}

/* ---- Anything ---- */

TEST(random_headers_do_no_harm)
{
    enum { MESSAGES = 3000, MAX_BYTES = 64 };
    uint32_t state = 20261124;
    uint8_t bytes[MAX_BYTES];
    char text[64];

    for (size_t i = 0; i < COUNT_OF(patterns); i++) {
        const char *address = test_tcp_address();
        int replier = test_socket_bound(patterns[i].replier, address);
        int fd = raw_connect_admitted(address, patterns[i].asker, patterns[i].replier);
        int taken = 0;

        SET_INT(replier, NN_SOL_SOCKET, NN_MAXTTL, 15);
        for (int message = 0; message < MESSAGES; message++) {
            for (int at = 0; at < MAX_BYTES; at++) {
                state = state * 1664525u + 1013904223u;
                /* Mostly without the bit that ends a stack. */
                bytes[at] = (uint8_t)(state >> 24 & (state & 0x700 ? 0x7f : 0xff));
            }
            raw_send_message(fd, address, bytes, (state >> 12) % (MAX_BYTES + 1));
            while (nn_recv(replier, text, sizeof text, NN_DONTWAIT) >= 0)
                taken++;
        }
        raw_send_message(fd, address, BYTES(BOTTOM "the last one"));
        while (strncmp(RECEIVE_TEXT(replier), "the last one", 12) != 0)
            taken++;
        CHECK(taken > 0 && taken < MESSAGES);
        CHECK_EQUAL(nn_get_statistic(replier, NN_STAT_BROKEN_CONNECTIONS), 0);
        close(fd);
    }
}
