/* One connection over a byte stream: opening, receiving, farewell, end. */
#include "streams/connection_internal.h"

#include "streams/descriptor.h"
#include "streams/stream_endpoint.h"

#include "message/chunk.h"
#include "util/invariant.h"
#include "util/memory.h"
#include "util/memory_return.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* So long a peer may take until its stream is secure. */
#define SECURING_LIMIT_MS 3000
/* So long a peer may take to answer our farewell. */
#define FAREWELL_LIMIT_MS 1000
/* How much of a peer's last words is read before a descriptor is closed, so that the kernel does not answer unread
 * bytes by a reset, which may cost the peer what it has not read yet. */
#define LAST_WORDS_BYTES ((size_t)256 * 1024)
/* What a connection takes by itself, and what OpenSSL takes for one. */
#define CONNECTION_BYTES ((size_t)4 * 1024)
#define FILTER_BYTES ((size_t)48 * 1024)

/* ---- Ending ---- */

static void connection_free(struct sp_task *task)
{
    struct sp_connection *self = SP_CONTAINER(task, struct sp_connection, release);

    sp_timer_destroy(&self->timer);
    sp_timer_destroy(&self->limit);
    sp_free(self->greeting);
    sp_ends_destroy(self->ends);
    if (self->certificate != NULL)
        sp_chunk_release(self->certificate);
    sp_free(self);
}

/* Nothing refers to the connection any more but events of the current batch. */
void sp_connection_release(struct sp_connection *self)
{
    struct nn_endpoint *endpoint = self->endpoint;

    SP_INVARIANT(self->state != CONNECTION_CLOSED, "a connection is released twice");
    SP_INVARIANT(self->pipe == NULL, "a connection is released that has a pipe");
    self->state = CONNECTION_CLOSED;
    sp_receive_buffer_clear(&self->received);
    self->socket->remains_bytes -= self->remains_bytes;
    sp_remains_clear(&self->remains);
    if (framing_of(self)->close != NULL)
        framing_of(self)->close(session_of(self));
    /* The loop's thread may free it at once. */
    sp_loop_discard(&self->socket->loop->base, &self->release);
    sp_endpoint_release(endpoint);
}

void sp_read_last_words(int fd)
{
    char unwanted[8 * 1024];
    size_t total = 0;
    ssize_t count;

    while (total < LAST_WORDS_BYTES && (count = recv(fd, unwanted, sizeof unwanted, MSG_DONTWAIT)) > 0)
        total += (size_t)count;
}

/* About what goes with a connection. */
static void note_freed(const struct sp_connection *self)
{
    size_t filter_bytes = self->stream.filter != NULL ? FILTER_BYTES + self->stream.filter->unsent_bytes : 0;

    sp_memory_note_freed(CONNECTION_BYTES + filter_bytes + sp_receive_buffer_partial_bytes(&self->received) +
                         self->queue.bytes);
}

static void connection_close_descriptor(struct sp_connection *self)
{
    note_freed(self);
    if (sp_list_is_linked(&self->item))
        sp_list_remove(&self->item);
    sp_timer_stop(&self->timer);
    sp_timer_stop(&self->limit);
    sp_watch_want(&self->watch, 0);
    if (self->pipe != NULL)
        self->pipe->attendance = NULL;
    if (self->stream.filter != NULL)
        sp_stream_leave(&self->stream);
    if (sp_attendance_drop(self->socket, &self->attendance))
        self->stream = (struct sp_stream){.fd = -1}; /* who polls it closes it */
    else
        sp_stream_close(&self->stream);
    self->watch.fd = -1;
    sp_send_queue_clear(&self->queue);
}

/* The peer is gone (-ESHUTDOWN: it has closed), or has broken the rules. What it had sent in full before is still
 * delivered. */
void sp_connection_end(struct sp_connection *self, int error)
{
    bool was_admitted = self->pipe != NULL;

    SP_INVARIANT(self->state <= CONNECTION_OPEN, "a connection ends that has ended");
    self->socket->statistics.broken_connections++;
    if (!was_admitted && self->stream.filter != NULL && !self->endpoint->is_bound)
        self->socket->statistics.connect_errors++; /* most likely one does not accept the other's certificate */
    if (!was_admitted)
        sp_connection_tell_rejected(self, error);
    else if (self->stream.filter != NULL && self->pipe->ends != NULL)
        self->stream.filter->ops->tell(self->stream.filter, self->pipe->ends);
    connection_close_descriptor(self);
    self->state = CONNECTION_ENDED;
    if (was_admitted) {
        self->error = error;
        sp_pipe_end_sending(self->pipe);
        if (!self->pipe->can_receive)
            sp_pipe_break(self->pipe, error);
    }
    self->owner->ended(self->owner, was_admitted, error != -ESHUTDOWN ? error : -ECONNRESET);
    if (!was_admitted)
        sp_connection_release(self);
}

static size_t held_bytes(const struct sp_connection *self)
{
    size_t unsent_bytes = self->stream.filter != NULL ? self->stream.filter->unsent_bytes : 0;

    return self->is_send_broken ? 0 : self->queue.bytes + unsent_bytes;
}

static size_t linger_held_bytes(const struct sp_linger *linger)
{
    return held_bytes(SP_CONTAINER(linger, struct sp_connection, linger));
}

static void linger_end(struct sp_connection *self)
{
    sp_list_remove(&self->linger.item);
    connection_close_descriptor(self);
    self->state = CONNECTION_ENDED;
    self->owner->ended(self->owner, true, self->error);
    if (self->pipe == NULL)
        sp_connection_release(self); /* or else the pipe, which is broken, does so when it is closed */
}

static void linger_abandon(struct sp_linger *linger)
{
    linger_end(SP_CONTAINER(linger, struct sp_connection, linger));
}

/* The farewell is out: what comes from the peer now is read and dropped, until its end. */
static void connection_await_end(struct sp_connection *self)
{
    sp_time_ns limit_ns = sp_deadline_after_ms(FAREWELL_LIMIT_MS);

    if (framing_of(self)->is_left_first)
        sp_stream_leave(&self->stream);
    want(self, SP_READABLE);
    if (self->timer.deadline_ns > limit_ns)
        sp_timer_start(&self->timer, limit_ns);
}

/* Everything is passed on, or can no longer be. */
static void linger_written(struct sp_connection *self)
{
    if (self->has_left && !self->is_send_broken) {
        connection_await_end(self);
        return;
    }
    sp_read_last_words(self->watch.fd);
    linger_end(self);
}

/* ---- Receiving ---- */

/* Looks for the next message, and deals with the framing's own frames on the way. Returns 1, 0 when more bytes are
 * needed, or -errno. */
static int connection_find_message(struct sp_connection *self)
{
    const struct sp_framing *framing = framing_of(self);
    int limit_bytes = self->socket->options.receive_max_bytes;
    int rc;

    self->found = SP_FRAME_SERVICE;
    do {
        rc = sp_receive_buffer_next(&self->received, framing, session_of(self),
                                    limit_bytes < 0 ? SIZE_MAX : (size_t)limit_bytes);
        if (rc <= 0 || framing->use == NULL)
            return rc;
        rc = framing->use(session_of(self), sp_receive_buffer_frame(&self->received), &self->received.frame);
        if (rc < 0)
            return rc;
        self->found = (enum sp_frame_kind)rc;
        if (self->found != SP_FRAME_MESSAGE)
            sp_receive_buffer_drop(&self->received);
        sp_connection_answer_control(self);
    } while (self->found == SP_FRAME_SERVICE);
    return 1;
}

static void connection_take_message(struct sp_connection *self, struct nn_message *message)
{
    if (self->found != SP_FRAME_COMPLETES)
        sp_receive_buffer_take(&self->received, message);
    if (framing_of(self)->finish != NULL)
        framing_of(self)->finish(session_of(self), self->found, message);
    if (self->certificate != NULL)
        sp_message_add_certificate(message, self->certificate);
    if (self->has_credentials && self->socket->options.ipc_credentials) {
        message->is_from_known = true;
        message->sender = self->credentials;
    }
}

/* The poller announces what the kernel has, and not what the filter has taken from it already. A filter that is choked
 * reads nothing until the peer has taken what it was answered. */
void sp_connection_watch_filter(struct sp_connection *self)
{
    const struct sp_filter *filter = self->stream.filter;

    if (filter == NULL)
        return;
    sp_connection_watch_unsent(self);
    if (sp_filter_is_choked(filter))
        want(self, self->watch.wanted & ~SP_READABLE);
    else if (filter->has_input)
        sp_timer_start(&self->timer, sp_now_ns());
}

/* Bytes have left: a filter that was choked goes on, if a message does not wait for the user anyway. */
static void connection_unchoke(struct sp_connection *self)
{
    if (self->state != CONNECTION_OPEN || self->stream.filter == NULL || self->pipe->can_receive ||
        (self->watch.wanted & SP_READABLE) || sp_filter_is_choked(self->stream.filter))
        return;
    want(self, self->watch.wanted | SP_READABLE);
    sp_connection_watch_filter(self);
}

static bool connection_leave(struct sp_connection *self, int reason, int limit_ms);

/* The peer has broken the rules, or takes its leave. There is no complete message. */
static void connection_refuse(struct sp_connection *self, int error)
{
    if (!connection_leave(self, error, FAREWELL_LIMIT_MS)) {
        sp_connection_end(self, error);
        return;
    }
    self->socket->statistics.broken_connections++;
    self->error = error != -ESHUTDOWN ? error : -ECONNRESET;
    sp_pipe_break(self->pipe, error);
}

static ssize_t connection_fill(struct sp_connection *self, struct sp_stream *stream)
{
    const struct sp_frame *last = &self->received.frame;
    size_t share = sp_pipe_share(self->pipe, last->prefix_bytes + last->body_bytes);
    ssize_t count = sp_receive_buffer_fill(&self->received, stream, self->socket->loop, share);

    if (stream->filter != NULL && stream == &self->stream)
        sp_connection_watch_unsent(self); /* it may have answered */
    return count;
}

/* Goes on reading where reading had stopped with bytes left in the kernel, or in the filter. The user who asks for them
 * needs not wait for the loop, and a peer of better priority does not lose its turn. But when no message has reached the
 * user since the last time, the protocol passes over what the peer sends: then the loop comes first. Returns as
 * sp_receive_buffer_fill. */
static ssize_t connection_read_on(struct sp_connection *self)
{
    bool is_held = self->stream.filter != NULL && self->stream.filter->has_input;
    uint64_t turn = self->socket->statistics.messages_received + 1;

    if (self->state == CONNECTION_ENDED && sp_remains_bytes(&self->remains) > 0)
        return connection_fill(self, &self->remains.stream);
    if (self->state != CONNECTION_OPEN || is_attended(self) || ((self->watch.wanted & SP_READABLE) && !is_held) ||
        self->last_turn == turn)
        return -EAGAIN;
    self->last_turn = turn;
    return connection_fill(self, &self->stream);
}

/* The same for the next message. Of what is in memory nothing comes later. */
static int connection_find_next(struct sp_connection *self, ssize_t *count)
{
    int rc = connection_find_message(self);

    while (rc == 0 && (*count = connection_read_on(self)) > 0) {
        rc = connection_find_message(self);
        if (self->state != CONNECTION_ENDED)
            break;
    }
    return rc;
}

static int connection_receive(struct nn_pipe *pipe, struct nn_message *message)
{
    struct sp_connection *self = connection_of(pipe);
    ssize_t count = -EAGAIN;

    connection_take_message(self, message);
    self->has_progressed = true;
    int rc = connection_find_next(self, &count);
    if (rc > 0)
        return 0;

    sp_pipe_set_unreadable(pipe);
    if (self->state == CONNECTION_ENDED)
        sp_pipe_break(pipe, self->error); /* that was the last of it */
    else if (rc < 0)
        connection_refuse(self, rc);
    else if (count <= 0 && count != -EAGAIN)
        sp_connection_end(self, count < 0 ? (int)count : -ESHUTDOWN);
    else if (!is_attended(self)) {
        want(self, (self->watch.wanted & SP_WRITABLE) | SP_READABLE);
        sp_connection_watch_filter(self);
    }
    return 0;
}

/* Tells the protocol when what has come holds a message. */
void sp_connection_deliver(struct sp_connection *self)
{
    int rc = connection_find_message(self);

    if (rc > 0)
        sp_pipe_set_readable(self->pipe);
    else if (rc < 0)
        connection_refuse(self, rc);
    else
        sp_connection_watch_filter(self);
}

/* ready: what the poller tells of, if it was asked. */
static void connection_read(struct sp_connection *self, unsigned ready)
{
    if (self->pipe->can_receive) {
        sp_connection_hold(self, ready); /* the user has not taken what is here */
        return;
    }

    do {
        ssize_t count = connection_fill(self, &self->stream);
        if (count == -EAGAIN) {
            sp_connection_watch_filter(self);
            return;
        }
        if (count <= 0) {
            sp_connection_end(self, count < 0 ? (int)count : -ESHUTDOWN);
            return;
        }
        sp_connection_deliver(self);
    } while (self->state == CONNECTION_OPEN && !self->pipe->can_receive && sp_receive_buffer_is_cut(&self->received));
}

static void connection_read_attended(struct sp_attendance *attendance)
{
    struct sp_connection *self = SP_CONTAINER(attendance, struct sp_connection, attendance);

    if (self->state == CONNECTION_OPEN && !self->pipe->can_receive)
        connection_read(self, 0);
}

void sp_connection_allow_attendance(struct sp_connection *self)
{
    if (self->stream.filter != NULL)
        return; /* what it holds no descriptor announces */
    self->attendance.watch = &self->watch;
    self->attendance.timer = &self->timer;
    self->attendance.read = connection_read_attended;
    self->pipe->attendance = &self->attendance;
}

/* ---- Events ---- */

static void connection_writable(struct sp_connection *self)
{
    if (self->state == CONNECTION_SECURING) {
        sp_connection_secure(self);
        return;
    }
    bool is_written = sp_connection_write(self);
    connection_unchoke(self);
    if (self->state == CONNECTION_GREETING) {
        sp_connection_read_greeting(self);
        return;
    }
    if (!is_written) {
        if (self->state == CONNECTION_LINGERING && self->is_send_broken)
            linger_end(self);
        else if (self->state == CONNECTION_OPEN && !self->is_send_broken && sp_connection_has_room_again(self))
            sp_pipe_set_writable(self->pipe);
        return;
    }
    want(self, self->watch.wanted & ~SP_WRITABLE);
    sp_connection_queue_control(self);
    if (self->queue.count > 0 && !sp_connection_write(self))
        return;
    if (self->state == CONNECTION_LINGERING) {
        linger_written(self);
    } else if (self->pipe != NULL && !self->is_send_broken) {
        sp_pipe_set_writable(self->pipe);
    }
}

static void connection_readable(struct sp_connection *self, unsigned ready)
{
    char unwanted[4 * 1024];
    ssize_t count;

    switch (self->state) {
    case CONNECTION_SECURING:
        sp_connection_secure(self);
        break;
    case CONNECTION_GREETING:
        sp_connection_read_greeting(self);
        break;
    case CONNECTION_OPEN:
        connection_read(self, ready);
        break;
    case CONNECTION_LINGERING:
        count = recv(self->watch.fd, unwanted, sizeof unwanted, MSG_DONTWAIT);
        if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR))
            linger_end(self);
        break;
    case CONNECTION_ENDED:
    case CONNECTION_CLOSED:
        break;
    }
}

static bool is_alive(const struct sp_connection *self)
{
    return self->state != CONNECTION_ENDED && self->state != CONNECTION_CLOSED;
}

static void connection_handle(struct sp_watch *watch, unsigned ready)
{
    struct sp_connection *self = SP_CONTAINER(watch, struct sp_connection, watch);
    struct sp_socket *socket = self->socket;

    sp_socket_lock(socket);
    if (is_alive(self) && (ready & SP_WRITABLE) && (watch->wanted & SP_WRITABLE))
        connection_writable(self);
    if (is_alive(self) && (ready & (SP_READABLE | SP_HANGUP | SP_FINISHED)))
        connection_readable(self, ready);
    sp_socket_unlock(socket);
}

static void connection_handle_deadline(struct sp_timer *timer)
{
    struct sp_connection *self = SP_CONTAINER(timer, struct sp_connection, timer);
    struct sp_socket *socket = self->socket;

    sp_socket_lock(socket);
    if (sp_timer_is_due(timer)) {
        if (self->state == CONNECTION_SECURING || self->state == CONNECTION_GREETING)
            sp_connection_end(self, -ETIMEDOUT);
        else if (self->state == CONNECTION_OPEN && self->stream.filter == NULL)
            sp_attendance_expire(socket);
        else if (self->state == CONNECTION_OPEN)
            connection_read(self, 0);
        else if (self->state == CONNECTION_LINGERING)
            linger_end(self);
    }
    sp_socket_unlock(socket);
}

/* ---- Closing ---- */

static void connection_linger(struct sp_connection *self, int limit_ms)
{
    self->state = CONNECTION_LINGERING;
    sp_attendance_leave(self->socket, &self->attendance);
    sp_list_append(&self->socket->lingering, &self->linger.item);
    sp_timer_start(&self->timer, sp_deadline_after_ms(limit_ms));
    want(self, SP_READABLE | SP_WRITABLE);
}

/* Takes our leave behind what is queued already, where the framing has words for that; the connection then lingers.
 * Returns false when there is nobody to say it to. */
static bool connection_leave(struct sp_connection *self, int reason, int limit_ms)
{
    struct sp_session *session = session_of(self);
    struct nn_message nothing;

    if (framing_of(self)->leave == NULL || self->is_send_broken || sp_send_queue_own(&self->queue) < 0)
        return false;
    framing_of(self)->leave(session, reason);
    nn_message_init(&nothing);
    if (sp_send_queue_add(&self->queue, session->control, session->control_bytes, &nothing,
                          &self->socket->spare_buffer) < 0)
        return false;
    session->control_bytes = 0;
    self->has_left = true;
    if (self->pipe != NULL)
        self->pipe->can_send = false;
    connection_linger(self, limit_ms); /* the first event passes it on */
    return true;
}

/* The same for somebody who does not wait: when the kernel does not take it at once, the end comes without. */
static void connection_leave_at_once(struct sp_connection *self)
{
    struct sp_session *session = session_of(self);
    struct iovec vector;

    if (framing_of(self)->leave == NULL || self->is_send_broken || self->queue.count > 0)
        return;
    framing_of(self)->leave(session, 0);
    vector = (struct iovec){.iov_base = session->control, .iov_len = session->control_bytes};
    sp_stream_write(&self->stream, &vector, 1);
}

static void connection_close(struct nn_pipe *pipe, bool may_linger)
{
    struct sp_connection *self = connection_of(pipe);
    int linger_ms = self->socket->options.linger_ms;

    self->pipe = NULL;
    if (self->state == CONNECTION_LINGERING)
        return; /* the farewell is under way */
    if (self->state == CONNECTION_ENDED) {
        sp_connection_release(self);
        return;
    }
    if (may_linger && connection_leave(self, 0, linger_ms))
        return;
    if (may_linger && !self->is_send_broken && !sp_connection_write(self) && !self->is_send_broken) {
        connection_linger(self, linger_ms);
        return;
    }
    if (!may_linger && !self->is_send_broken)
        sp_connection_write(self); /* what a burst holds goes with what has left already */
    connection_leave_at_once(self);
    sp_read_last_words(self->watch.fd);
    connection_close_descriptor(self);
    self->owner->ended(self->owner, true, 0);
    sp_connection_release(self);
}

void sp_connection_owner_abandon(struct sp_connection_owner *owner)
{
    struct sp_list_item *item;

    while ((item = sp_list_first(&owner->greeting)) != NULL) {
        struct sp_connection *self = SP_CONTAINER(item, struct sp_connection, item);
        connection_close_descriptor(self);
        sp_connection_release(self);
    }
}

const struct nn_pipe_operations sp_connection_pipe_ops = {
    .send = sp_connection_send,
    .receive = connection_receive,
    .flush = sp_connection_flush,
    .close = connection_close,
    .addresses = sp_connection_addresses,
};

/* ---- The program's end ---- */

static size_t connection_held_bytes(const struct nn_pipe *pipe)
{
    const struct sp_connection *self = connection_of(pipe);

    return self->state == CONNECTION_OPEN ? held_bytes(self) : 0;
}

/* A descriptor that is closed with unread bytes is reset: what the kernel keeps for the peer would be gone. */
static void connection_finish(struct nn_pipe *pipe)
{
    struct sp_connection *self = connection_of(pipe);

    if (self->state != CONNECTION_OPEN)
        return;
    want(self, 0);
    shutdown(self->watch.fd, SHUT_WR);
    sp_read_last_words(self->watch.fd);
}

const struct sp_leaving sp_connection_leaving = {.held_bytes = connection_held_bytes, .finish = connection_finish};

/* ---- Opening ---- */

static struct sp_connection *connection_create(struct sp_connection_owner *owner)
{
    struct sp_connection *self = sp_zalloc(sizeof *self + owner->framing->session_bytes);

    if (self == NULL)
        return NULL;
    self->greeting = sp_alloc(owner->framing->greeting_limit_bytes);
    if (self->greeting == NULL) {
        sp_free(self);
        return NULL;
    }
    self->socket = owner->endpoint->socket;
    self->owner = owner;
    self->endpoint = owner->endpoint;
    self->linger.abandon = linger_abandon;
    self->linger.held_bytes = linger_held_bytes;
    self->release.run = connection_free;
    return self;
}

void sp_connection_owner_init(struct sp_connection_owner *self, struct nn_endpoint *endpoint,
                              const struct sp_framing *framing, void (*admitted)(struct sp_connection_owner *),
                              void (*ended)(struct sp_connection_owner *, bool, int))
{
    self->endpoint = endpoint;
    self->framing = framing;
    self->admitted = admitted;
    self->ended = ended;
    sp_list_init(&self->greeting);
}

/* Takes the stream, and closes it on failure. */
static int connection_open(struct sp_connection_owner *owner, struct sp_stream *stream, struct sp_connection **opened)
{
    struct sp_loop *loop = &owner->endpoint->socket->loop->base;
    struct sp_connection *self = NULL;
    int rc = -EBUSY;

    if (!owner->framing->is_asked_first && sp_socket_is_full(owner->endpoint->socket))
        goto fail;
    rc = -ENOMEM;
    self = connection_create(owner);
    if (self == NULL)
        goto fail;
    sp_watch_init(&self->watch, loop, stream->fd, connection_handle);
    if ((rc = sp_timer_init(&self->timer, loop, connection_handle_deadline)) < 0)
        goto fail;
    if ((rc = sp_timer_init(&self->limit, loop, sp_connection_handle_limit)) < 0)
        goto fail;
    if ((rc = sp_watch_want(&self->watch, SP_READABLE)) < 0)
        goto fail;
    self->stream = *stream;
    self->endpoint->users++;
    sp_list_append(&owner->greeting, &self->item);
    sp_connection_remember_ends(self);
    *opened = self;
    return 0;

fail:
    if (self != NULL) {
        sp_timer_destroy(&self->timer);
        sp_timer_destroy(&self->limit);
        sp_free(self->greeting);
        sp_free(self);
    }
    sp_stream_rejected(owner->endpoint, stream->fd, 0, rc);
    sp_stream_close(stream);
    return rc;
}

/* The stream is as it shall be. */
static int connection_begin(struct sp_connection *self)
{
    int rc = sp_connection_greet(self);

    if (rc < 0) {
        sp_connection_tell_rejected(self, rc);
        connection_close_descriptor(self);
        sp_connection_release(self);
    }
    return rc;
}

int sp_connection_open_greeted(struct sp_connection_owner *owner, struct sp_stream *stream, const uint8_t *greeting,
                               size_t greeting_bytes)
{
    struct sp_connection *self;
    int rc = connection_open(owner, stream, &self);

    if (rc < 0 || (rc = connection_begin(self)) < 0)
        return rc;
    memcpy(self->greeting, greeting, greeting_bytes);
    self->greeting_bytes = greeting_bytes;
    sp_connection_answer(self);
    return 0;
}

int sp_connection_open(struct sp_connection_owner *owner, int fd)
{
    struct sp_filter_source *filters = sp_stream_endpoint_of(owner->endpoint)->filters;
    struct sp_stream stream = {.fd = fd};
    struct sp_connection *self;

    if (filters != NULL && (stream.filter = filters->open(filters, fd)) == NULL) {
        sp_stream_rejected(owner->endpoint, fd, 0, -ENOMEM);
        sp_descriptor_close(fd);
        return -ENOMEM;
    }
    int rc = connection_open(owner, &stream, &self);
    if (rc < 0 || filters == NULL)
        return rc < 0 ? rc : connection_begin(self);
    sp_timer_start(&self->timer, sp_deadline_after_ms(SECURING_LIMIT_MS));
    sp_connection_secure(self);
    return 0;
}
