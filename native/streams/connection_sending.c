/* A connection's way out: messages and the framing's own frames, at once, coalesced, or when the kernel takes them. */
#include "streams/connection_sending.h"

#include "streams/connection_held.h"

#include "message/chunk.h"

#include <errno.h>

/* The number of bytes sent in one call while messages are gathered. */
#define COALESCE_BYTES ((size_t)64 * 1024)
#define VECTORS_LIMIT 64

void sp_connection_end_sending(struct sp_connection *self)
{
    self->is_send_broken = true;
    if (self->pipe != NULL)
        sp_pipe_end_sending(self->pipe);
    sp_send_queue_clear(&self->queue);
    want(self, self->watch.wanted & ~SP_WRITABLE);
}

/* The kernel takes nothing more. Reading goes on: it delivers what the peer sent last, and then reports the end, if
 * there is one soon. A peer that is well would wait for what was lost: the end of the stream has it close at once. TLS
 * sends no close_notify, since the stream may be cut in a record. */
static void connection_send_failed(struct sp_connection *self)
{
    sp_connection_end_sending(self);
    if (self->stream.fd >= 0)
        sp_net_finish(self->stream.fd);
    if (self->pipe != NULL)
        sp_connection_limit(self);
}

/* The kernel grants what its administrator allows, and counts twice what it was asked for. For a host the queue stands
 * for the kernel's buffer, which there is for all protocols. */
void sp_connection_set_queue_limit(struct sp_connection *self)
{
    const struct sp_options *options = &self->endpoint->options;
    size_t asked_bytes = (size_t)options->send_buffer_bytes;
    int granted_bytes = 0;

    self->queue_limit_bytes = is_buffering(self) || self->is_hosted ? asked_bytes : 1;
    if (is_buffering(self) || self->is_hosted || !sp_options_have_send_buffer(options) ||
        sp_net_get_option(self->watch.fd, SOL_SOCKET, SO_SNDBUF, &granted_bytes) < 0)
        return;
    if (asked_bytes > (size_t)granted_bytes / 2)
        self->queue_limit_bytes = asked_bytes - (size_t)granted_bytes / 2;
}

static void update_can_send(struct sp_connection *self, size_t unsent_bytes)
{
    if (self->pipe != NULL && self->queue.bytes + unsent_bytes >= self->queue_limit_bytes)
        self->pipe->can_send = false;
}

/* A long queue takes more before all of it has left: the peer would run dry until then. So does a kernel's buffer. */
bool sp_connection_has_room_again(const struct sp_connection *self)
{
    size_t unsent_bytes = self->stream.filter != NULL ? self->stream.filter->unsent_bytes : 0;

    if (self->is_hosted)
        return self->queue.bytes < self->queue_limit_bytes;
    return !is_buffering(self) && self->queue.bytes + unsent_bytes < self->queue_limit_bytes / 2;
}

/* What the filter keeps is accepted, but the connection is as full as if the queue kept it. */
void sp_connection_watch_unsent(struct sp_connection *self)
{
    size_t unsent_bytes = self->stream.filter->unsent_bytes;

    if (unsent_bytes == 0)
        return;
    update_can_send(self, unsent_bytes);
    want(self, self->watch.wanted | SP_WRITABLE);
}

ssize_t sp_send_vectors(struct sp_connection *self, struct iovec *vectors, int count)
{
    ssize_t taken = sp_stream_write(&self->stream, vectors, count);

    if (self->stream.filter != NULL)
        sp_connection_watch_unsent(self);
    self->has_progressed = self->has_progressed || taken > 0;
    return taken;
}

/* The kernel has not taken all: keep the rest and wait. */
static void connection_wait_writable(struct sp_connection *self)
{
    if (sp_send_queue_own(&self->queue) < 0) {
        connection_send_failed(self);
        if (self->pipe != NULL)
            sp_pipe_break(self->pipe, -ENOMEM); /* the peer is well, and would wait for the rest */
        return;
    }
    update_can_send(self, 0);
    want(self, self->watch.wanted | SP_WRITABLE);
}

/* Returns true when the filter keeps nothing back. */
static bool connection_flush_filter(struct sp_connection *self)
{
    if (self->stream.filter->ops->flush(self->stream.filter) < 0) {
        connection_send_failed(self);
        return false;
    }
    sp_connection_watch_unsent(self);
    return self->stream.filter->unsent_bytes == 0;
}

/* Passes on what is queued until the kernel refuses. Returns true when nothing is left. */
bool sp_connection_write(struct sp_connection *self)
{
    struct iovec vectors[VECTORS_LIMIT];

    while (self->queue.count > 0) {
        int count = sp_send_queue_vectors(&self->queue, vectors, VECTORS_LIMIT);
        size_t offered = 0;
        for (int i = 0; i < count; i++)
            offered += vectors[i].iov_len;

        ssize_t taken = sp_send_vectors(self, vectors, count);
        if (taken < 0) {
            connection_send_failed(self);
            return false;
        }
        sp_send_queue_consume(&self->queue, (size_t)taken, &self->socket->spare_buffer);
        if ((size_t)taken < offered) {
            connection_wait_writable(self);
            return false;
        }
    }
    return self->stream.filter == NULL || connection_flush_filter(self);
}

/* Gathered messages leave when the lock is released, or when COALESCE_BYTES have gathered. */
static void connection_pass_gathered(struct sp_connection *self)
{
    if (self->watch.wanted & SP_WRITABLE) {
        connection_wait_writable(self); /* the kernel is full: the poller reports when to go on */
        return;
    }
    sp_pipe_mark_dirty(self->pipe);
    if (self->is_hosted)
        update_can_send(self, 0); /* the queue is all that the stream has: NN_SNDBUF limits each message of a batch */
    if (self->queue.bytes >= COALESCE_BYTES)
        sp_connection_write(self);
}

/* Takes the message. */
static int connection_gather(struct sp_connection *self, const uint8_t *prefix, size_t prefix_bytes,
                             struct nn_message *message)
{
    if (sp_send_queue_add(&self->queue, prefix, prefix_bytes, message, &self->socket->spare_buffer) < 0) {
        sp_pipe_break(self->pipe, -ENOMEM);
        return -EAGAIN;
    }
    connection_pass_gathered(self);
    return 0;
}

/* Sends one message at once, from where it lies. It is kept also when the kernel takes none of it: a pipe that was said
 * to be writable takes a message. */
static int connection_send_directly(struct sp_connection *self, const uint8_t *prefix, size_t prefix_bytes,
                                    struct nn_message *message)
{
    struct iovec vectors[3] = {
        sp_vector_of(prefix, prefix_bytes),
        sp_vector_of(nn_message_header(message), message->header_bytes),
        sp_vector_of(message->body, message->body_bytes),
    };
    size_t total = prefix_bytes + sp_message_bytes(message);
    ssize_t taken = sp_send_vectors(self, vectors, 3);

    if (taken == (ssize_t)total) {
        nn_message_free(message);
        return 0;
    }
    if (taken < 0) {
        connection_send_failed(self);
        return -EAGAIN;
    }
    if (sp_send_queue_add_rest(&self->queue, prefix, prefix_bytes, message, (size_t)taken,
                               &self->socket->spare_buffer) < 0) {
        sp_pipe_break(self->pipe, -ENOMEM); /* half a frame is out: the stream cannot go on */
        return -EAGAIN;
    }
    connection_wait_writable(self);
    return 0;
}

static int connection_pass(struct sp_connection *self, const uint8_t *prefix, size_t prefix_bytes,
                           struct nn_message *message)
{
    if (self->socket->is_corked || self->queue.count > 0)
        return connection_gather(self, prefix, prefix_bytes, message);
    return connection_send_directly(self, prefix, prefix_bytes, message);
}

/* What leaves is a copy that the framing makes; the message stays as it is until the copy is accepted. */
static int connection_pass_encoded(struct sp_connection *self, const uint8_t *prefix, size_t prefix_bytes,
                                   struct nn_message *message)
{
    uint8_t scratch[SP_ENCODE_SCRATCH_BYTES];
    struct nn_message encoded;

    if (framing_of(self)->encode(prefix, prefix_bytes, message, scratch, &encoded) < 0) {
        sp_pipe_break(self->pipe, -ENOMEM);
        return -EAGAIN;
    }
    int rc = connection_pass(self, prefix, prefix_bytes, &encoded);
    nn_message_free(rc == 0 ? message : &encoded);
    return rc;
}

/* ---- Fragments ---- */

/* The part of a message that begins at `offset` of its body; the first one has the header. Shares the body. Returns 0
 * or -ENOMEM. */
static int slice(struct nn_message *part, const struct nn_message *message, size_t offset, size_t limit_bytes)
{
    size_t header_bytes = offset == 0 ? message->header_bytes : 0;
    size_t rest = message->body_bytes - offset;
    size_t room = limit_bytes > header_bytes ? limit_bytes - header_bytes : 1;

    sp_message_view(part, message->chunk, message->body + offset, rest < room ? rest : room);
    part->type = message->type;
    if (message->chunk != NULL)
        sp_chunk_retain(message->chunk);
    if (header_bytes == 0 || nn_message_header_append(part, nn_message_header(message), header_bytes) == 0)
        return 0;
    nn_message_free(part);
    return -ENOMEM;
}

/* Adds one fragment to the queue: as it is, or as the copy that the framing makes. Takes the part on 0. */
static int connection_add_fragment(struct sp_connection *self, struct nn_message *part, bool is_first, bool is_last)
{
    uint8_t prefix[SP_FRAME_PREFIX_LIMIT_BYTES];
    uint8_t scratch[SP_ENCODE_SCRATCH_BYTES];
    struct nn_message encoded = *part;
    size_t prefix_bytes = framing_of(self)->write_fragment_prefix(session_of(self), prefix, part, is_first, is_last);
    bool is_encoded = framing_of(self)->encode != NULL;

    if (is_encoded && framing_of(self)->encode(prefix, prefix_bytes, part, scratch, &encoded) < 0)
        return -ENOMEM;
    int rc = sp_send_queue_add(&self->queue, prefix, prefix_bytes, &encoded, &self->socket->spare_buffer);
    if (is_encoded)
        nn_message_free(rc == 0 ? part : &encoded);
    return rc;
}

/* Adds all fragments or none. Returns 0 or -ENOMEM. */
static int connection_add_fragments(struct sp_connection *self, const struct nn_message *message)
{
    struct sp_send_queue_mark mark = sp_send_queue_mark(&self->queue);
    size_t offset = 0;

    do {
        struct nn_message part;
        bool is_first = offset == 0;
        int rc = slice(&part, message, offset, framing_of(self)->fragment_bytes);
        if (rc == 0) {
            offset += part.body_bytes;
            rc = connection_add_fragment(self, &part, is_first, offset == message->body_bytes);
            if (rc < 0)
                nn_message_free(&part);
        }
        if (rc < 0) {
            sp_send_queue_undo(&self->queue, mark);
            return rc;
        }
    } while (offset < message->body_bytes);
    return 0;
}

/* Nothing comes between the fragments: a frame of the framing's own waits for the last one, as it waits for the rest of
 * a long frame. */
static int connection_send_fragments(struct sp_connection *self, struct nn_message *message)
{
    if (connection_add_fragments(self, message) < 0) {
        sp_pipe_break(self->pipe, -ENOMEM);
        return -EAGAIN;
    }
    connection_pass_gathered(self);
    if (self->is_send_broken)
        return -EAGAIN;
    nn_message_free(message);
    return 0;
}

static bool is_fragmented(const struct sp_connection *self, const struct nn_message *message)
{
    size_t limit_bytes = framing_of(self)->fragment_bytes;

    return limit_bytes > 0 && sp_message_bytes(message) > limit_bytes;
}

static int connection_send_whole(struct sp_connection *self, struct nn_message *message)
{
    uint8_t prefix[SP_FRAME_PREFIX_LIMIT_BYTES];
    size_t prefix_bytes = framing_of(self)->write_prefix(session_of(self), prefix, message);

    return framing_of(self)->encode != NULL ? connection_pass_encoded(self, prefix, prefix_bytes, message)
                                            : connection_pass(self, prefix, prefix_bytes, message);
}

int sp_connection_send(struct nn_pipe *pipe, struct nn_message *message)
{
    struct sp_connection *self = connection_of(pipe);
    int rc =
        is_fragmented(self, message) ? connection_send_fragments(self, message) : connection_send_whole(self, message);

    if (rc < 0)
        nn_pipe_count_refused(pipe, message);
    return rc;
}

/* Queues the framing's own frame, which goes between two messages. While the kernel is full it waits in its one place
 * in the session, so that a peer that asks and does not read costs no memory. */
void sp_connection_queue_control(struct sp_connection *self)
{
    struct sp_session *session = session_of(self);
    struct nn_message nothing;

    if (session == NULL || session->control_bytes == 0 || (self->watch.wanted & SP_WRITABLE) ||
        self->queue.bytes >= COALESCE_BYTES)
        return;
    nn_message_init(&nothing);
    if (sp_send_queue_add(&self->queue, session->control, session->control_bytes, &nothing,
                          &self->socket->spare_buffer) == 0)
        session->control_bytes = 0;
}

void sp_connection_flush(struct nn_pipe *pipe)
{
    struct sp_connection *self = connection_of(pipe);

    if (sp_connection_write(self)) {
        sp_connection_queue_control(self);
        sp_connection_write(self);
    }
}

/* Sends what the framing answers to the frames that were read. */
void sp_connection_answer_control(struct sp_connection *self)
{
    if (self->state != CONNECTION_OPEN || self->is_send_broken)
        return;
    sp_connection_queue_control(self);
    if (self->queue.count > 0)
        sp_pipe_mark_dirty(self->pipe);
}
