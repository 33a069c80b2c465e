/* A connection before it has a pipe: agreeing on a filter, greeting, being admitted, turned away or handed over. */
#include "streams/connection_handshake.h"

#include "streams/connection_closing.h"
#include "streams/connection_held.h"
#include "streams/connection_receiving.h"
#include "streams/connection_sending.h"
#include "streams/descriptor.h"

#include "util/memory.h"

#include <errno.h>

/* Sends our part of the greeting. What the stream does not take at once is queued. */
static int connection_say(struct sp_connection *self, const struct sp_greeting *greeting)
{
    struct iovec vector = {.iov_base = (void *)greeting->reply, .iov_len = greeting->reply_bytes};
    struct nn_message nothing;

    if (greeting->reply_bytes == 0)
        return 0;
    ssize_t taken = sp_send_vectors(self, &vector, 1);
    if (taken < 0 || (size_t)taken == greeting->reply_bytes)
        return taken < 0 ? (int)taken : 0;
    nn_message_init(&nothing);
    int rc = sp_send_queue_add(&self->queue, greeting->reply + taken, greeting->reply_bytes - (size_t)taken, &nothing,
                               &self->socket->spare_buffer);
    if (rc == 0)
        want(self, self->watch.wanted | SP_WRITABLE);
    return rc;
}

int sp_connection_greet(struct sp_connection *self)
{
    struct sp_greeting greeting;

    self->state = CONNECTION_GREETING;
    sp_timer_start(&self->timer, sp_deadline_after_ms(framing_of(self)->greeting_limit_ms));
    if (framing_of(self)->greet == NULL)
        return 0;
    greeting.endpoint = self->endpoint;
    greeting.reply_bytes = 0;
    framing_of(self)->greet(session_of(self), &greeting);
    return connection_say(self, &greeting);
}

static const struct nn_pipe_operations pipe_operations = {
    .send = sp_connection_send,
    .receive = sp_connection_receive,
    .flush = sp_connection_flush,
    .close = sp_connection_close,
    .addresses = sp_connection_addresses,
};

/* Sending may have failed in the greeting, or the host may have ended it. */
static void connection_begin_sending(struct sp_connection *self)
{
    if (!self->is_send_broken) {
        sp_pipe_set_writable(self->pipe);
        return;
    }
    sp_pipe_end_sending(self->pipe);
    if (!self->is_hosted)
        sp_connection_limit(self);
}

static void connection_admit(struct sp_connection *self, int peer_id, size_t taken_bytes)
{
    size_t rest = self->greeting_bytes - taken_bytes;
    int error = -EPROTO;

    self->peer_id = peer_id;
    sp_connection_learn(self, self->ends);
    if (rest > 0 && sp_receive_buffer_start(&self->received, self->greeting + taken_bytes, rest) < 0)
        error = -ENOMEM;
    else if (peer_id == self->socket->protocol->peer_id)
        self->pipe = sp_pipe_open(self->endpoint, &pipe_operations, self, &self->ends, &error);
    if (self->pipe == NULL) {
        sp_connection_end(self, error);
        return;
    }
    self->pipe->tell = sp_connection_tell;
    sp_pipe_set_exit(self->pipe, &sp_connection_exit);
    sp_connection_set_queue_limit(self);
    sp_timer_stop(&self->timer);
    sp_list_remove(&self->item);
    sp_free(self->greeting);
    self->greeting = NULL;
    self->state = CONNECTION_OPEN;
    if (self->socket->options.tls_peer_certificate && self->stream.filter != NULL)
        self->certificate = self->stream.filter->ops->certificate(self->stream.filter);
    self->has_credentials = sp_descriptor_credentials(self->watch.fd, &self->credentials);
    if (self->owner->admitted != NULL)
        self->owner->admitted(self->owner);
    sp_connection_allow_direct_poll(self);
    connection_begin_sending(self);
    if (self->stream.filter != NULL)
        sp_connection_watch_unsent(self); /* it may have answered while the greeting was read */
    if (rest > 0)
        sp_connection_deliver(self);
    else
        sp_connection_watch_filter(self);
}

/* The peer was told why; it shall be able to read that before the end. */
static void connection_turn_away(struct sp_connection *self, int error)
{
    sp_stream_shutdown_write(&self->stream);
    sp_stream_drain(&self->stream);
    sp_connection_end(self, error);
}

static void connection_hand_over(struct sp_connection *self)
{
    struct sp_stream stream = self->stream;

    sp_list_remove(&self->item);
    sp_timer_stop(&self->timer);
    sp_watch_want(&self->watch, 0);
    self->watch.fd = -1;
    self->stream = (struct sp_stream){.fd = -1};
    self->owner->hand_over(self->owner, &stream, self->greeting, self->greeting_bytes);
    sp_connection_release(self);
}

static void connection_note(struct sp_peer_info *ends, const struct sp_greeting *greeting)
{
    if (greeting->peer_headers != NULL)
        sp_peer_info_note_chunk(ends, NN_PEER_HEADERS, greeting->peer_headers);
    if (greeting->problem != NULL)
        sp_peer_info_note(ends, NN_PEER_PROBLEM, greeting->problem, greeting->problem_bytes);
}

/* A descriptor that can be written to lets the next turn go on with what the filter holds; the timer is in use. */
static void greeting_watch_filter(struct sp_connection *self)
{
    const struct sp_filter *filter = self->stream.filter;

    if (filter == NULL)
        return;
    bool is_choked = sp_filter_is_choked(filter);
    bool goes_on = filter->unsent_bytes > 0 || filter->has_input || self->queue.count > 0;

    want(self, (is_choked ? 0 : SP_READABLE) | (goes_on ? SP_WRITABLE : 0));
}

void sp_connection_answer(struct sp_connection *self)
{
    struct sp_greeting greeting;

    greeting.endpoint = self->endpoint;
    greeting.received = self->greeting;
    greeting.received_bytes = self->greeting_bytes;
    greeting.taken_bytes = 0;
    greeting.reply_bytes = 0;
    greeting.peer_headers = NULL;
    greeting.problem = NULL;
    int peer_id = framing_of(self)->answer(session_of(self), &greeting);
    if (self->ends != NULL)
        connection_note(self->ends, &greeting);
    int rc = connection_say(self, &greeting);

    if (peer_id == -EXDEV)
        connection_hand_over(self);
    else if (rc < 0)
        sp_connection_end(self, rc);
    else if (peer_id < 0)
        connection_turn_away(self, peer_id);
    else if (peer_id > 0)
        connection_admit(self, peer_id, greeting.taken_bytes);
    else
        greeting_watch_filter(self);
}

void sp_connection_read_greeting(struct sp_connection *self)
{
    struct iovec vector = {.iov_base = self->greeting + self->greeting_bytes,
                           .iov_len = framing_of(self)->greeting_limit_bytes - self->greeting_bytes};
    ssize_t count = sp_stream_read(&self->stream, &vector, 1);

    if (count == -EAGAIN) {
        greeting_watch_filter(self);
        return;
    }
    if (count <= 0) {
        sp_connection_end(self, count < 0 ? (int)count : -ECONNRESET);
        return;
    }
    self->greeting_bytes += (size_t)count;
    sp_connection_answer(self);
}

/* Goes on until the filter has agreed with the peer's and everything it says is sent; then we greet. */
void sp_connection_secure(struct sp_connection *self)
{
    struct sp_filter *filter = self->stream.filter;
    int rc = filter->ops->flush(filter);

    if (rc == 0)
        rc = filter->ops->shake_hands(filter);
    if (rc < 0) {
        connection_turn_away(self, rc);
        return;
    }
    greeting_watch_filter(self);
    if (rc == 0 || filter->unsent_bytes > 0)
        return;
    if ((rc = sp_connection_greet(self)) < 0)
        sp_connection_end(self, rc);
    else
        sp_connection_read_greeting(self); /* the filter may hold it already */
}
