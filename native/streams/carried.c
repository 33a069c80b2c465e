/* nanomsg/carried.h: connections whose bytes the host carries. There is no descriptor: given bytes are read where they
 * are, and what is to be sent waits in the queue until it is taken. */
#include "message/chunk.h"
#include "core/endpoint.h"
#include "core/host_events.h"
#include "core/loop_state.h"
#include "core/pipe.h"
#include "core/registry.h"
#include "core/socket.h"
#include "core/socket_settle.h"
#include "core/socket_state.h"
#include "core/transport.h"
#include "streams/receive_buffer.h"
#include "streams/send_queue.h"

#include "util/invariant.h"
#include "util/memory.h"
#include "util/memory_return.h"

#include <nanomsg/carried.h>

#include <errno.h>
#include <string.h>

enum carried_state {
    CARRIED_GREETING,
    CARRIED_OPEN,      /* has a pipe */
    CARRIED_ENDED,     /* the stream is done with; the pipe stays while it has complete messages */
    CARRIED_LINGERING, /* the pipe is closed; accepted bytes can still be taken */
    CARRIED_OVER       /* nothing but memory */
};

struct nn_carried {
    struct sp_report report;
    struct sp_socket *socket; /* a reference of the host's; its lock guards all below */
    struct nn_endpoint *endpoint;
    struct nn_pipe *pipe;            /* NULL: not admitted yet, or closed */
    struct nn_timer *greeting_limit; /* NULL: the greeting is over */
    struct nn_linger *linger;
    enum carried_state state;
    int error;         /* why it has ended */
    bool is_announced; /* the host knows that there are bytes to take */
    bool is_awaited;   /* by the host, which has more to give */
    bool is_mute;      /* the stream takes nothing more */
    bool is_released;  /* by the host */
    struct sp_stream input;
    struct sp_filter reader; /* reads: */
    const uint8_t *given;    /* what the host is giving right now */
    size_t given_bytes;
    uint8_t greeting[SP_GREETING_BYTES];
    size_t greeting_bytes;
    struct sp_receive_buffer received;
    struct sp_send_queue queue;
};

static struct nn_carried **place_of(const struct nn_endpoint *endpoint)
{
    return nn_endpoint_data(endpoint);
}

static void carried_report(struct nn_carried *self, int events)
{
    struct nn_loop *loop = self->socket->loop;

    if (!self->is_released && sp_report_add(loop, &self->report, events) != 0 && !sp_loop_is_running_here(&loop->base))
        sp_loop_wake(&loop->base);
}

static void carried_announce(struct nn_carried *self)
{
    if (self->is_announced || self->queue.count == 0)
        return;
    self->is_announced = true;
    carried_report(self, NN_POLLIN);
}

/* The host has more to give, and may try again. */
static void carried_ask_for_more(struct nn_carried *self)
{
    if (!self->is_awaited)
        return;
    self->is_awaited = false;
    carried_report(self, NN_POLLOUT);
}

/* ---- The end ---- */

static void carried_stop_greeting(struct nn_carried *self)
{
    if (self->greeting_limit != NULL)
        nn_timer_close(self->greeting_limit);
    self->greeting_limit = NULL;
}

static void carried_free(struct nn_carried *self)
{
    sp_send_queue_clear(&self->queue);
    sp_free(self);
}

/* The connection needs neither the endpoint nor what comes from the stream. What is left for the peer can be taken: it may
 * be our greeting, which tells the peer whom it cannot talk to. */
static void carried_finish(struct nn_carried *self)
{
    struct nn_endpoint *endpoint = self->endpoint;

    SP_INVARIANT(self->state != CARRIED_OVER, "a carried connection is released twice");
    SP_INVARIANT(self->pipe == NULL, "a carried connection is released that has a pipe");
    if (self->state != CARRIED_ENDED)
        carried_report(self, NN_LOOP_CLOSED);
    self->state = CARRIED_OVER;
    carried_stop_greeting(self);
    sp_memory_note_freed(sizeof *self + sp_receive_buffer_partial_bytes(&self->received) + self->queue.bytes);
    sp_receive_buffer_clear(&self->received);
    endpoint->is_closed = true; /* nothing else comes by it */
    *place_of(endpoint) = NULL;
    self->endpoint = NULL;
    sp_endpoint_release(endpoint);
    if (self->is_released)
        carried_free(self);
}

/* The stream carries nothing more, or the peer has broken the rules. What it has sent in full is still received. */
static void carried_end(struct nn_carried *self, int error)
{
    struct nn_pipe *pipe = self->pipe;

    SP_INVARIANT(self->state <= CARRIED_OPEN, "a carried connection ends that has ended");
    nn_endpoint_count_broken(self->endpoint);
    if (pipe == NULL) {
        nn_endpoint_tell_rejected(self->endpoint, 0, error != -ESHUTDOWN ? error : -ECONNRESET);
        carried_finish(self);
        return;
    }
    self->state = CARRIED_ENDED;
    self->error = error;
    sp_pipe_end_sending(pipe);
    sp_send_queue_clear(&self->queue);
    if (!pipe->can_receive)
        sp_pipe_break(pipe, error);
    carried_report(self, NN_LOOP_CLOSED);
}

static void carried_abandon(void *context)
{
    struct nn_carried *self = context;

    sp_send_queue_clear(&self->queue);
    carried_finish(self);
}

/* All is taken, or nothing more can be. */
static void carried_stop_lingering(struct nn_carried *self)
{
    nn_linger_end(self->linger);
    carried_finish(self);
}

static void carried_close_pipe(struct nn_pipe *pipe, bool may_linger)
{
    struct nn_carried *self = pipe->connection;

    self->pipe = NULL;
    if (self->state == CARRIED_OPEN && may_linger && self->queue.count > 0)
        self->linger = nn_linger_begin(self->endpoint, carried_abandon, self);
    if (self->linger == NULL) {
        carried_finish(self);
        return;
    }
    self->state = CARRIED_LINGERING;
    sp_receive_buffer_clear(&self->received);
    carried_ask_for_more(self); /* which is refused: the stream shall go on to its end */
}

/* ---- Receiving ---- */

static ssize_t carried_read(struct sp_filter *filter, const struct iovec *vectors, int count)
{
    struct nn_carried *self = SP_CONTAINER(filter, struct nn_carried, reader);
    size_t total = 0;

    for (int i = 0; i < count && self->given_bytes > 0; i++) {
        size_t taken = self->given_bytes < vectors[i].iov_len ? self->given_bytes : vectors[i].iov_len;
        memcpy(vectors[i].iov_base, self->given, taken);
        self->given += taken;
        self->given_bytes -= taken;
        total += taken;
    }
    return total > 0 ? (ssize_t)total : -EAGAIN;
}

static const struct sp_filter_ops reader_ops = {.read = carried_read};

static int carried_find_message(struct nn_carried *self)
{
    return sp_receive_buffer_next(&self->received, &sp_tcp_framing, NULL, nn_pipe_receive_limit(self->pipe));
}

static int carried_receive(struct nn_pipe *pipe, struct nn_message *message)
{
    struct nn_carried *self = pipe->connection;

    sp_receive_buffer_take(&self->received, message);
    int rc = carried_find_message(self);
    if (rc > 0)
        return 0;
    sp_pipe_set_unreadable(pipe);
    if (self->state == CARRIED_ENDED) {
        sp_pipe_break(pipe, self->error); /* that was the last of it */
    } else if (rc < 0) {
        carried_end(self, rc);
    } else {
        carried_ask_for_more(self);
    }
    return 0;
}

/* Reads what is given until it makes a message that the protocol leaves for the user. */
static void carried_use_given(struct nn_carried *self)
{
    while (self->state == CARRIED_OPEN && self->given_bytes > 0 && !self->pipe->can_receive) {
        ssize_t count =
            sp_receive_buffer_fill(&self->received, &self->input, self->socket->loop, sp_pipe_share(self->pipe, 0));
        int rc = count < 0 ? (int)count : carried_find_message(self);
        if (rc > 0)
            sp_pipe_set_readable(self->pipe);
        else if (rc < 0)
            carried_end(self, rc);
    }
}

/* ---- Sending ---- */

static void carried_update_can_send(struct nn_carried *self)
{
    if (self->is_mute)
        return;
    /* The queue stands for the kernel's buffer, which there is for all protocols. */
    if (self->queue.bytes >= (size_t)self->endpoint->options.send_buffer_bytes)
        self->pipe->can_send = false;
    else
        sp_pipe_set_writable(self->pipe);
}

static int carried_send(struct nn_pipe *pipe, struct nn_message *message)
{
    struct nn_carried *self = pipe->connection;
    uint8_t prefix[SP_FRAME_PREFIX_LIMIT_BYTES];
    size_t prefix_bytes = sp_tcp_framing.write_prefix(NULL, prefix, message);

    if (sp_send_queue_add_rest(&self->queue, prefix, prefix_bytes, message, 0, &self->socket->spare_buffer) < 0)
        return -ENOMEM;
    carried_update_can_send(self);
    carried_announce(self);
    return 0;
}

static const struct nn_pipe_operations pipe_operations = {
    .send = carried_send,
    .receive = carried_receive,
    .close = carried_close_pipe,
};

/* ---- Greeting ---- */

static int carried_greet(struct nn_carried *self)
{
    struct sp_greeting greeting = {.endpoint = self->endpoint};
    struct nn_message nothing;

    sp_tcp_framing.greet(NULL, &greeting);
    nn_message_init(&nothing);
    return sp_send_queue_add(&self->queue, greeting.reply, greeting.reply_bytes, &nothing, &self->socket->spare_buffer);
}

static void carried_expire(void *context)
{
    carried_end(context, -ETIMEDOUT);
}

static void carried_admit(struct nn_carried *self, int peer_id)
{
    struct nn_endpoint *endpoint = self->endpoint;

    if (peer_id != nn_endpoint_peer_protocol(endpoint)) {
        nn_endpoint_count_broken(endpoint);
        nn_endpoint_tell_rejected(endpoint, peer_id, -EPROTOTYPE);
        carried_finish(self);
        return;
    }
    if (nn_pipe_open(endpoint, self, &self->pipe) < 0) {
        carried_finish(self);
        return;
    }
    carried_stop_greeting(self);
    self->state = CARRIED_OPEN;
    if (self->is_mute)
        sp_pipe_end_sending(self->pipe);
    carried_update_can_send(self);
}

static void carried_read_greeting(struct nn_carried *self)
{
    struct sp_greeting greeting = {.endpoint = self->endpoint, .received = self->greeting};
    struct iovec vector = {.iov_base = self->greeting + self->greeting_bytes,
                           .iov_len = sizeof self->greeting - self->greeting_bytes};
    ssize_t count = carried_read(&self->reader, &vector, 1);

    if (count > 0)
        self->greeting_bytes += (size_t)count;
    greeting.received_bytes = self->greeting_bytes;
    int peer_id = sp_tcp_framing.answer(NULL, &greeting);
    if (peer_id < 0)
        carried_end(self, peer_id);
    else if (peer_id > 0)
        carried_admit(self, peer_id);
}

/* ---- Opening ---- */

/* Endpoints are made by nn_carried_open alone. */
static int carried_attach(struct nn_endpoint *endpoint, const char *address)
{
    (void)endpoint;
    (void)address;
    return 0;
}

static void carried_close_endpoint(struct nn_endpoint *endpoint)
{
    struct nn_carried *self = *place_of(endpoint);

    if (self != NULL && self->state == CARRIED_GREETING)
        carried_finish(self);
}

static const struct nn_transport carried_transport = {
    .version = NN_TRANSPORT_VERSION,
    .scheme = "carried",
    .endpoint_bytes = sizeof(struct nn_carried *),
    .bind = carried_attach,
    .connect = carried_attach,
    .close = carried_close_endpoint,
    .pipe = &pipe_operations,
};

/* Joins a connection and its endpoint, and begins. Returns 0 or -ENOMEM. */
static int carried_begin(struct nn_carried *self, struct nn_endpoint *endpoint)
{
    *place_of(endpoint) = self;
    self->endpoint = endpoint;
    endpoint->users++;
    if (nn_endpoint_is_full(endpoint)) {
        /* Without a greeting the peer does not believe that it is connected. */
        nn_endpoint_tell_rejected(endpoint, 0, -EBUSY);
        carried_finish(self);
        return 0;
    }
    self->greeting_limit = nn_timer_open(endpoint, carried_expire, self);
    if (self->greeting_limit == NULL || carried_greet(self) < 0) {
        carried_finish(self);
        sp_report_withdraw(self->socket->loop, &self->report);
        return -ENOMEM;
    }
    nn_timer_start(self->greeting_limit, sp_tcp_framing.greeting_limit_ms);
    carried_announce(self);
    return 0;
}

static int carried_open(struct nn_carried *self, const char *address, bool is_bound)
{
    size_t scheme_bytes;
    int rc = address != NULL ? sp_registry_scheme(address, &scheme_bytes) : -EINVAL;

    if (rc < 0)
        return rc;
    if (!self->socket->loop->is_hosted)
        return -EINVAL;
    sp_socket_lock(self->socket);
    rc = self->socket->state == SP_SOCKET_OPEN
             ? sp_endpoint_open_with(self->socket, &carried_transport, address, is_bound)
             : -EBADF;
    if (rc >= 0)
        rc = carried_begin(self, sp_endpoint_find(self->socket, rc));
    sp_socket_unlock(self->socket);
    return rc;
}

static struct nn_carried *carried_create(struct sp_socket *socket, void *user)
{
    struct nn_carried *self = sp_zalloc(sizeof *self);

    if (self == NULL)
        return NULL;
    self->report.user = user;
    self->socket = socket;
    self->reader.ops = &reader_ops;
    self->input = (struct sp_stream){.fd = -1, .filter = &self->reader};
    return self;
}

struct nn_carried *nn_carried_open(int s, const char *address, bool is_bound, void *user)
{
    struct nn_carried *self = NULL;
    struct sp_socket *socket;
    int rc = sp_socket_acquire(s, &socket);

    if (rc == 0) {
        self = carried_create(socket, user);
        rc = self != NULL ? carried_open(self, address, is_bound) : -ENOMEM;
        if (rc == 0)
            sp_socket_retain(socket);
        sp_socket_release(socket);
    }
    if (rc == 0)
        return self;
    if (self != NULL)
        carried_free(self);
    errno = -rc;
    return NULL;
}

/* ---- What the host calls ---- */

int64_t nn_carried_give(struct nn_carried *self, const void *bytes, size_t size_bytes)
{
    int64_t taken = -1;

    sp_socket_lock(self->socket);
    self->given = bytes;
    self->given_bytes = size_bytes;
    if (self->state == CARRIED_GREETING && size_bytes > 0)
        carried_read_greeting(self);
    carried_use_given(self);
    if (self->state <= CARRIED_OPEN) {
        taken = (int64_t)(size_bytes - self->given_bytes);
        self->is_awaited = self->given_bytes > 0;
    }
    self->given_bytes = 0;
    sp_socket_unlock(self->socket);
    if (taken < 0)
        errno = EPIPE;
    return taken;
}

void nn_carried_end(struct nn_carried *self, bool is_broken)
{
    sp_socket_lock(self->socket);
    if (self->state <= CARRIED_OPEN) {
        carried_end(self, is_broken ? -ECONNRESET : -ESHUTDOWN);
    } else if (self->state == CARRIED_LINGERING) {
        carried_stop_lingering(self);
    }
    sp_socket_unlock(self->socket);
}

void nn_carried_mute(struct nn_carried *self)
{
    sp_socket_lock(self->socket);
    self->is_mute = true;
    sp_send_queue_clear(&self->queue);
    if (self->state == CARRIED_OPEN) {
        sp_pipe_end_sending(self->pipe);
    } else if (self->state == CARRIED_LINGERING) {
        carried_stop_lingering(self);
    }
    sp_socket_unlock(self->socket);
}

int nn_carried_take(struct nn_carried *self, struct nn_carried_piece *pieces, int count)
{
    struct nn_chunk *none = NULL; /* a socket that may have finished keeps no spare buffer */
    struct sp_piece piece;
    int taken = 0;

    sp_socket_lock(self->socket);
    struct nn_chunk **spare = self->state == CARRIED_OVER ? &none : &self->socket->spare_buffer;
    for (; taken < count && self->queue.count > 0; taken++) {
        sp_send_queue_take(&self->queue, &piece, spare);
        pieces[taken] =
            (struct nn_carried_piece){.chunk = piece.chunk, .bytes = piece.bytes, .size_bytes = piece.count};
    }
    self->is_announced = taken == count;
    if (self->state == CARRIED_OPEN) {
        carried_update_can_send(self);
    } else if (self->state == CARRIED_LINGERING && self->queue.count == 0) {
        carried_stop_lingering(self);
    }
    sp_socket_unlock(self->socket);
    if (none != NULL)
        sp_chunk_release(none);
    return taken;
}

void nn_carried_close(struct nn_carried *self)
{
    sp_socket_lock(self->socket);
    if (self->endpoint != NULL && !self->endpoint->is_closed)
        sp_endpoint_close(self->endpoint);
    sp_socket_unlock(self->socket);
}

void nn_carried_release(struct nn_carried *self)
{
    struct sp_socket *socket = self->socket;

    sp_socket_lock(socket);
    sp_report_withdraw(socket->loop, &self->report);
    self->is_released = true;
    if (self->state == CARRIED_OVER) {
        carried_free(self);
    } else if (self->state == CARRIED_LINGERING) {
        carried_stop_lingering(self);
    } else if (self->state != CARRIED_ENDED) {
        carried_end(self, -ECONNRESET);
    }
    sp_socket_unlock(socket);
    sp_socket_release_reference(socket);
}
