/* A peer's connection that ends while the protocol looks for its next message: the connection is released once, and is
 * gone when the call that met its end returns. */
#include "sockets.h"
#include "ws_peer.h"

#include "util/invariant.h"

#include <nanomsg/protocol.h>
#include <nanomsg/pubsub.h>
#include <nanomsg/reqrep.h>
#include <nanomsg/survey.h>

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* Far below NN_LINGER's limit at nn_term, far above what closing takes. */
#define PROMPT_MS 2000

/* ---- Types that pass messages over ---- */

struct type {
    int domain;
    int id;
    const char *name;
    int peer_id;
    const char *peer_name;
    const char *taken; /* 4 bytes: a message that is taken */
    const char *text;  /* what the user receives of it */
};

/* "b", which is the other message, has no such prefix, no request id, no bottom of a backtrace. */
static const struct type types[] = {
    {AF_SP, NN_SUB, "sub", NN_PUB, "pub", "a...", "a..."},
    {AF_SP, NN_REP, "rep", NN_REQ, "req", "\x80\0\0\1", ""},
    {AF_SP_RAW, NN_REP, "rep", NN_REQ, "req", "\x80\0\0\1", ""},
    {AF_SP_RAW, NN_REQ, "req", NN_REP, "rep", "\x80\0\0\1", ""},
    {AF_SP, NN_RESPONDENT, "respondent", NN_SURVEYOR, "surveyor", "\x80\0\0\1", ""},
    {AF_SP_RAW, NN_RESPONDENT, "respondent", NN_SURVEYOR, "surveyor", "\x80\0\0\1", ""},
    {AF_SP_RAW, NN_SURVEYOR, "surveyor", NN_RESPONDENT, "respondent", "\x80\0\0\1", ""},
};

static int type_open(const struct type *type)
{
    int s = (int)CHECK_OK(test_socket(type->domain, type->id));

    if (type->id == NN_SUB)
        CHECK_OK(nn_setsockopt(s, NN_SUB, NN_SUB_SUBSCRIBE, "a", 1));
    return s;
}

/* ---- What the hostile peer sends ---- */

struct bytes {
    unsigned char at[256];
    size_t count;
};

static void add(struct bytes *self, const void *bytes, size_t count)
{
    memcpy(self->at + self->count, bytes, count);
    self->count += count;
}

/* A frame of WebSocket; a client's is masked, with zeros. */
static void add_frame(struct bytes *self, bool is_client, unsigned start, const void *body, size_t count)
{
    unsigned char prefix[6] = {(unsigned char)start, (unsigned char)(count | (is_client ? 0x80 : 0))};

    add(self, prefix, is_client ? 6 : 2);
    add(self, body, count);
}

/* What ends the connection behind the messages. */
enum end { CLOSE_FRAME, PING_AND_CLOSE, FORBIDDEN_FRAME, NO_END, ENDS };

static void add_end(struct bytes *self, bool is_client, enum end end)
{
    if (end == PING_AND_CLOSE)
        add_frame(self, is_client, WS_PING, "ping", 4);
    if (end == CLOSE_FRAME || end == PING_AND_CLOSE)
        add_frame(self, is_client, WS_CLOSE, "\x03\xe8", 2);
    if (end == FORBIDDEN_FRAME)
        add_frame(self, is_client, 0xff, "x", 1);
}

/* All in one packet: taken, passed over, the end. Then nothing more comes. */
static void attack(int fd, const struct type *type, bool is_client, enum end end)
{
    struct bytes packet = {.count = 0};

    add_frame(&packet, is_client, WS_FIN | WS_BINARY, type->taken, 4);
    add_frame(&packet, is_client, WS_FIN | WS_BINARY, "b", 1);
    add_end(&packet, is_client, end);
    raw_send(fd, packet.at, packet.count);
    CHECK_OK(shutdown(fd, SHUT_WR));
}

/* ---- Ways to meet the end ---- */

static void by_receiving(int s, const struct type *type)
{
    char body[16];

    CHECK_EQUAL(CHECK_OK(nn_recv(s, body, sizeof body, 0)), strlen(type->text));
}

static void by_polling_first(int s, const struct type *type)
{
    CHECK(test_is_ready(s, NN_POLLIN, test_deadline_ms(5000)));
    by_receiving(s, type);
    CHECK(!test_is_ready(s, NN_POLLIN, 0));
}

static void by_closing(int s, const struct type *type)
{
    (void)type;
    CHECK(test_is_ready(s, NN_POLLIN, test_deadline_ms(5000)));
    CHECK_OK(nn_close(s));
}

static void by_receiving_and_closing(int s, const struct type *type)
{
    by_receiving(s, type);
    CHECK_OK(nn_close(s));
}

static void (*const ways[])(int s, const struct type *type) = {by_receiving, by_polling_first, by_closing,
                                                               by_receiving_and_closing};

static void check_ended(int s, int honest, bool is_closed)
{
    if (!is_closed) {
        WAIT_PEERS(s, 1);
        CHECK_OK(nn_close(s));
    }
    WAIT_PEERS(honest, 0);
    CHECK_OK(nn_close(honest));
}

static void attack_server(const struct type *type, void (*way)(int, const struct type *), enum end end)
{
    const char *address = test_ws_address();
    int s = type_open(type);

    CHECK_OK(nn_bind(s, address));
    int honest = test_socket_connected(type->peer_id, address);
    WAIT_PEERS(s, 1);
    WAIT_PEERS(honest, 1);
    int fd = ws_connect(address, type->name);
    WAIT_PEERS(s, 2);
    attack(fd, type, true, end);
    way(s, type);
    check_ended(s, honest, way == by_closing || way == by_receiving_and_closing);
    close(fd);
}

static void attack_client(const struct type *type, void (*way)(int, const struct type *), enum end end)
{
    const char *address = test_ws_address();
    const char *hostile = test_localhost_address();
    int s = type_open(type);
    int listener = raw_listen(hostile);
    char ws_hostile[64];

    snprintf(ws_hostile, sizeof ws_hostile, "ws%s/", hostile + strlen("tcp"));
    CHECK_OK(nn_bind(s, address));
    int honest = test_socket_connected(type->peer_id, address);
    WAIT_PEERS(honest, 1);
    CHECK_OK(nn_connect(s, ws_hostile));
    int fd = raw_accept(listener);
    close(listener);
    ws_accept(fd, type->peer_name);
    WAIT_PEERS(s, 2);
    attack(fd, type, false, end);
    way(s, type);
    check_ended(s, honest, way == by_closing || way == by_receiving_and_closing);
    close(fd);
}

static void attack_in_every_way(void (*attack_one)(const struct type *, void (*)(int, const struct type *), enum end))
{
    for (size_t t = 0; t < COUNT_OF(types); t++)
        for (size_t w = 0; w < COUNT_OF(ways); w++)
            for (int end = 0; end < ENDS; end++)
                attack_one(&types[t], ways[w], (enum end)end);
    int64_t closing_ms = test_now_ms();
    nn_term();
    CHECK(test_now_ms() - closing_ms < test_deadline_ms(PROMPT_MS));
}

TEST(a_client_that_closes_behind_a_message_that_is_passed_over_is_gone)
{
    attack_in_every_way(attack_server);
}

TEST(a_server_that_closes_behind_a_message_that_is_passed_over_is_gone)
{
    attack_in_every_way(attack_client);
}

/* ---- A protocol that turns its peer away when it is asked for its events ---- */

struct moody {
    struct nn_protocol_socket base;
    struct nn_pipe *peer;
};

static atomic_bool is_in_bad_mood;

static struct moody *moody_of(struct nn_protocol_socket *base)
{
    return NN_CONTAINER(base, struct moody, base);
}

static int moody_pipe_added(struct nn_protocol_socket *base, struct nn_pipe *pipe)
{
    moody_of(base)->peer = pipe;
    return 0;
}

/* Turning away what goes anyway means nothing. */
static void moody_pipe_removed(struct nn_protocol_socket *base, struct nn_pipe *pipe)
{
    nn_pipe_reject(pipe);
    moody_of(base)->peer = NULL;
}

static void moody_pipe_ready(struct nn_protocol_socket *base, struct nn_pipe *pipe)
{
    (void)base;
    (void)pipe;
}

static int moody_send(struct nn_protocol_socket *base, struct nn_message *message)
{
    struct nn_pipe *peer = moody_of(base)->peer;

    return peer != NULL ? nn_pipe_send(peer, message) : -EAGAIN;
}

static int moody_events(struct nn_protocol_socket *base)
{
    struct nn_pipe *peer = moody_of(base)->peer;

    if (peer != NULL && atomic_load(&is_in_bad_mood))
        nn_pipe_reject(peer);
    return peer != NULL ? NN_POLLOUT : 0;
}

static const struct nn_protocol moody_protocol = {
    .version = NN_PROTOCOL_VERSION,
    .name = "MOODY",
    .domain = AF_SP,
    .id = 4001,
    .peer_id = 4001,
    .flags = NN_PROTOCOL_SENDS,
    .socket_bytes = sizeof(struct moody),
    .pipe_added = moody_pipe_added,
    .pipe_removed = moody_pipe_removed,
    .pipe_readable = moody_pipe_ready,
    .pipe_writable = moody_pipe_ready,
    .send = moody_send,
    .events = moody_events,
};

static void in_a_send(int s)
{
    CHECK_SENDS(s, "last");
}

/* What is sent without a pause is held back. */
static void in_a_burst(int s)
{
    atomic_store(&is_in_bad_mood, false);
    for (int i = 0; i < 200; i++)
        CHECK_SENDS(s, "x");
    atomic_store(&is_in_bad_mood, true);
    CHECK_SENDS(s, "last");
}

static void in_a_poll(int s)
{
    test_is_ready(s, NN_POLLOUT, 0);
}

TEST_OVER_STREAMS(a_peer_that_is_turned_away_by_a_look_at_events_is_gone)
{
    static void (*const calls[])(int) = {in_a_send, in_a_burst, in_a_poll};
    const char *address = new_address();

    CHECK_OK(nn_protocol_register(&moody_protocol));
    int s = test_socket_bound(moody_protocol.id, address);
    for (size_t i = 0; i < COUNT_OF(calls); i++) {
        atomic_store(&is_in_bad_mood, false);
        int fd = raw_connect_admitted(address, moody_protocol.id, moody_protocol.id);
        WAIT_PEERS(s, 1);
        atomic_store(&is_in_bad_mood, true);
        calls[i](s);
        CHECK_EQUAL(nn_get_statistic(s, NN_STAT_CURRENT_CONNECTIONS), 0);
        raw_count_to_end(fd);
        close(fd);
    }
}

/* ---- States that cannot be ---- */

TEST(a_broken_invariant_ends_the_process_and_says_which_one)
{
    char text[256] = "";
    int ends[2];
    int status;

    CHECK_OK(pipe(ends));
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        SP_INVARIANT(ends[0] == ends[1], "two ends are one");
        _exit(0);
    }
    CHECK_OK(waitpid(child, &status, 0));
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    CHECK(read(ends[0], text, sizeof text - 1) > 0);
    CHECK(strstr(text, "connection_ends_test.c:") != NULL && strstr(text, "two ends are one\n") != NULL);
    close(ends[0]);
    close(ends[1]);
}
