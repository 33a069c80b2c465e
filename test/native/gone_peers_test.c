/* Peers that finish or die, whatever they have said, and whether they read or not: their descriptors are closed, also while
 * nobody takes their messages, and nothing of them stays when those are taken. */
#include "raw_peer.h"
#include "sockets.h"
#include "ws_peer.h"

#include <nanomsg/bus.h>
#include <nanomsg/pair.h>
#include <nanomsg/pipeline.h>
#include <nanomsg/pubsub.h>
#include <nanomsg/reqrep.h>
#include <nanomsg/survey.h>

#include <dirent.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* The engine waits 3 s for a peer that has finished. */
#define PATIENCE_MS 15000

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

enum said { NOTHING, HALF_A_FRAME, ONE_MESSAGE, MANY_MESSAGES, SAID };
enum end { BY_RESET, BY_FIN, BY_CLOSING, ENDS };

enum { MANY = 60, BODY_BYTES = 1000 };

static bool is_ws(const char *address)
{
    return strncmp(address, "ws", 2) == 0;
}

static void say(int fd, const char *address, enum said said)
{
    static const char body[BODY_BYTES] = "\x80\0\0\1";

    if (said == HALF_A_FRAME && is_ws(address)) {
        ws_send_prefix(fd, WS_FIN | WS_BINARY, 100);
    } else if (said == HALF_A_FRAME) {
        raw_send_prefix(fd, address, 100);
        raw_send(fd, body, 50);
    }
    for (int i = said == MANY_MESSAGES ? MANY : said == ONE_MESSAGE ? 1 : 0; i > 0; i--) {
        if (is_ws(address))
            ws_send(fd, WS_FIN | WS_BINARY, body, sizeof body);
        else
            raw_send_message(fd, address, body, sizeof body);
    }
}

static int peer_connect(const char *address, size_t type)
{
    return is_ws(address) ? ws_connect(address, types[type].name)
                          : raw_connect_greeted(address, types[type].peer_id, types[type].id);
}

static void peer_end(int fd, enum end end)
{
    if (end == BY_RESET) {
        raw_reset(fd);
        return;
    }
    if (end == BY_FIN)
        raw_finish(fd);
    else
        close(fd);
}

static int count_descriptors(void)
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

static void take_all(int s)
{
    char body[BODY_BYTES];

    while (nn_recv(s, body, sizeof body, NN_DONTWAIT) >= 0)
        nn_send(s, "answer", 6, NN_DONTWAIT);
}

enum { PEERS = SAID * ENDS };

/* A socket and its peers, which say everything and end in every way. A PAIR has one. */
struct scene {
    size_t type;
    int s;
    int count;
    int fds[PEERS];
};

static void scene_open(struct scene *self, size_t type, const char *address)
{
    self->type = type;
    self->s = SOCKET(types[type].id);
    self->count = types[type].id == NN_PAIR ? 1 : PEERS;
    if (types[type].id == NN_SUB)
        CHECK_OK(nn_setsockopt(self->s, NN_SUB, NN_SUB_SUBSCRIBE, "", 0));
    CHECK_OK(nn_bind(self->s, address));
    for (int i = 0; i < self->count; i++) {
        self->fds[i] = peer_connect(address, type);
        say(self->fds[i], address, self->count == 1 ? MANY_MESSAGES : (enum said)(i % SAID));
    }
    WAIT_PEERS(self->s, (uint64_t)self->count);
}

/* Returns how many descriptors of our own stay: of those that have finished. */
static int scene_end_peers(const struct scene *self)
{
    int open = 0;

    for (int i = 0; i < self->count; i++) {
        peer_end(self->fds[i], (enum end)(i / SAID));
        open += i / SAID == BY_FIN;
    }
    return open;
}

static void scene_close(struct scene *self, int64_t deadline_ms)
{
    while (nn_get_statistic(self->s, NN_STAT_CURRENT_CONNECTIONS) > 0) {
        take_all(self->s);
        if (test_pause(deadline_ms))
            FAIL("a %s keeps connections", types[self->type].name);
    }
    for (int i = 0; i < self->count; i++)
        if (i / SAID == BY_FIN)
            close(self->fds[i]);
    CHECK_OK(nn_close(self->s));
}

static void check_types(const char *(*new_address)(void), bool is_idle)
{
    static struct scene scenes[COUNT_OF(types)];
    int allowed = count_descriptors();

    for (size_t i = 0; i < COUNT_OF(types); i++)
        scene_open(&scenes[i], i, new_address());
    for (size_t i = 0; i < COUNT_OF(types); i++)
        allowed += scene_end_peers(&scenes[i]);
    allowed += COUNT_OF(types) + 5; /* listeners, the engine's own */
    int64_t deadline_ms = test_now_ms() + test_deadline_ms(PATIENCE_MS);
    while (count_descriptors() > allowed) {
        for (size_t i = 0; i < COUNT_OF(types) && !is_idle; i++)
            take_all(scenes[i].s);
        if (test_pause(deadline_ms))
            FAIL("%d descriptors stay", count_descriptors() - allowed);
    }
    for (size_t i = 0; i < COUNT_OF(types); i++)
        scene_close(&scenes[i], deadline_ms);
}

TEST_OVER_STREAMS(peers_that_are_gone_leave_nothing_while_the_user_is_idle)
{
    check_types(new_address, true);
}

TEST_OVER_STREAMS(peers_that_are_gone_leave_nothing_when_the_user_answers)
{
    check_types(new_address, false);
}

TEST(peers_that_are_gone_leave_nothing_over_ws_while_the_user_is_idle)
{
    check_types(test_ws_address, true);
}

TEST(peers_that_are_gone_leave_nothing_over_ws_when_the_user_answers)
{
    check_types(test_ws_address, false);
}

/* ---- What they have said ---- */

/* More than is read at a time. */
TEST_OVER_STREAMS(all_that_a_peer_has_said_is_received_after_its_descriptor_is_closed)
{
    enum { MESSAGES = 40, BYTES = 3000 };
    const char *address = new_address();
    static uint8_t body[BYTES];
    static uint8_t received[BYTES];
    int pull = test_socket_bound(NN_PULL, address);
    int before = count_descriptors();
    int fd = raw_connect_greeted(address, NN_PUSH, NN_PULL);

    WAIT_PEERS(pull, 1);
    raw_send_message(fd, address, "first", 5);
    CHECK(test_is_ready(pull, NN_POLLIN, 5000));
    for (int i = 0; i < MESSAGES; i++) {
        memset(body, i, sizeof body);
        raw_send_message(fd, address, body, sizeof body - (size_t)i);
    }
    close(fd);
    int64_t deadline_ms = test_patience();
    while (count_descriptors() > before)
        CHECK(!test_pause(deadline_ms));
    CHECK_RECEIVES(pull, "first");
    for (int i = 0; i < MESSAGES; i++) {
        memset(body, i, sizeof body);
        CHECK_EQUAL(CHECK_OK(nn_recv(pull, received, sizeof received, 0)), (int)sizeof body - i);
        CHECK_BYTES(received, sizeof body - (size_t)i, body, sizeof body - (size_t)i);
    }
    WAIT_PEERS(pull, 0);
}

/* A peer that has finished waits for its answers. */
TEST_OVER_STREAMS(a_peer_that_has_asked_and_finished_gets_answers)
{
    enum { REQUESTS = 5, ANSWERED = 3 }; /* the last one is taken ahead, and with it the end is met */
    const char *address = new_address();
    int rep = test_socket_bound(NN_REP, address);
    int fd = raw_connect_greeted(address, NN_REQ, NN_REP);
    char answer[16];

    WAIT_PEERS(rep, 1);
    for (int i = 0; i < REQUESTS; i++)
        raw_send_message(fd, address, "\x80\0\0\1?", 5);
    raw_finish(fd);
    for (int i = 0; i < ANSWERED; i++) {
        CHECK_RECEIVES(rep, "?");
        CHECK_SENDS(rep, "!");
        CHECK_EQUAL(raw_receive_message(fd, address, answer, sizeof answer), 5);
    }
    for (int i = ANSWERED; i < REQUESTS; i++)
        CHECK_RECEIVES(rep, "?");
    WAIT_PEERS(rep, 0);
    close(fd);
}

/* ---- A kernel that fails ---- */

static atomic_int failing_error;

/* Instead of the C library's. */
ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    int error = atomic_load(&failing_error);

    if (error != 0) {
        errno = error;
        return -1;
    }
    return syscall(SYS_sendmsg, fd, message, flags);
}

static void check_cannot_send(const char *address, int error, bool is_held)
{
    int pair = test_socket_bound(NN_PAIR, address);
    int fd = raw_connect_greeted(address, NN_PAIR, NN_PAIR);

    WAIT_PEERS(pair, 1);
    if (is_held) {
        raw_send_message(fd, address, "held", 4);
        CHECK(test_is_ready(pair, NN_POLLIN, 5000));
    }
    atomic_store(&failing_error, error);
    nn_send(pair, "x", 1, NN_DONTWAIT);
    atomic_store(&failing_error, 0);
    CHECK(raw_is_closed(fd));
    if (is_held)
        CHECK_RECEIVES(pair, "held");
    WAIT_PEERS(pair, 0);
    CHECK_OK(nn_close(pair));
    close(fd);
}

/* The peer is well, and would wait for ever. */
TEST_OVER_STREAMS(a_connection_that_cannot_send_ends)
{
    check_cannot_send(new_address(), ENOMEM, false);
    check_cannot_send(new_address(), ENOMEM, true);
    check_cannot_send(new_address(), EPIPE, true);
}
