/* A connection before it has a pipe: agreeing on a filter, handshake, being admitted, turned away or handed over. */
#include "streams/connection_handshake.h"

#include "streams/connection_admission.h"
#include "streams/connection_closing.h"
#include "streams/connection_held.h"
#include "streams/connection_receiving.h"
#include "streams/connection_sending.h"
#include "streams/descriptor.h"

#include <errno.h>

/* Sends our part of the handshake. What the stream does not take at once is queued. */
static int connection_say(struct sp_connection *self, const struct sp_handshake *handshake)
{
    struct iovec vector = sp_vector_of(handshake->reply, handshake->reply_bytes);
    struct nn_message nothing;

    if (handshake->reply_bytes == 0)
        return 0;
    ssize_t taken = sp_send_vectors(self, &vector, 1);
    if (taken < 0 || (size_t)taken == handshake->reply_bytes)
        return taken < 0 ? (int)taken : 0;
    nn_message_init(&nothing);
    int rc = sp_send_queue_add(&self->queue, handshake->reply + taken, handshake->reply_bytes - (size_t)taken, &nothing,
                               &self->socket->spare_buffer);
    if (rc == 0)
        want(self, self->watch.wanted | SP_WRITABLE);
    return rc;
}

static int connection_say_first(struct sp_connection *self)
{
    struct sp_handshake handshake;

    if (framing_of(self)->begin == NULL)
        return 0;
    handshake.endpoint = self->endpoint;
    handshake.reply_bytes = 0;
    framing_of(self)->begin(session_of(self), &handshake);
    return connection_say(self, &handshake);
}

/* A peer that the program decides about is told nothing before. */
int sp_connection_begin_handshake(struct sp_connection *self)
{
    self->state = CONNECTION_HANDSHAKING;
    sp_timer_start(&self->timer, sp_deadline_after_ms(framing_of(self)->handshake_limit_ms));
    return sp_connection_asks(self) ? 0 : connection_say_first(self);
}

static const struct nn_pipe_operations pipe_operations = {
    .send = sp_connection_send,
    .receive = sp_connection_receive,
    .flush = sp_connection_flush,
    .close = sp_connection_close,
    .addresses = sp_connection_addresses,
};

static const struct sp_pipe_stream pipe_stream = {
    .describe_peer = sp_connection_describe_peer,
    .finish = sp_connection_finish,
};

/* Sending may have failed in the handshake, or the host may have ended it. */
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

/* Counts the connection where it is known only now whose it is. Returns 0 or -errno. */
static int connection_count_late(struct sp_connection *self)
{
    struct sp_socket_address peer;
    const char *problem = NULL;

    if (!self->endpoint->is_bound || self->place.is_counted)
        return 0;
    sp_descriptor_peer(self->watch.fd, &peer);
    int rc = sp_connection_count(self, &peer, &problem);
    if (problem != NULL)
        sp_connection_note_problem(self, problem);
    return rc;
}

static void connection_admit(struct sp_connection *self, int peer_id, size_t taken_bytes)
{
    struct sp_connection_handshake *handshake = self->handshake;
    size_t rest = handshake->received_bytes - taken_bytes;
    uint32_t id = handshake->candidate.by_id.id; /* 0: it was not held */
    int error = -EPROTO;
    int rc;

    handshake->peer_id = peer_id;
    sp_connection_peer_info(self, handshake->peer_info);
    if (rest > 0 && sp_receive_buffer_start(&self->received, handshake->received + taken_bytes, rest) < 0)
        error = -ENOMEM;
    else if ((rc = connection_count_late(self)) < 0)
        error = rc;
    else if (peer_id == self->socket->protocol->peer_id)
        self->pipe = sp_pipe_open(self->endpoint, &pipe_operations, self, id, &handshake->peer_info, &error);
    if (self->pipe == NULL) {
        sp_connection_end(self, error);
        return;
    }
    self->pipe->stream = &pipe_stream;
    nn_pipe_set_held_bytes(self->pipe, sp_connection_held_bytes, false);
    sp_connection_set_queue_limit(self);
    sp_timer_stop(&self->timer);
    sp_connection_end_handshake(self);
    self->state = CONNECTION_OPEN;
    if (self->socket->options.tls_peer_certificate && self->stream.filter != NULL)
        self->certificate = self->stream.filter->ops->certificate(self->stream.filter);
    self->has_credentials = sp_connection_credentials(self, &self->credentials);
    if (self->owner->admitted != NULL)
        self->owner->admitted(self->owner);
    sp_connection_allow_direct_poll(self);
    connection_begin_sending(self);
    if (self->stream.filter != NULL)
        sp_connection_watch_unsent(self); /* it may have answered while the handshake was read */
    if (rest > 0)
        sp_connection_deliver(self);
    else
        sp_connection_watch_filter(self);
}

/* The peer was sent the reason, which it must be able to read before the end. */
static void connection_turn_away(struct sp_connection *self, int error)
{
    sp_stream_shutdown_write(&self->stream);
    sp_stream_drain(&self->stream);
    sp_connection_end(self, error);
}

static void connection_hand_over(struct sp_connection *self)
{
    struct sp_stream stream = self->stream;

    sp_list_remove(&self->handshake->item);
    sp_limits_end(self->endpoint, &self->handshake->limits);
    sp_limits_leave(self->endpoint, &self->place);
    sp_timer_stop(&self->timer);
    sp_watch_want(&self->watch, 0);
    self->watch.fd = -1;
    self->stream = (struct sp_stream){.fd = -1};
    self->owner->hand_over(self->owner, &stream, self->handshake->received, self->handshake->received_bytes);
    sp_connection_release(self);
}

/* The peer is told so where its protocol can. */
static void connection_refuse_candidate(struct sp_connection *self)
{
    struct sp_handshake handshake;

    handshake.endpoint = self->endpoint;
    handshake.reply_bytes = 0;
    if (framing_of(self)->refuse != NULL)
        framing_of(self)->refuse(session_of(self), &handshake);
    connection_say(self, &handshake); /* if it can be: the connection ends in any case */
    connection_turn_away(self, -EPERM);
}

static void candidate_decided(struct sp_candidate *candidate, const char *refusal)
{
    struct sp_connection *self = SP_CONTAINER(candidate, struct sp_connection_handshake, candidate)->connection;

    self->state = CONNECTION_HANDSHAKING;
    if (refusal == NULL) {
        self->handshake->is_welcome = true;
        want(self, SP_READABLE);
        sp_connection_answer(self); /* again: it may find that the place is taken by now */
    } else {
        sp_connection_note_problem(self, refusal);
        connection_refuse_candidate(self);
    }
}

/* Whether the program decides about the peer now. What is wrong anyway ends without it. */
static bool connection_waits_for_program(struct sp_connection *self, int peer_id)
{
    if (self->handshake->is_welcome || !sp_connection_asks(self) || peer_id != self->socket->protocol->peer_id)
        return false;
    self->handshake->peer_id = peer_id;
    int rc = connection_count_late(self);
    if (rc < 0)
        sp_connection_end(self, rc);
    else
        sp_connection_hold_candidate(self, candidate_decided);
    return true;
}

static void connection_note(struct sp_peer_info *info, const struct sp_handshake *handshake)
{
    if (handshake->peer_headers != NULL)
        sp_peer_info_note_chunk(info, NN_PEER_HEADERS, handshake->peer_headers);
    if (handshake->problem != NULL)
        sp_peer_info_note(info, NN_PEER_PROBLEM, handshake->problem, handshake->problem_bytes);
}

/* A descriptor that can be written to lets the next turn go on with what the filter holds; the timer is in use. */
static void handshake_watch_filter(struct sp_connection *self)
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
    struct sp_handshake handshake;

    handshake.endpoint = self->endpoint;
    handshake.received = self->handshake->received;
    handshake.received_bytes = self->handshake->received_bytes;
    handshake.taken_bytes = 0;
    handshake.reply_bytes = 0;
    handshake.peer_headers = NULL;
    handshake.problem = NULL;
    int peer_id = framing_of(self)->answer(session_of(self), &handshake);
    if (handshake.problem != NULL)
        sp_connection_remember_server(self);
    if (self->handshake->peer_info != NULL)
        connection_note(self->handshake->peer_info, &handshake);
    if (peer_id > 0 && connection_waits_for_program(self, peer_id))
        return;
    int rc = peer_id > 0 && sp_connection_asks(self) ? connection_say_first(self) : 0;
    if (rc == 0)
        rc = connection_say(self, &handshake);

    if (peer_id == -EXDEV)
        connection_hand_over(self);
    else if (rc < 0)
        sp_connection_end(self, rc);
    else if (peer_id < 0)
        connection_turn_away(self, peer_id);
    else if (peer_id > 0)
        connection_admit(self, peer_id, handshake.taken_bytes);
    else
        handshake_watch_filter(self);
}

void sp_connection_read_handshake(struct sp_connection *self)
{
    struct sp_connection_handshake *handshake = self->handshake;
    struct iovec vector = {.iov_base = handshake->received + handshake->received_bytes,
                           .iov_len = framing_of(self)->handshake_limit_bytes - handshake->received_bytes};
    ssize_t count = sp_stream_read(&self->stream, &vector, 1);

    if (count == -EAGAIN) {
        handshake_watch_filter(self);
        return;
    }
    if (count <= 0) {
        sp_connection_end(self, count < 0 ? (int)count : -ECONNRESET);
        return;
    }
    handshake->received_bytes += (size_t)count;
    sp_connection_answer(self);
}

/* Goes on until the filter has agreed with the peer's and everything it says is sent; then the handshake of SP
 * begins. */
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
    handshake_watch_filter(self);
    if (rc == 0 || filter->unsent_bytes > 0)
        return;
    if ((rc = sp_connection_begin_handshake(self)) < 0)
        sp_connection_end(self, rc);
    else
        sp_connection_read_handshake(self); /* the filter may hold it already */
}
