/* A connection's way in: reading into slabs, finding messages, giving them to the protocol. */
#include "streams/connection_receiving.h"

#include "streams/connection_closing.h"
#include "streams/connection_held.h"
#include "streams/connection_room.h"
#include "streams/connection_sending.h"

#include "core/waiting_reads.h"
#include "message/chunk.h"

#include <errno.h>

static int connection_find_frame(struct sp_connection *self)
{
    int limit_bytes = self->socket->options.receive_max_bytes;

    return sp_receive_buffer_next(&self->received, framing_of(self), session_of(self),
                                  limit_bytes < 0 ? SIZE_MAX : (size_t)limit_bytes);
}

/* Deals with the framing's own frames on the way. */
static int connection_find_among_frames(struct sp_connection *self)
{
    const struct sp_framing *framing = framing_of(self);
    int rc;

    self->found = SP_FRAME_SERVICE;
    do {
        rc = connection_find_frame(self);
        if (rc <= 0)
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

/* Looks for the next message, and takes the room that it needs; where there is none, the connection waits. Returns 1, 0
 * when more bytes are needed, or -errno. */
static int connection_find_message(struct sp_connection *self)
{
    int rc = framing_of(self)->use != NULL ? connection_find_among_frames(self) : connection_find_frame(self);

    if (rc >= 0 && sp_connection_concerns_room(self) && sp_connection_change_room(self, rc > 0) < 0)
        return -ENOMEM;
    return rc;
}

static void connection_take_message(struct sp_connection *self, struct nn_message *message)
{
    if (self->found != SP_FRAME_COMPLETES)
        sp_receive_buffer_take(&self->received, message);
    if (framing_of(self)->finish != NULL)
        framing_of(self)->finish(session_of(self), self->found, message);
    if (self->certificate != NULL)
        sp_message_add_certificate(message, self->certificate);
    /* Credentials and properties of a peer share their place: a local connection has the former. */
    if (self->has_credentials && self->socket->options.ipc_credentials && !message->has_peer_info) {
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
    if (sp_connection_waits_for_room(self))
        return;
    if (sp_filter_is_choked(filter))
        want(self, self->watch.wanted & ~SP_READABLE);
    else if (filter->has_input)
        sp_timer_start(&self->timer, sp_now_ns());
}

void sp_connection_unchoke(struct sp_connection *self)
{
    if (self->state != CONNECTION_OPEN || self->stream.filter == NULL || self->pipe->can_receive ||
        (self->watch.wanted & SP_READABLE) || sp_connection_waits_for_room(self) ||
        sp_filter_is_choked(self->stream.filter))
        return;
    want(self, self->watch.wanted | SP_READABLE);
    sp_connection_watch_filter(self);
}

/* The peer has broken the rules, or closes the connection by a close frame. There is no complete message. */
static void connection_refuse(struct sp_connection *self, int error)
{
    if (!sp_connection_send_close_frame(self, error, SP_CLOSE_HANDSHAKE_LIMIT_MS)) {
        sp_connection_end(self, error);
        return;
    }
    self->socket->statistics.broken_connections++;
    sp_connection_count_unfinished(self, error);
    self->error = error != -ESHUTDOWN ? error : -ECONNRESET;
    sp_pipe_break(self->pipe, error);
}

static ssize_t connection_fill(struct sp_connection *self, struct sp_stream *stream)
{
    const struct sp_frame *last = &self->received.frame;
    size_t quantum = sp_pipe_read_quantum(self->pipe, last->prefix_bytes + last->body_bytes);

    self->received.is_short = sp_room_is_short(&self->socket->room, self->socket->options.max_unfinished_bytes);
    ssize_t count = sp_receive_buffer_fill(&self->received, stream, self->socket->loop, quantum);

    if (stream->filter != NULL && stream == &self->stream)
        sp_connection_watch_unsent(self); /* it may have answered */
    return count;
}

/* Goes on reading where reading had stopped with bytes left in the kernel, or in the filter. The receiving thread
 * need not wait for the loop, and a peer of better priority does not lose its turn. But when no message has reached
 * the user since the last time, the protocol passes over what the peer sends: then the loop comes first. Where many
 * others have unread messages, the connection is read when its turn comes; not one that is to end if it stands still.
 * Returns as sp_receive_buffer_fill. */
static ssize_t connection_read_on(struct sp_connection *self)
{
    bool is_held = self->stream.filter != NULL && self->stream.filter->has_input;
    uint64_t turn = self->socket->statistics.messages_received + 1;

    if (self->state == CONNECTION_ENDED && sp_remains_bytes(self->remains) > 0)
        return connection_fill(self, &self->remains->stream);
    if (self->state != CONNECTION_OPEN || is_polled_directly(self) || sp_connection_waits_for_room(self) ||
        ((self->watch.wanted & SP_READABLE) && !is_held) || self->last_turn == turn)
        return -EAGAIN;
    self->last_turn = turn;
    sp_pipe_end_quantum(self->pipe);
    if (!self->limit.is_active && sp_pipe_wait_read(self->pipe))
        return -EAGAIN;
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

/* There is nothing to receive: the poller reports what comes. */
static void connection_watch_again(struct sp_connection *self)
{
    if (is_polled_directly(self) || sp_connection_waits_for_room(self))
        return;
    want(self, (self->watch.wanted & SP_WRITABLE) | SP_READABLE);
    sp_connection_watch_filter(self);
}

int sp_connection_receive(struct nn_pipe *pipe, struct nn_message *message)
{
    struct sp_connection *self = connection_of(pipe);
    ssize_t count = -EAGAIN;

    connection_take_message(self, message);
    self->has_progressed = true;
    int rc = connection_find_next(self, &count);
    if (rc > 0)
        return 0;

    sp_pipe_set_unreadable(pipe);
    if (self->state == CONNECTION_ENDED) {
        sp_connection_count_unfinished(self, self->error);
        sp_pipe_break(pipe, self->error); /* that was the last of it */
    } else if (rc < 0)
        connection_refuse(self, rc);
    else if (count <= 0 && count != -EAGAIN)
        sp_connection_end(self, count < 0 ? (int)count : -ESHUTDOWN);
    else if (!sp_pipe_waits_for_read(pipe))
        connection_watch_again(self);
    return 0;
}

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

void sp_connection_read(struct sp_connection *self, unsigned ready)
{
    if (self->pipe->can_receive) {
        sp_connection_hold(self, ready); /* the user has not taken what is here */
        return;
    }
    sp_pipe_leave_reads(self->pipe);
    if (sp_connection_waits_for_room(self)) {
        sp_connection_wait_for_room(self, ready);
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
    } while (self->state == CONNECTION_OPEN && !self->pipe->can_receive && !sp_connection_waits_for_room(self) &&
             sp_receive_buffer_is_cut(&self->received));
}

static void connection_read_polled(struct sp_direct_poll *direct_poll)
{
    struct sp_connection *self = SP_CONTAINER(direct_poll, struct sp_connection, direct_poll);

    if (self->state != CONNECTION_OPEN || self->pipe->can_receive)
        return;
    sp_connection_read(self, 0);
    if (self->state == CONNECTION_OPEN && !self->pipe->can_receive && !sp_pipe_is_broken(self->pipe))
        connection_watch_again(self);
}

void sp_connection_allow_direct_poll(struct sp_connection *self)
{
    if (self->stream.ops != NULL)
        return; /* no descriptor announces what a filter holds, or a host has */
    self->direct_poll.watch = &self->watch;
    self->direct_poll.timer = &self->timer;
    self->direct_poll.read = connection_read_polled;
    self->pipe->direct_poll = &self->direct_poll;
    sp_pipe_allow_waiting(self->pipe);
}
