/* NN_STAT_CURRENT_SND_PRIORITY: the priority of the peer that gets the next message. */
#include "sockets.h"

#include <nanomsg/bus.h>
#include <nanomsg/pair.h>
#include <nanomsg/pipeline.h>
#include <nanomsg/pubsub.h>
#include <nanomsg/reqrep.h>
#include <nanomsg/survey.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#define NO_PEER ((uint64_t)-1)

TEST(the_priority_is_0_before_there_is_a_peer)
{
    static const int types[] = {NN_PAIR, NN_PUB,  NN_SUB,      NN_REQ,        NN_REP,
                                NN_PUSH, NN_PULL, NN_SURVEYOR, NN_RESPONDENT, NN_BUS};

    for (size_t i = 0; i < COUNT_OF(types); i++) {
        for (int domain = AF_SP; domain <= AF_SP_RAW; domain++) {
            int s = (int)CHECK_OK(test_socket(domain, types[i]));
            CHECK_EQUAL(nn_get_statistic(s, NN_STAT_CURRENT_SND_PRIORITY), 0);
            CHECK_OK(nn_close(s));
        }
    }
}

static int connect_with_priority(int s, int priority, int peer_type, const char *address)
{
    int peer = test_socket_bound(peer_type, address);

    SET_INT(s, NN_SOL_SOCKET, NN_SNDPRIO, priority);
    CHECK_OK(nn_connect(s, address));
    return peer;
}

static void check_priorities(int type, int peer_type, const char *(*new_address)(void))
{
    int s = SOCKET(type);
    int low = connect_with_priority(s, 9, peer_type, new_address());

    WAIT_STATISTIC(s, NN_STAT_CURRENT_SND_PRIORITY, 9);
    int high = connect_with_priority(s, 2, peer_type, new_address());
    WAIT_STATISTIC(s, NN_STAT_CURRENT_SND_PRIORITY, 2);
    CHECK_OK(nn_close(high));
    WAIT_STATISTIC(s, NN_STAT_CURRENT_SND_PRIORITY, 9);
    CHECK_OK(nn_close(low));
    WAIT_STATISTIC(s, NN_STAT_CURRENT_SND_PRIORITY, NO_PEER);
    CHECK_OK(nn_close(s));
}

TEST_OVER_TRANSPORTS(the_priority_is_that_of_the_best_peer_and_minus_1_when_all_have_gone)
{
    check_priorities(NN_PUSH, NN_PULL, new_address);
    check_priorities(NN_REQ, NN_REP, new_address);
}

TEST(the_priority_of_types_that_send_to_all_stays_0)
{
    static const int types[][2] = {
        {NN_PAIR, NN_PAIR}, {NN_PUB, NN_SUB}, {NN_SURVEYOR, NN_RESPONDENT}, {NN_BUS, NN_BUS}};

    for (size_t i = 0; i < COUNT_OF(types); i++) {
        int s = SOCKET(types[i][0]);
        connect_with_priority(s, 3, types[i][1], test_inproc_address());
        WAIT_PEERS(s, 1);
        CHECK_EQUAL(nn_get_statistic(s, NN_STAT_CURRENT_SND_PRIORITY), 0);
    }
}
