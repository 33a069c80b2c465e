/* Peers that finish or die, whatever they have said, and whether they read or not, for each transport: included by a
 * file that says how peers speak it. */
#ifndef TEST_GONE_TESTS_H
#define TEST_GONE_TESTS_H

#include "sockets.h"

#include <nanomsg/bus.h>
#include <nanomsg/pair.h>
#include <nanomsg/pipeline.h>
#include <nanomsg/pubsub.h>
#include <nanomsg/reqrep.h>
#include <nanomsg/survey.h>

#include <dirent.h>
#include <sys/socket.h>
#include <unistd.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* The engine waits 3 s for a peer that has finished. */
#define LIMIT_MS 15000

static const struct {
    int id;
    int peer_id;
    const char *name;
} types[] = {
    {NN_PAIR, NN_PAIR, "pair"},
    {NN_PUB, NN_SUB, "pub"},
    {NN_SUB, NN_PUB, "sub"},
    {NN_REQ, NN_REP, "req"},
    {NN_REP, NN_REQ, "rep"},
    {NN_PUSH, NN_PULL, "push"},
    {NN_PULL, NN_PUSH, "pull"},
    {NN_SURVEYOR, NN_RESPONDENT, "surveyor"},
    {NN_RESPONDENT, NN_SURVEYOR, "respondent"},
    {NN_BUS, NN_BUS, "bus"},
};

/* ---- Peers ---- */

struct gone_peer {
    int fd;
    void *session; /* of TLS; NULL: none */
};

struct gone_way {
    const char *(*new_address)(void);
    void (*prepare)(int s); /* options of TLS; NULL: there are none */
    struct gone_peer (*connect)(const char *address, int protocol, int peer_protocol, const char *peer_name);
    /* A message of `announced` bytes, of which these are said. */
    void (*say)(struct gone_peer peer, const char *address, const void *bytes, size_t count, size_t announced);
    void (*end_session)(struct gone_peer peer, bool is_told); /* NULL: there are none */
};

enum said { NOTHING, HALF_A_FRAME, ONE_MESSAGE, MANY_MESSAGES, SAID };
enum end { BY_RESET, BY_FIN, BY_CLOSING, ENDS };

enum { MANY = 60, BODY_BYTES = 1000 };

static inline void gone_peer_say(const struct gone_way *way, struct gone_peer peer, const char *address, enum said said)
{
    static const char body[BODY_BYTES] = "\x80\0\0\1";

    if (said == HALF_A_FRAME)
        way->say(peer, address, body, BODY_BYTES / 2, BODY_BYTES);
    for (int i = said == MANY_MESSAGES ? MANY : said == ONE_MESSAGE ? 1 : 0; i > 0; i--)
        way->say(peer, address, body, BODY_BYTES, BODY_BYTES);
}

static inline void gone_peer_end(const struct gone_way *way, struct gone_peer peer, enum end end)
{
    struct linger none = {.l_onoff = 1, .l_linger = 0};

    if (way->end_session != NULL)
        way->end_session(peer, end == BY_FIN);
    if (end == BY_FIN) {
        CHECK_OK(shutdown(peer.fd, SHUT_WR));
        return;
    }
    if (end == BY_RESET)
        CHECK_OK(setsockopt(peer.fd, SOL_SOCKET, SO_LINGER, &none, sizeof none));
    close(peer.fd);
}

static inline int count_descriptors(void)
{
    DIR *list = opendir("/proc/self/fd");
    int count = 0;

    CHECK(list != NULL);
    while (readdir(list) != NULL)
        count++;
    closedir(list);
    return count;
}

/* ---- Users ---- */

static inline void take_all(int s)
{
    char body[BODY_BYTES];

    while (nn_recv(s, body, sizeof body, NN_DONTWAIT) >= 0)
        nn_send(s, "answer", 6, NN_DONTWAIT);
}

enum { PEERS = SAID * ENDS };

/* A socket and its peers, which say everything and end in every way. A PAIR has one. */
struct scene {
    const struct gone_way *way;
    size_t type;
    int s;
    int count;
    struct gone_peer peers[PEERS];
};

static inline void scene_open(struct scene *self, size_t type, const struct gone_way *way)
{
    const char *address = way->new_address();

    self->way = way;
    self->type = type;
    self->s = SOCKET(types[type].id);
    self->count = types[type].id == NN_PAIR ? 1 : PEERS;
    if (types[type].id == NN_SUB)
        CHECK_OK(nn_setsockopt(self->s, NN_SUB, NN_SUB_SUBSCRIBE, "", 0));
    if (way->prepare != NULL)
        way->prepare(self->s);
    CHECK_OK(nn_bind(self->s, address));
    for (int i = 0; i < self->count; i++) {
        self->peers[i] = way->connect(address, types[type].peer_id, types[type].id, types[type].name);
        gone_peer_say(way, self->peers[i], address, self->count == 1 ? MANY_MESSAGES : (enum said)(i % SAID));
    }
    WAIT_PEERS(self->s, (uint64_t)self->count);
}

/* Returns how many descriptors of our own stay: of those that have finished. */
static inline int scene_end_peers(const struct scene *self)
{
    int open = 0;

    for (int i = 0; i < self->count; i++) {
        gone_peer_end(self->way, self->peers[i], (enum end)(i / SAID));
        open += i / SAID == BY_FIN;
    }
    return open;
}

static inline void scene_close(struct scene *self, int64_t deadline_ms)
{
    while (nn_get_statistic(self->s, NN_STAT_CURRENT_CONNECTIONS) > 0) {
        take_all(self->s);
        if (test_pause(deadline_ms))
            FAIL("a %s keeps connections", types[self->type].name);
    }
    for (int i = 0; i < self->count; i++)
        if (i / SAID == BY_FIN)
            close(self->peers[i].fd);
    CHECK_OK(nn_close(self->s));
}

static inline void check_types(const struct gone_way *way, bool is_idle)
{
    static struct scene scenes[COUNT_OF(types)];
    int allowed = count_descriptors();

    for (size_t i = 0; i < COUNT_OF(types); i++)
        scene_open(&scenes[i], i, way);
    for (size_t i = 0; i < COUNT_OF(types); i++)
        allowed += scene_end_peers(&scenes[i]);
    allowed += COUNT_OF(types) + 8; /* listeners, the engine's own, of which an emulated poller has more */
    int64_t deadline_ms = test_now_ms() + test_deadline_ms(LIMIT_MS);
    while (count_descriptors() > allowed) {
        for (size_t i = 0; i < COUNT_OF(types) && !is_idle; i++)
            take_all(scenes[i].s);
        if (test_pause(deadline_ms))
            FAIL("%d descriptors stay", count_descriptors() - allowed);
    }
    for (size_t i = 0; i < COUNT_OF(types); i++)
        scene_close(&scenes[i], deadline_ms);
}

/* The two cases of a transport. */
#define TEST_GONE_PEERS_OVER(name, way)                                                                                \
    TEST(peers_that_are_gone_leave_nothing_over_##name##_while_the_user_is_idle)                                       \
    {                                                                                                                  \
        check_types(&(way), true);                                                                                     \
    }                                                                                                                  \
    TEST(peers_that_are_gone_leave_nothing_over_##name##_when_the_user_answers)                                        \
    {                                                                                                                  \
        check_types(&(way), false);                                                                                    \
    }

#endif
