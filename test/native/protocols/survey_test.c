/* SURVEYOR and RESPONDENT between sockets: all peers are asked, answers count until the deadline. */
#include "sockets.h"

#include <nanomsg/survey.h>

#include <stdio.h>
#include <string.h>

#define LIMIT_MS 8000
#define RESPONDENTS 3
#define SHORT_MS 50

/* Has a deadline that no case reaches. */
static int surveyor_with_long_deadline(void)
{
    int s = SOCKET(NN_SURVEYOR);

    SET_INT(s, NN_SURVEYOR, NN_SURVEYOR_DEADLINE, test_deadline_ms(2 * LIMIT_MS));
    return s;
}

static int bound_surveyor_with_long_deadline(const char *address)
{
    int s = surveyor_with_long_deadline();

    CHECK_OK(nn_bind(s, address));
    return s;
}

static void connect_respondents(int surveyor, int *respondents, const char *address)
{
    for (int i = 0; i < RESPONDENTS; i++)
        respondents[i] = test_socket_connected(NN_RESPONDENT, address);
    WAIT_PEERS(surveyor, RESPONDENTS);
}

static void check_expired(int surveyor)
{
    char byte;

    CHECK_ERRNO(nn_recv(surveyor, &byte, 1, 0), ETIMEDOUT);
    CHECK_ERRNO(nn_recv(surveyor, &byte, 1, 0), EFSM);
    CHECK_ERRNO(nn_recv(surveyor, &byte, 1, NN_DONTWAIT), EFSM);
}

/* ---- Turns ---- */

TEST_OVER_TRANSPORTS(all_peers_are_asked_and_every_answer_received)
{
    const char *address = new_address();
    int surveyor = bound_surveyor_with_long_deadline(address);
    int respondents[RESPONDENTS];

    connect_respondents(surveyor, respondents, address);
    for (int round = 0; round < 5; round++) {
        char text[16];
        unsigned heard = 0;
        snprintf(text, sizeof text, "%d?", round);
        CHECK_SENDS(surveyor, text);
        for (int i = 0; i < RESPONDENTS; i++) {
            CHECK_RECEIVES(respondents[i], text);
            char answer[2] = {(char)('a' + i), '\0'};
            CHECK_SENDS(respondents[i], answer);
        }
        for (int i = 0; i < RESPONDENTS; i++)
            heard |= 1u << (*RECEIVE_TEXT(surveyor) - 'a');
        CHECK_EQUAL(heard, (1u << RESPONDENTS) - 1);
    }
}

TEST_OVER_TRANSPORTS(out_of_turn_is_EFSM)
{
    const char *address = new_address();
    int surveyor = bound_surveyor_with_long_deadline(address);
    int respondent = test_socket_connected(NN_RESPONDENT, address);
    char byte;

    CHECK_ERRNO(nn_recv(surveyor, &byte, 1, 0), EFSM);
    CHECK_ERRNO(nn_recv(surveyor, &byte, 1, NN_DONTWAIT), EFSM);
    CHECK_ERRNO(nn_send(respondent, "!", 1, 0), EFSM);
    WAIT_PEERS(surveyor, 1);
    CHECK_SENDS(surveyor, "?");
    CHECK_ERRNO(nn_recv(surveyor, &byte, 1, NN_DONTWAIT), EAGAIN);
    CHECK_RECEIVES(respondent, "?");
    CHECK_SENDS(respondent, "!");
    CHECK_ERRNO(nn_send(respondent, "!", 1, NN_DONTWAIT), EFSM);
    CHECK_RECEIVES(surveyor, "!");
    CHECK_ERRNO(nn_recv(surveyor, &byte, 1, NN_DONTWAIT), EAGAIN); /* another peer might answer */
}

TEST_OVER_TRANSPORTS(a_respondent_need_not_answer)
{
    const char *address = new_address();
    int surveyor = bound_surveyor_with_long_deadline(address);
    int respondents[RESPONDENTS];

    connect_respondents(surveyor, respondents, address);
    CHECK_SENDS(surveyor, "first?");
    CHECK_SENDS(surveyor, "second?");
    for (int i = 0; i < RESPONDENTS; i++) {
        CHECK_RECEIVES(respondents[i], "first?");
        CHECK_RECEIVES(respondents[i], "second?");
    }
    CHECK_SENDS(respondents[1], "!");
    CHECK_RECEIVES(surveyor, "!");
    CHECK_SILENT(surveyor);
}

TEST_OVER_TRANSPORTS(a_respondent_that_receives_again_forgets_whom_to_answer)
{
    const char *address = new_address();
    int surveyor = bound_surveyor_with_long_deadline(address);
    int respondent = test_socket_connected(NN_RESPONDENT, address);
    char byte;

    WAIT_PEERS(surveyor, 1);
    CHECK_SENDS(surveyor, "?");
    CHECK_RECEIVES(respondent, "?");
    CHECK_ERRNO(nn_recv(respondent, &byte, 1, NN_DONTWAIT), EAGAIN);
    CHECK_ERRNO(nn_send(respondent, "!", 1, 0), EFSM);
}

TEST_OVER_TRANSPORTS(a_respondent_answers_each_of_several_surveyors)
{
    const char *address = new_address();
    int respondent = test_socket_bound(NN_RESPONDENT, address);
    int surveyors[2] = {surveyor_with_long_deadline(), surveyor_with_long_deadline()};

    for (int i = 0; i < 2; i++) {
        CHECK_OK(nn_connect(surveyors[i], address));
        WAIT_PEERS(surveyors[i], 1);
        CHECK_SENDS(surveyors[i], i == 0 ? "0?" : "1?");
    }
    for (int i = 0; i < 2; i++)
        CHECK_SENDS(respondent, *RECEIVE_TEXT(respondent) == '0' ? "0!" : "1!");
    CHECK_RECEIVES(surveyors[0], "0!");
    CHECK_RECEIVES(surveyors[1], "1!");
}

TEST_OVER_TRANSPORTS(an_answer_to_a_surveyor_that_has_gone_is_dropped)
{
    const char *address = new_address();
    int respondent = test_socket_bound(NN_RESPONDENT, address);
    int gone = surveyor_with_long_deadline();

    CHECK_OK(nn_connect(gone, address));
    WAIT_PEERS(gone, 1);
    CHECK_SENDS(gone, "?");
    CHECK_RECEIVES(respondent, "?");
    CHECK_OK(nn_close(gone));
    WAIT_PEERS(respondent, 0);
    CHECK_SENDS(respondent, "!");
    CHECK_ERRNO(nn_send(respondent, "!", 1, 0), EFSM);
}

/* ---- The deadline ---- */

TEST_OVER_TRANSPORTS(the_deadline_is_told_once_and_then_EFSM)
{
    const char *address = new_address();
    int surveyor = test_socket_bound(NN_SURVEYOR, address);
    int respondent = test_socket_connected(NN_RESPONDENT, address);

    SET_INT(surveyor, NN_SURVEYOR, NN_SURVEYOR_DEADLINE, SHORT_MS);
    WAIT_PEERS(surveyor, 1);
    for (int i = 0; i < 2; i++) {
        int64_t start_ms = test_now_ms();
        CHECK_SENDS(surveyor, "?");
        check_expired(surveyor);
        CHECK(test_now_ms() - start_ms >= SHORT_MS);
        CHECK_RECEIVES(respondent, "?");
    }
}

TEST(a_survey_without_respondents_has_its_deadline_too)
{
    int surveyor = test_socket_bound(NN_SURVEYOR, test_inproc_address());

    SET_INT(surveyor, NN_SURVEYOR, NN_SURVEYOR_DEADLINE, SHORT_MS);
    CHECK_OK(nn_send(surveyor, "?", 1, NN_DONTWAIT));
    check_expired(surveyor);
    SET_INT(surveyor, NN_SURVEYOR, NN_SURVEYOR_DEADLINE, 0);
    CHECK_SENDS(surveyor, "?");
    check_expired(surveyor);
}

TEST_OVER_TRANSPORTS(answers_after_the_deadline_are_dropped)
{
    const char *address = new_address();
    int surveyor = test_socket_bound(NN_SURVEYOR, address);
    int respondent = test_socket_connected(NN_RESPONDENT, address);

    SET_INT(surveyor, NN_SURVEYOR, NN_SURVEYOR_DEADLINE, SHORT_MS);
    WAIT_PEERS(surveyor, 1);
    CHECK_SENDS(surveyor, "first?");
    CHECK_RECEIVES(respondent, "first?");
    check_expired(surveyor);
    CHECK_SENDS(respondent, "too late!");

    SET_INT(surveyor, NN_SURVEYOR, NN_SURVEYOR_DEADLINE, test_deadline_ms(2 * LIMIT_MS));
    CHECK_SENDS(surveyor, "second?");
    CHECK_RECEIVES(respondent, "second?");
    CHECK_SENDS(respondent, "in time!");
    CHECK_RECEIVES(surveyor, "in time!");
    CHECK_SILENT(surveyor);
}

TEST_OVER_TRANSPORTS(answers_that_were_not_received_by_the_deadline_are_lost)
{
    const char *address = new_address();
    int surveyor = test_socket_bound(NN_SURVEYOR, address);
    int respondent = test_socket_connected(NN_RESPONDENT, address);
    int deadline_ms = test_deadline_ms(200);

    test_settle();
    SET_INT(surveyor, NN_SURVEYOR, NN_SURVEYOR_DEADLINE, deadline_ms);
    WAIT_PEERS(surveyor, 1);
    CHECK_SENDS(surveyor, "?");
    int64_t asked_ms = test_now_ms();
    CHECK_RECEIVES(respondent, "?");
    CHECK_SENDS(respondent, "!");
    CHECK(test_is_ready(surveyor, NN_POLLIN, test_deadline_ms(LIMIT_MS)));
    while (!test_pause(asked_ms + deadline_ms + 20))
        ;
    test_settle();
    CHECK(test_is_ready(surveyor, NN_POLLIN, 0));
    check_expired(surveyor);
}

TEST_OVER_TRANSPORTS(giving_up_waiting_leaves_the_survey)
{
    const char *address = new_address();
    int surveyor = bound_surveyor_with_long_deadline(address);
    int respondent = test_socket_connected(NN_RESPONDENT, address);

    WAIT_PEERS(surveyor, 1);
    CHECK_SENDS(surveyor, "?");
    CHECK_SILENT(surveyor); /* it receives, and gives up */
    CHECK_RECEIVES(respondent, "?");
    CHECK_SENDS(respondent, "!");
    CHECK_RECEIVES(surveyor, "!");
}

/* ---- Another survey ---- */

TEST_OVER_TRANSPORTS(a_new_survey_ends_the_one_before)
{
    const char *address = new_address();
    int surveyor = bound_surveyor_with_long_deadline(address);
    int respondents[RESPONDENTS];

    connect_respondents(surveyor, respondents, address);
    CHECK_SENDS(surveyor, "first?");
    for (int i = 0; i < RESPONDENTS; i++)
        CHECK_RECEIVES(respondents[i], "first?");
    CHECK_SENDS(respondents[0], "to the first!");
    CHECK(test_is_ready(surveyor, NN_POLLIN, test_deadline_ms(LIMIT_MS)));
    CHECK_SENDS(surveyor, "second?");
    CHECK_SENDS(respondents[1], "to the first, late!");
    CHECK_RECEIVES(respondents[2], "second?");
    CHECK_SENDS(respondents[2], "to the second!");
    CHECK_RECEIVES(surveyor, "to the second!");
    CHECK_SILENT(surveyor);
}

TEST_OVER_TRANSPORTS(a_respondent_that_comes_during_a_survey_is_asked_in_the_next)
{
    const char *address = new_address();
    int surveyor = bound_surveyor_with_long_deadline(address);
    int early = test_socket_connected(NN_RESPONDENT, address);

    WAIT_PEERS(surveyor, 1);
    CHECK_SENDS(surveyor, "first?");
    CHECK_RECEIVES(early, "first?");
    int late = test_socket_connected(NN_RESPONDENT, address);
    WAIT_PEERS(surveyor, 2);
    CHECK_SENDS(surveyor, "second?");
    CHECK_RECEIVES(late, "second?");
    CHECK_SENDS(late, "!");
    CHECK_RECEIVES(surveyor, "!");
}
