/* Runs: opening, settling, closing. */
#include "run.h"

#include "check.h"
#include "descriptors.h"
#include "failing_system.h"
#include "virtual_system.h"

#include "util/memory.h"

#include <nanomsg/bus.h>
#include <nanomsg/pair.h>
#include <nanomsg/pipeline.h>
#include <nanomsg/pubsub.h>
#include <nanomsg/reqrep.h>
#include <nanomsg/survey.h>
#include <nanomsg/tls.h>

#include <poll.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define BATCH_EVENTS 64
/* Turns of the loop after which it should have come to rest. */
#define MAX_TURNS 5000
#define DEFAULT_RECEIVE_LIMIT_BYTES (1 << 20)
/* More than any deadline of a connection, and more than the longest linger that a fuzzer sets. */
#define LONG_MS 5000
#define CLOSING_STEPS 20

static const struct socket_type socket_types[] = {
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

static const struct link plain_links[] = {
    {.address = "host://bound", .wire = WIRE_TCP, .is_bound = true, .is_stream = true},
    {.address = "host://connected", .wire = WIRE_TCP, .is_stream = true},
    {.address = "tcp://127.0.0.1:5555", .wire = WIRE_TCP, .is_bound = true},
    {.address = "tcp://127.0.0.1:5556", .wire = WIRE_TCP},
    {.address = "abstract://fuzz", .wire = WIRE_IPC, .is_bound = true, .is_local = true},
    {.address = "ipc:///fuzz", .wire = WIRE_IPC, .is_local = true},
    {.address = "ws://127.0.0.1:5555/a", .wire = WIRE_WS_SERVER, .is_bound = true},
    {.address = "ws://127.0.0.1:5556/a", .wire = WIRE_WS_CLIENT},
    {.address = "ws://a/a", .wire = WIRE_WS_SERVER, .is_bound = true, .is_stream = true},
    {.address = "ws://a/a", .wire = WIRE_WS_CLIENT, .is_stream = true},
};
/* Larger numbers go round these: kept inputs mean the same when links are added. */
#define FIRST_LINKS 8

static const struct link secure_links[] = {
    {.address = "tls+tcp://127.0.0.1:5555", .wire = WIRE_TCP, .is_bound = true, .is_secure = true},
    {.address = "tls+tcp://127.0.0.1:5556", .wire = WIRE_TCP, .is_secure = true},
    {.address = "wss://127.0.0.1:5555/a", .wire = WIRE_WS_SERVER, .is_bound = true, .is_secure = true},
    {.address = "wss://127.0.0.1:5556/a", .wire = WIRE_WS_CLIENT, .is_secure = true},
};

const struct socket_type *run_socket_type(unsigned number)
{
    return &socket_types[number % COUNT(socket_types)];
}

const struct link *run_plain_link(unsigned number)
{
    return &plain_links[number < COUNT(plain_links) ? number : number % FIRST_LINKS];
}

const struct link *run_secure_link(unsigned number)
{
    return &secure_links[number % COUNT(secure_links)];
}

/* ---- Memory of the host ---- */

static void *slab_acquire(void *context, size_t size_bytes, uint32_t *token)
{
    struct run *self = context;

    for (uint32_t i = 0; i < RUN_SLABS; i++) {
        if (self->slabs[i] != NULL)
            continue;
        *token = i;
        return self->slabs[i] = malloc(size_bytes);
    }
    return NULL;
}

static void slab_release(void *context, uint32_t token)
{
    struct run *self = context;

    CHECK(token < RUN_SLABS && self->slabs[token] != NULL);
    free(self->slabs[token]);
    self->slabs[token] = NULL;
}

static bool slab_may_fill(void *context, uint32_t token)
{
    const struct run *self = context;

    CHECK(token < RUN_SLABS && self->slabs[token] != NULL);
    return self->may_fill_slabs;
}

/* ---- Opening ---- */

void run_begin(struct run *self, bool has_slabs)
{
    const struct nn_slab_source source = {slab_acquire, slab_release, self, slab_may_fill};

    virtual_begin();
    memset(self, 0, sizeof *self);
    self->may_fill_slabs = true;
    for (int i = 0; i < RUN_SOCKETS; i++)
        self->sockets[i] = (struct run_socket){.run = self, .s = -1, .has_closed = true};
    for (int i = 0; i < RUN_PEERS; i++)
        peer_begin(&self->peers[i], WIRE_TCP, -1, NULL, NULL);
    self->first_free_descriptor = descriptors_first_free();
    self->loop = nn_loop_create(has_slabs ? &source : NULL);
    CHECK(self->loop != NULL);
}

struct run_socket *run_open_socket(struct run *self, const struct socket_type *type, bool is_raw,
                                   const struct link *link)
{
    struct run_socket *socket = &self->sockets[self->sockets[0].s < 0 ? 0 : 1];

    socket->s = nn_loop_socket(self->loop, is_raw ? AF_SP_RAW : AF_SP, type->protocol, socket);
    CHECK(socket->s >= 0);
    socket->has_closed = false;
    socket->type = type;
    socket->is_raw = is_raw;
    socket->link = link;
    socket->endpoint = -1;
    socket->receive_limit_bytes = DEFAULT_RECEIVE_LIMIT_BYTES;
    virtual_use_addresses(link->is_local ? ADDRESSES_LOCAL : ADDRESSES_IPV4);
    if (link->is_secure) {
        const char *authority = peer_tls_authority();
        const char *certificate = peer_tls_certificate();
        CHECK(nn_setsockopt(socket->s, NN_TLS, NN_TLS_CA, authority, strlen(authority)) == 0);
        CHECK(nn_setsockopt(socket->s, NN_TLS, NN_TLS_CERT, certificate, strlen(certificate)) == 0);
    }
    return socket;
}

void run_open_endpoint(struct run_socket *self)
{
    if (self->link->is_stream || self->s < 0)
        return;
    self->endpoint =
        self->link->is_bound ? nn_bind(self->s, self->link->address) : nn_connect(self->s, self->link->address);
}

void run_set_int(struct run_socket *self, int level, int option, int value)
{
    if (nn_setsockopt(self->s, level, option, &value, sizeof value) < 0 || level != NN_SOL_SOCKET ||
        option != NN_RCVMAXSIZE || self->receive_limit_bytes < 0)
        return;
    if (value < 0 || value > self->receive_limit_bytes)
        self->receive_limit_bytes = value;
}

void run_add_peer(struct run_socket *self, unsigned number, struct peer_tls *tls)
{
    struct run *run = self->run;
    struct peer *peer = &run->peers[number % RUN_PEERS];
    struct nn_stream *stream = NULL;
    int fd = -1;

    peer_end(peer);
    if (self->link->is_stream)
        stream = nn_stream_attach(self->s, self->link->address, self->link->is_bound, peer);
    else
        fd = self->link->is_bound ? virtual_dial() : virtual_accept();
    peer_begin(peer, self->link->wire, fd, stream, tls);
    run->peer_sockets[number % RUN_PEERS] = self;
}

/* ---- Settling ---- */

static struct run_socket *socket_of_user(struct run *self, void *user)
{
    for (int i = 0; i < RUN_SOCKETS; i++) {
        if (user == &self->sockets[i])
            return &self->sockets[i];
    }
    return NULL;
}

static void take_ready(struct run *self)
{
    void *user;
    int events;

    while (nn_loop_next_ready(self->loop, &user, &events)) {
        struct run_socket *socket = socket_of_user(self, user);
        if (socket == NULL) {
            peer_flush(user);
        } else if (events & NN_LOOP_CLOSED) {
            CHECK(!socket->has_closed);
            socket->has_closed = true;
        }
    }
}

static bool loop_has_work(const struct run *self)
{
    struct pollfd entry = {.fd = nn_loop_descriptor(self->loop), .events = POLLIN};

    return poll(&entry, 1, 0) > 0;
}

void run_settle(struct run *self)
{
    int turns = 0;

    virtual_run_threads();
    take_ready(self);
    while (loop_has_work(self)) {
        CHECK(turns++ < MAX_TURNS);
        nn_loop_run(self->loop, BATCH_EVENTS);
        take_ready(self);
        for (int i = 0; i < RUN_PEERS; i++)
            peer_flush(&self->peers[i]);
        virtual_run_threads();
    }
}

void run_advance_ms(struct run *self, unsigned count)
{
    virtual_advance_ms(count);
    run_settle(self);
}

/* ---- The end ---- */

static void check_connections(struct run_socket *self)
{
    if (self->s < 0)
        return;
    while (run_receive(self, 64) || run_receive_batch(self, 16, true, 0))
        run_settle(self->run);
    run_advance_ms(self->run, LONG_MS);
    CHECK(nn_get_statistic(self->s, NN_STAT_CURRENT_CONNECTIONS) == 0);
}

void run_close_socket(struct run_socket *self)
{
    if (self->s >= 0)
        CHECK(nn_close(self->s) == 0);
    self->s = -1;
}

static void await_closed(struct run_socket *self)
{
    run_close_socket(self);
    for (int step = 0; step < CLOSING_STEPS && !self->has_closed; step++)
        run_advance_ms(self->run, step == 0 ? 0 : LONG_MS);
    CHECK(self->has_closed);
}

static void release_kept(struct run *self)
{
    for (int i = 0; i < RUN_KEPT; i++) {
        if (self->kept[i].chunk != NULL)
            nn_chunk_release(self->kept[i].chunk);
    }
}

void run_end(struct run *self)
{
    sp_memory_fail_after(-1);
    failing_system_end();
    run_settle(self);
    virtual_set_connect(CONNECT_REFUSED);
    virtual_end();
    for (int i = 0; i < RUN_PEERS; i++)
        peer_end(&self->peers[i]);
    run_settle(self);
    for (int i = 0; i < RUN_SOCKETS; i++)
        check_connections(&self->sockets[i]);
    for (int i = 0; i < RUN_SOCKETS; i++)
        await_closed(&self->sockets[i]);
    nn_loop_destroy(self->loop);
    release_kept(self);
    virtual_end();
    for (int i = 0; i < RUN_SLABS; i++)
        CHECK(self->slabs[i] == NULL);
    CHECK(descriptors_first_free() == self->first_free_descriptor);
}
