/* REQ and REP between sockets: turns, cancelling, asking again, sharing. */
#include "sockets.h"

#include <nanomsg/reqrep.h>

#include <stdio.h>
#include <string.h>

#define LIMIT_MS 8000
#define REPS 3
#define REQS 3

static int req_with_interval(int interval_ms)
{
    int s = SOCKET(NN_REQ);

    SET_INT(s, NN_REQ, NN_REQ_RESEND_IVL, interval_ms);
    return s;
}

/* Waits until one of the sockets can receive, and tells which. */
static size_t wait_readable(const int *sockets, size_t count)
{
    struct nn_pollfd entries[8];

    CHECK(count <= 8);
    for (size_t i = 0; i < count; i++)
        entries[i] = (struct nn_pollfd){.fd = sockets[i], .events = NN_POLLIN};
    CHECK(CHECK_OK(nn_poll(entries, (int)count, test_deadline_ms(LIMIT_MS))) > 0);
    for (size_t i = 0; i < count; i++) {
        if (entries[i].revents != 0)
            return i;
    }
    FAIL("nn_poll counts what it does not name");
}

/* ---- Turns ---- */

TEST_OVER_TRANSPORTS(each_request_gets_its_reply)
{
    const char *address = new_address();
    int rep = test_socket_bound(NN_REP, address);
    int req = test_socket_connected(NN_REQ, address);
    char text[32];

    for (int i = 0; i < 100; i++) {
        snprintf(text, sizeof text, "%d?", i);
        CHECK_SENDS(req, text);
        CHECK_RECEIVES(rep, text);
        snprintf(text, sizeof text, "%d!", i);
        CHECK_SENDS(rep, text);
        CHECK_RECEIVES(req, text);
    }
}

TEST_OVER_TRANSPORTS(out_of_turn_is_EFSM)
{
    const char *address = new_address();
    int rep = test_socket_connected(NN_REP, address);
    int req = test_socket_bound(NN_REQ, address);
    char byte;

    for (int i = 0; i < 3; i++) {
        CHECK_ERRNO(nn_recv(req, &byte, 1, 0), EFSM);
        CHECK_ERRNO(nn_recv(req, &byte, 1, NN_DONTWAIT), EFSM);
        CHECK_ERRNO(nn_send(rep, "!", 1, 0), EFSM);
        CHECK_SENDS(req, "?");
        CHECK_RECEIVES(rep, "?");
        CHECK_ERRNO(nn_recv(req, &byte, 1, NN_DONTWAIT), EAGAIN);
        CHECK_SENDS(rep, "!");
        CHECK_ERRNO(nn_send(rep, "!", 1, NN_DONTWAIT), EFSM);
        CHECK_RECEIVES(req, "!");
    }
}

TEST_OVER_TRANSPORTS(a_rep_that_receives_again_forgets_whom_to_answer)
{
    const char *address = new_address();
    int rep = test_socket_bound(NN_REP, address);
    int req = test_socket_connected(NN_REQ, address);
    char byte;

    CHECK_SENDS(req, "?");
    CHECK_RECEIVES(rep, "?");
    CHECK_ERRNO(nn_recv(rep, &byte, 1, NN_DONTWAIT), EAGAIN);
    CHECK_ERRNO(nn_send(rep, "!", 1, 0), EFSM);
    CHECK_SILENT(req);
}

TEST_OVER_TRANSPORTS(giving_up_waiting_leaves_the_request)
{
    const char *address = new_address();
    int rep = test_socket_bound(NN_REP, address);
    int req = test_socket_connected(NN_REQ, address);

    CHECK_SENDS(req, "?");
    CHECK_RECEIVES(rep, "?");
    CHECK_SILENT(req); /* it receives, and gives up */
    CHECK_SENDS(rep, "!");
    CHECK_RECEIVES(req, "!");
}

TEST_OVER_TRANSPORTS(replies_go_to_the_asker)
{
    const char *address = new_address();
    int rep = test_socket_bound(NN_REP, address);
    int reqs[REQS];
    char text[32];

    for (int i = 0; i < REQS; i++) {
        reqs[i] = test_socket_connected(NN_REQ, address);
        snprintf(text, sizeof text, "from %d", i);
        CHECK_SENDS(reqs[i], text);
    }
    for (int i = 0; i < REQS; i++) {
        snprintf(text, sizeof text, "to%s", strchr(RECEIVE_TEXT(rep), ' '));
        CHECK_SENDS(rep, text);
    }
    for (int i = 0; i < REQS; i++) {
        snprintf(text, sizeof text, "to %d", i);
        CHECK_RECEIVES(reqs[i], text);
    }
}

TEST_OVER_TRANSPORTS(a_reply_to_an_asker_that_has_gone_is_dropped)
{
    const char *address = new_address();
    int rep = test_socket_bound(NN_REP, address);
    int gone = test_socket_connected(NN_REQ, address);

    CHECK_SENDS(gone, "?");
    CHECK_RECEIVES(rep, "?");
    CHECK_OK(nn_close(gone));
    WAIT_PEERS(rep, 0);
    CHECK_SENDS(rep, "!");
    CHECK_ERRNO(nn_send(rep, "!", 1, 0), EFSM);

    int req = test_socket_connected(NN_REQ, address);
    CHECK_SENDS(req, "another?");
    CHECK_RECEIVES(rep, "another?");
    CHECK_SENDS(rep, "another!");
    CHECK_RECEIVES(req, "another!");
}

/* ---- Cancelling ---- */

TEST_OVER_TRANSPORTS(a_new_request_cancels_the_one_before)
{
    const char *address = new_address();
    int rep = test_socket_bound(NN_REP, address);
    int req = test_socket_connected(NN_REQ, address);

    CHECK_SENDS(req, "first?");
    CHECK_RECEIVES(rep, "first?");
    CHECK_SENDS(req, "second?");
    CHECK_SENDS(rep, "first!");
    CHECK_RECEIVES(rep, "second?");
    CHECK_SILENT(req);
    CHECK_SENDS(rep, "second!");
    CHECK_RECEIVES(req, "second!");
}

TEST_OVER_TRANSPORTS(a_new_request_cancels_a_reply_that_was_not_received)
{
    const char *address = new_address();
    int rep = test_socket_bound(NN_REP, address);
    int req = test_socket_connected(NN_REQ, address);

    CHECK_SENDS(req, "first?");
    CHECK_RECEIVES(rep, "first?");
    CHECK_SENDS(rep, "first!");
    CHECK(test_is_ready(req, NN_POLLIN, test_deadline_ms(LIMIT_MS)));
    CHECK_SENDS(req, "second?");
    CHECK(!test_is_ready(req, NN_POLLIN, 0));
    CHECK_RECEIVES(rep, "second?");
    CHECK_SENDS(rep, "second!");
    CHECK_RECEIVES(req, "second!");
}

TEST_OVER_TRANSPORTS(the_latest_request_waits_for_a_peer)
{
    const char *address = new_address();
    int req = test_socket_connected(NN_REQ, address);
    char byte;

    CHECK_OK(nn_send(req, "cancelled", 9, NN_DONTWAIT));
    CHECK_OK(nn_send(req, "kept", 4, NN_DONTWAIT));
    CHECK_ERRNO(nn_recv(req, &byte, 1, NN_DONTWAIT), EAGAIN);
    int rep = test_socket_bound(NN_REP, address);
    CHECK_RECEIVES(rep, "kept");
    CHECK_SENDS(rep, "answered");
    CHECK_RECEIVES(req, "answered");
}

/* ---- Asking again ---- */

#define RESEND_MS 40

TEST_OVER_TRANSPORTS(a_request_is_sent_again_when_the_interval_has_passed)
{
    const char *address = new_address();
    int rep = test_socket_bound(NN_REP, address);
    int req = req_with_interval(RESEND_MS);
    int64_t start_ms = test_now_ms();
    const char *text;

    CHECK_OK(nn_connect(req, address));
    CHECK_SENDS(req, "again?");
    for (int i = 0; i < 3; i++) {
        CHECK_RECEIVES(rep, "again?");
        CHECK(test_now_ms() - start_ms >= i * RESEND_MS);
    }
    CHECK_SENDS(rep, "at last!");
    CHECK_RECEIVES(req, "at last!");
    CHECK_SENDS(req, "next?");
    while (strcmp(text = RECEIVE_TEXT(rep), "next?") != 0)
        CHECK_STRING(text, "again?"); /* was on its way already */
    CHECK_SENDS(rep, "next!");
    CHECK_RECEIVES(req, "next!");
}

/* Two reps that a req is connected to. */
static void connect_two_reps(int req, int *reps, const char *(*new_address)(void))
{
    for (int i = 0; i < 2; i++) {
        const char *address = new_address();
        reps[i] = test_socket_bound(NN_REP, address);
        CHECK_OK(nn_connect(req, address));
        WAIT_PEERS(reps[i], 1);
    }
    WAIT_PEERS(req, 2);
}

TEST_OVER_TRANSPORTS(a_request_that_is_not_answered_goes_to_the_next_peer)
{
    int req = req_with_interval(RESEND_MS);
    int reps[2];

    connect_two_reps(req, reps, new_address);
    CHECK_SENDS(req, "?");
    size_t idle = wait_readable(reps, 2);
    CHECK_RECEIVES(reps[idle], "?");
    CHECK_RECEIVES(reps[1 - idle], "?");
    CHECK_SENDS(reps[1 - idle], "!");
    CHECK_RECEIVES(req, "!");
}

TEST_OVER_TRANSPORTS(the_first_peer_may_answer_after_the_second_was_asked)
{
    int req = req_with_interval(RESEND_MS);
    int reps[2];

    connect_two_reps(req, reps, new_address);
    CHECK_SENDS(req, "?");
    size_t slow = wait_readable(reps, 2);
    CHECK_RECEIVES(reps[slow], "?");
    CHECK_RECEIVES(reps[1 - slow], "?");
    CHECK_SENDS(reps[slow], "late, but first!");
    CHECK_RECEIVES(req, "late, but first!");
    CHECK_SENDS(reps[1 - slow], "too late!");
    char byte;
    CHECK_ERRNO(nn_recv(req, &byte, 1, 0), EFSM);
}

TEST_OVER_TRANSPORTS(a_request_whose_peer_goes_is_sent_to_another_at_once)
{
    int req = SOCKET(NN_REQ); /* with the interval of a minute, which the case would not survive */
    int reps[2];

    connect_two_reps(req, reps, new_address);
    CHECK_SENDS(req, "?");
    size_t mortal = wait_readable(reps, 2);
    CHECK_RECEIVES(reps[mortal], "?");
    CHECK_OK(nn_close(reps[mortal]));
    CHECK_RECEIVES(reps[1 - mortal], "?");
    CHECK_SENDS(reps[1 - mortal], "!");
    CHECK_RECEIVES(req, "!");
}

TEST_OVER_TRANSPORTS(a_request_whose_only_peer_goes_waits_for_the_next)
{
    const char *address = new_address();
    int rep = test_socket_bound(NN_REP, address);
    int req = test_socket_connected(NN_REQ, address);

    CHECK_SENDS(req, "?");
    CHECK_RECEIVES(rep, "?");
    CHECK_OK(nn_close(rep));
    WAIT_PEERS(req, 0);
    rep = test_socket_bound(NN_REP, address);
    CHECK_RECEIVES(rep, "?");
    CHECK_SENDS(rep, "!");
    CHECK_RECEIVES(req, "!");
}

TEST_OVER_TRANSPORTS(an_answered_request_is_not_sent_again_when_its_peer_goes)
{
    int req = SOCKET(NN_REQ);
    int reps[2];

    connect_two_reps(req, reps, new_address);
    CHECK_SENDS(req, "?");
    size_t mortal = wait_readable(reps, 2);
    CHECK_RECEIVES(reps[mortal], "?");
    CHECK_SENDS(reps[mortal], "!");
    CHECK(test_is_ready(req, NN_POLLIN, test_deadline_ms(LIMIT_MS)));
    CHECK_OK(nn_close(reps[mortal]));
    WAIT_PEERS(req, 1);
    CHECK_SILENT(reps[1 - mortal]);
    CHECK_RECEIVES(req, "!");
}

/* ---- Sharing ---- */

TEST_OVER_TRANSPORTS(requests_are_dealt_out_in_turn)
{
    int req = SOCKET(NN_REQ);
    int reps[2];
    size_t last = 2;

    connect_two_reps(req, reps, new_address);
    for (int i = 0; i < 8; i++) {
        CHECK_SENDS(req, "?");
        size_t asked = wait_readable(reps, 2);
        CHECK_EQUAL(asked == last, false);
        last = asked;
        CHECK_RECEIVES(reps[asked], "?");
        CHECK_SENDS(reps[asked], "!");
        CHECK_RECEIVES(req, "!");
    }
}

TEST_OVER_TRANSPORTS(requests_prefer_peers_of_better_NN_SNDPRIO)
{
    static const int priorities[REPS] = {9, 1, 5};
    static const size_t expected[REPS] = {1, 2, 0};
    int req = SOCKET(NN_REQ);
    int reps[REPS];

    for (int i = 0; i < REPS; i++) {
        const char *address = new_address();
        reps[i] = test_socket_bound(NN_REP, address);
        SET_INT(req, NN_SOL_SOCKET, NN_SNDPRIO, priorities[i]);
        CHECK_OK(nn_connect(req, address));
        WAIT_PEERS(reps[i], 1);
    }
    WAIT_PEERS(req, REPS);
    for (int i = 0; i < REPS; i++) {
        int best = reps[expected[i]];
        CHECK_EQUAL(nn_get_statistic(req, NN_STAT_CURRENT_SND_PRIORITY), priorities[expected[i]]);
        for (int j = 0; j < 3; j++) {
            CHECK_SENDS(req, "?");
            CHECK_RECEIVES(best, "?");
            CHECK_SENDS(best, "!");
            CHECK_RECEIVES(req, "!");
        }
        CHECK_OK(nn_close(best));
        WAIT_PEERS(req, (uint64_t)(REPS - 1 - i));
    }
}

/* A raw req may have any number of requests under way. */
static int flood(const char *address, int count)
{
    int s = (int)CHECK_OK(test_socket(AF_SP_RAW, NN_REQ));
    static const char request[] = "\x80\0\0\1flood";

    CHECK_OK(nn_connect(s, address));
    for (int i = 0; i < count; i++)
        CHECK_OK(nn_send(s, request, sizeof request - 1, 0));
    return s;
}

/* Two peers take turns, after the one request that a rep looks ahead at. */
#define LATEST_TURN 3

TEST_OVER_TRANSPORTS(a_peer_that_asks_a_lot_does_not_keep_others_from_being_heard)
{
    const char *address = new_address();
    int rep = test_socket_bound(NN_REP, address);
    int req = test_socket_connected(NN_REQ, address);

    test_settle();
    flood(address, 200);
    WAIT_PEERS(rep, 2);
    for (int round = 0; round < 5; round++) {
        CHECK_SENDS(req, "just one");
        test_settle();
        bool is_heard = false;
        for (int i = 0; i < LATEST_TURN; i++) {
            is_heard = strcmp(RECEIVE_TEXT(rep), "just one") == 0;
            CHECK_SENDS(rep, "!");
            if (is_heard)
                break;
        }
        CHECK(is_heard);
        CHECK_RECEIVES(req, "!");
    }
}
