/* A connection whose pipe is closed: passing on what was accepted, the close handshake. */
#include "streams/connection_closing.h"

#include "streams/connection_sending.h"

/* ---- Linger ---- */

static size_t unsent_bytes_of(const struct sp_connection *self)
{
    size_t unsent_bytes = self->stream.filter != NULL ? self->stream.filter->unsent_bytes : 0;

    return self->is_send_broken ? 0 : self->queue.bytes + unsent_bytes;
}

static size_t linger_held_bytes(const struct sp_linger *linger)
{
    return unsent_bytes_of(SP_CONST_CONTAINER(linger, struct sp_connection, linger));
}

void sp_connection_end_lingering(struct sp_connection *self)
{
    sp_list_remove(&self->linger.item);
    sp_connection_close_stream(self);
    self->state = CONNECTION_ENDED;
    self->owner->ended(self->owner, true, self->error);
    if (self->pipe == NULL)
        sp_connection_release(self); /* or else the pipe, which is broken, does so when it is closed */
}

static void linger_abandon(struct sp_linger *linger)
{
    sp_connection_end_lingering(SP_CONTAINER(linger, struct sp_connection, linger));
}

/* The close frame is sent: what comes from the peer now is read and dropped, until its end. */
static void connection_await_end(struct sp_connection *self)
{
    sp_time_ns limit_ns = sp_deadline_after_ms(SP_CLOSE_HANDSHAKE_LIMIT_MS);

    if (framing_of(self)->shuts_down_first)
        sp_stream_shutdown_write(&self->stream);
    want(self, SP_READABLE);
    if (self->timer.deadline_ns > limit_ns)
        sp_timer_start(&self->timer, limit_ns);
}

void sp_connection_linger_written(struct sp_connection *self)
{
    if (self->has_sent_close_frame && !self->is_send_broken) {
        connection_await_end(self);
        return;
    }
    sp_stream_drain(&self->stream);
    sp_connection_end_lingering(self);
}

static void connection_linger(struct sp_connection *self, int limit_ms)
{
    self->state = CONNECTION_LINGERING;
    self->linger.abandon = linger_abandon;
    self->linger.held_bytes = linger_held_bytes;
    sp_direct_poll_interrupt(self->socket, &self->direct_poll);
    sp_list_append(&self->socket->lingering, &self->linger.item);
    leave_room(self);
    sp_timer_start(&self->timer, sp_deadline_after_ms(limit_ms));
    want(self, SP_READABLE | SP_WRITABLE);
}

/* ---- Closing ---- */

bool sp_connection_send_close_frame(struct sp_connection *self, int reason, int limit_ms)
{
    struct sp_session *session = session_of(self);
    struct nn_message nothing;

    if (framing_of(self)->close_frame == NULL || self->is_send_broken || sp_send_queue_own(&self->queue) < 0)
        return false;
    framing_of(self)->close_frame(session, reason);
    nn_message_init(&nothing);
    if (sp_send_queue_add(&self->queue, session->control, session->control_bytes, &nothing,
                          &self->socket->spare_buffer) < 0)
        return false;
    session->control_bytes = 0;
    self->has_sent_close_frame = true;
    if (self->pipe != NULL)
        self->pipe->can_send = false;
    connection_linger(self, limit_ms); /* the first event passes it on */
    return true;
}

/* The same without lingering: if the kernel does not take the frame at once, the connection is closed without it. */
static void connection_send_close_frame_at_once(struct sp_connection *self)
{
    struct sp_session *session = session_of(self);
    struct iovec vector;

    if (framing_of(self)->close_frame == NULL || self->is_send_broken || self->queue.count > 0)
        return;
    framing_of(self)->close_frame(session, 0);
    vector = (struct iovec){.iov_base = session->control, .iov_len = session->control_bytes};
    sp_stream_write(&self->stream, &vector, 1);
}

void sp_connection_close(struct nn_pipe *pipe, bool may_linger)
{
    struct sp_connection *self = connection_of(pipe);
    int linger_ms = self->socket->options.linger_ms;

    self->pipe = NULL;
    if (self->state == CONNECTION_LINGERING)
        return; /* the close handshake is under way */
    if (self->state == CONNECTION_ENDED) {
        sp_connection_release(self);
        return;
    }
    if (may_linger && sp_connection_send_close_frame(self, 0, linger_ms))
        return;
    if (may_linger && !self->is_send_broken && !sp_connection_write(self) && !self->is_send_broken) {
        connection_linger(self, linger_ms);
        return;
    }
    if (!may_linger && !self->is_send_broken)
        sp_connection_write(self); /* coalesced messages follow those that have left already */
    connection_send_close_frame_at_once(self);
    sp_stream_drain(&self->stream);
    sp_connection_close_stream(self);
    self->owner->ended(self->owner, true, 0);
    sp_connection_release(self);
}

/* ---- The program's end ---- */

size_t sp_connection_held_bytes(const struct nn_pipe *pipe)
{
    const struct sp_connection *self = connection_of(pipe);

    return self->state == CONNECTION_OPEN ? unsent_bytes_of(self) : 0;
}

/* A descriptor that is closed with unread bytes is reset: what the kernel keeps for the peer would be gone. */
void sp_connection_finish(struct nn_pipe *pipe)
{
    struct sp_connection *self = connection_of(pipe);

    if (self->state != CONNECTION_OPEN)
        return;
    want(self, 0);
    sp_net_finish(self->stream.fd);
    sp_stream_drain(&self->stream);
}
