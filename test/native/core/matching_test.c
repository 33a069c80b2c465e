/* Which types talk to which: the others are not admitted, whichever side has bound. */
#include "sockets.h"

#include <nanomsg/bus.h>
#include <nanomsg/pair.h>
#include <nanomsg/pipeline.h>
#include <nanomsg/pubsub.h>
#include <nanomsg/reqrep.h>
#include <nanomsg/survey.h>

#include <string.h>

static const struct {
    int protocol;
    int peer;
} types[] = {
    {NN_PAIR, NN_PAIR}, {NN_REQ, NN_REP},
    {NN_REP, NN_REQ},   {NN_PUB, NN_SUB},
    {NN_SUB, NN_PUB},   {NN_PUSH, NN_PULL},
    {NN_PULL, NN_PUSH}, {NN_SURVEYOR, NN_RESPONDENT},
    {NN_BUS, NN_BUS},   {NN_RESPONDENT, NN_SURVEYOR},
};

#define TYPES (sizeof types / sizeof types[0])

static void check_match(int bound, int protocol, const char *address)
{
    int s = test_socket_connected(protocol, address);

    WAIT_PEERS(s, 1);
    WAIT_PEERS(bound, 1);
    CHECK_OK(nn_close(s));
    WAIT_PEERS(bound, 0);
}

static void check_mismatch(int bound, int protocol, const char *address)
{
    int s = test_socket_connected(protocol, address);

    /* Within a process the types are compared before anything is connected. */
    if (strncmp(address, "inproc:", 7) != 0)
        WAIT_STATISTIC_AT_LEAST(s, NN_STAT_BROKEN_CONNECTIONS, 1);
    CHECK_EQUAL(nn_get_statistic(s, NN_STAT_CURRENT_CONNECTIONS), 0);
    CHECK_EQUAL(nn_get_statistic(bound, NN_STAT_CURRENT_CONNECTIONS), 0);
    CHECK_OK(nn_close(s));
}

TEST_OVER_TRANSPORTS(each_type_admits_its_counterpart_and_no_other)
{
    for (size_t i = 0; i < TYPES; i++) {
        const char *address = new_address();
        int bound = test_socket_bound(types[i].protocol, address);
        for (size_t j = 0; j < TYPES; j++) {
            if (types[j].protocol == types[i].peer)
                check_match(bound, types[j].protocol, address);
            else
                check_mismatch(bound, types[j].protocol, address);
        }
        CHECK_OK(nn_close(bound));
    }
}
