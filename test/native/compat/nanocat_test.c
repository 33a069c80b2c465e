/* The nanocat of libnanomsg, unchanged, with this library in libnanomsg's place, in conversation with itself on
 * libnanomsg. */
#include "harness.h"
#include "peers.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* NN_REPLACEMENT_FOLDER, where our libnanomsg.so.5 is, comes from the build. */

#define EVERY_SECONDS "0.05"

struct pattern {
    char *asking;
    char *answering;
    bool is_two_way; /* both sides send, and both receive */
    bool is_mutual;  /* both sides send at their own times */
};

/* Returns the arguments of one side, in memory of the case. */
static void arguments_of(char *arguments[16], const struct pattern *pattern, bool asks, bool binds, const char *address)
{
    int count = 0;

    arguments[count++] = "nanocat";
    arguments[count++] = asks ? pattern->asking : pattern->answering;
    arguments[count++] = binds ? "--bind" : "--connect";
    arguments[count++] = (char *)(uintptr_t)address;
    if (asks || pattern->is_two_way) {
        arguments[count++] = "--data";
        arguments[count++] = asks ? "question" : "answer";
    }
    if (asks || pattern->is_mutual) {
        arguments[count++] = "--interval";
        arguments[count++] = EVERY_SECONDS;
    }
    if (!asks || pattern->is_two_way)
        arguments[count++] = "--ascii";
    arguments[count] = NULL;
}

/* Whether the program has our library in memory. */
static bool has_our_library(const struct peer *peer)
{
    char name[64];
    char line[512];
    bool is_found = false;

    snprintf(name, sizeof name, "/proc/%d/maps", (int)peer->pid);
    FILE *maps = fopen(name, "r");
    CHECK(maps != NULL);
    while (fgets(line, sizeof line, maps) != NULL)
        is_found |= strstr(line, NN_REPLACEMENT_FOLDER "/libnanomsg.so.5") != NULL;
    fclose(maps);
    return is_found;
}

static void converse(const struct pattern *pattern, const char *address, bool asks, bool binds)
{
    struct peer peers[2]; /* the one that asks, the one that answers */
    int first = asks == binds ? 0 : 1;

    for (int i = 0; i < 2; i++) {
        int side = i == 0 ? first : 1 - first;
        bool is_ours = asks == (side == 0);
        char *arguments[16];
        arguments_of(arguments, pattern, side == 0, side == first, address);
        peers[side] = peer_start(arguments, is_ours ? NN_REPLACEMENT_FOLDER : NULL);
    }
    peer_expect(&peers[1], "question");
    if (pattern->is_two_way)
        peer_expect(&peers[0], "answer");
    CHECK(has_our_library(&peers[asks ? 0 : 1]));
    peer_stop(&peers[0]);
    peer_stop(&peers[1]);
}

#define CASE(name, transport, who, asks, how, binds)                                                                   \
    TEST(nanocat_##name##_over_##transport##_ours_##who##_and_##how)                                                   \
    {                                                                                                                  \
        converse(&name, test_##transport##_address(), asks, binds);                                                    \
    }
#define CASES_OVER(name, transport)                                                                                    \
    CASE(name, transport, asks, true, binds, true)                                                                     \
    CASE(name, transport, asks, true, connects, false)                                                                 \
    CASE(name, transport, answers, false, binds, true)                                                                 \
    CASE(name, transport, answers, false, connects, false)
#define CASES(name)                                                                                                    \
    CASES_OVER(name, tcp)                                                                                              \
    CASES_OVER(name, ipc)

static const struct pattern pair = {"--pair", "--pair", true, true};
static const struct pattern request = {"--req", "--rep", true, false};
static const struct pattern pipeline = {"--push", "--pull", false, false};
static const struct pattern publication = {"--pub", "--sub", false, false};
static const struct pattern survey = {"--surveyor", "--respondent", true, false};
static const struct pattern bus = {"--bus", "--bus", true, true};

CASES(pair)
CASES(request)
CASES(pipeline)
CASES(publication)
CASES(survey)
CASES(bus)
