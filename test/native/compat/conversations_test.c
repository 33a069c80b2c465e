/* Conversations between a program that is linked to this library and the same one that is linked to another: each
 * pattern over each transport, whichever side binds and whichever library it has. */
#include "harness.h"
#include "peers.h"

#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

/* NN_PROGRAM_OURS and NN_PROGRAM_THEIRS, the names of the programs, come from the build. */

struct side {
    char *role;
    char *type;
    bool is_ours;
    bool binds;
};

static struct peer side_start(const struct side *side, const char *address)
{
    char *arguments[] = {side->is_ours ? NN_PROGRAM_OURS : NN_PROGRAM_THEIRS,
                         side->role,
                         side->type,
                         side->binds ? "binds" : "connects",
                         (char *)(uintptr_t)address,
                         NULL};
    struct peer peer = peer_start(arguments, NULL);

    peer_expect(&peer, "ready");
    return peer;
}

static void converse(char *asking, char *answering, const char *address, bool asks, bool binds)
{
    struct side sides[2] = {
        {.role = "asks", .type = asking, .is_ours = asks, .binds = asks == binds},
        {.role = "answers", .type = answering, .is_ours = !asks, .binds = asks != binds},
    };
    int first = sides[0].binds ? 0 : 1;
    struct peer peers[2];

    peers[first] = side_start(&sides[first], address);
    peers[1 - first] = side_start(&sides[1 - first], address);
    peer_expect(&peers[0], "done");
    peer_expect(&peers[1], "done");
    peer_finish(&peers[0]);
    peer_finish(&peers[1]);
}

#define CASE(asking, answering, transport, who, asks, how, binds)                                                      \
    TEST(asking##_to_##answering##_over_##transport##_ours_##who##_and_##how)                                          \
    {                                                                                                                  \
        converse(#asking, #answering, test_##transport##_address(), asks, binds);                                      \
    }
#define CASES_OVER(asking, answering, transport)                                                                       \
    CASE(asking, answering, transport, asks, true, binds, true)                                                        \
    CASE(asking, answering, transport, asks, true, connects, false)                                                    \
    CASE(asking, answering, transport, answers, false, binds, true)                                                    \
    CASE(asking, answering, transport, answers, false, connects, false)
#define CASES(asking, answering)                                                                                       \
    CASES_OVER(asking, answering, tcp)                                                                                 \
    CASES_OVER(asking, answering, ipc)                                                                                 \
    CASES_OVER(asking, answering, ws)

CASES(pair, pair)
CASES(long, long)
CASES(req, rep)
CASES(push, pull)
CASES(pub, sub)
CASES(surveyor, respondent)
CASES(bus, bus)

/* NNG has names that are in no file system, libnanomsg has not. */
#ifdef NN_HAS_ABSTRACT
static const char *test_abstract_address(void)
{
    static char address[64];

    snprintf(address, sizeof address, "abstract://nn%%20%ld%%00%%ff", (long)getpid());
    return address;
}

CASES_OVER(req, rep, abstract)
CASES_OVER(push, pull, abstract)
#endif
