/* The beginning of a connection: its memory, its watch and its deadlines, its filter. */
#include "streams/connection.h"

#include "streams/connection_events.h"
#include "streams/connection_handshake.h"
#include "streams/connection_held.h"
#include "streams/connection_state.h"
#include "streams/descriptor.h"
#include "streams/stream_peer_info.h"

#include <errno.h>
#include <string.h>

/* How long a peer may take until its stream is secure. */
#define SECURING_LIMIT_MS 3000

static void connection_give_way(struct sp_limits_handshake *limits)
{
    struct sp_connection *self = SP_CONTAINER(limits, struct sp_connection_handshake, limits)->connection;

    sp_connection_note_problem(self, "its handshake has given way to newer ones");
    sp_connection_end(self, -EMLINK);
}

/* Counts a connection that a peer has made, unless it is one too many, or may be another socket's. */
static int connection_enter(struct sp_connection *self, const struct sp_socket_address *peer, const char **problem)
{
    int rc = 0;

    if (!self->endpoint->is_bound)
        return 0;
    if (!framing_of(self)->server_waits_for_peer)
        rc = sp_connection_count(self, peer, problem);
    self->handshake->limits.give_way = connection_give_way;
    if (rc == 0)
        sp_limits_begin(self->endpoint, &self->handshake->limits);
    return rc;
}

/* Takes the stream, and closes it on failure. */
static int connection_open(struct sp_connection_owner *owner, struct sp_stream *stream,
                           const struct sp_socket_address *peer, struct sp_connection **opened)
{
    struct sp_loop *loop = &owner->endpoint->socket->loop->base;
    struct sp_connection *self = NULL;
    const char *problem = NULL;
    int rc = -EBUSY;

    if (!owner->framing->server_waits_for_peer && sp_socket_is_full(owner->endpoint->socket))
        goto fail;
    rc = -ENOMEM;
    self = sp_connection_create(owner);
    if (self == NULL)
        goto fail;
    sp_watch_init(&self->watch, loop, stream->fd, sp_connection_handle);
    if ((rc = sp_timer_init(&self->timer, loop, sp_connection_handle_deadline)) < 0)
        goto fail;
    if ((rc = sp_timer_init(&self->limit, loop, sp_connection_handle_limit)) < 0)
        goto fail;
    if ((rc = connection_enter(self, peer, &problem)) < 0)
        goto fail;
    if ((rc = sp_stream_want(stream, &self->watch, SP_READABLE)) < 0)
        goto fail;
    self->stream = *stream;
    self->is_hosted = sp_stream_is_hosted(stream);
    self->endpoint->users++;
    sp_list_append(&owner->handshaking, &self->handshake->item);
    sp_connection_remember_peer(self);
    *opened = self;
    return 0;

fail:
    if (self != NULL) {
        sp_limits_end(owner->endpoint, &self->handshake->limits);
        sp_limits_leave(owner->endpoint, &self->place);
        sp_connection_free(self);
    }
    sp_stream_rejected(owner->endpoint, stream->fd, 0, rc, problem);
    sp_stream_close(stream);
    return rc;
}

/* The stream is as it shall be. */
static int connection_begin(struct sp_connection *self)
{
    int rc = sp_connection_begin_handshake(self);

    if (rc < 0) {
        sp_connection_report_rejected(self, rc);
        sp_connection_close_stream(self);
        sp_connection_release(self);
    }
    return rc;
}

int sp_connection_open_hosted(struct sp_connection_owner *owner, struct sp_stream *stream,
                              struct sp_connection **opened)
{
    int rc = connection_open(owner, stream, NULL, opened);

    return rc < 0 ? rc : connection_begin(*opened);
}

int sp_connection_open_handed_over(struct sp_connection_owner *owner, struct sp_stream *stream,
                                   const uint8_t *handshake, size_t handshake_bytes)
{
    struct sp_connection *self;
    int rc = connection_open(owner, stream, NULL, &self);

    if (rc < 0 || (rc = connection_begin(self)) < 0)
        return rc;
    memcpy(self->handshake->received, handshake, handshake_bytes);
    self->handshake->received_bytes = handshake_bytes;
    sp_connection_answer(self);
    return 0;
}

int sp_connection_open(struct sp_connection_owner *owner, int fd, const struct sp_socket_address *peer)
{
    struct sp_filter_source *filters = owner->filters;
    struct sp_stream stream = {.fd = fd};
    struct sp_connection *self;

    if (filters != NULL)
        stream.ops = &sp_filtered_stream;
    if (filters != NULL && (stream.filter = filters->open(filters, fd)) == NULL) {
        sp_stream_rejected(owner->endpoint, fd, 0, -ENOMEM, NULL);
        sp_descriptor_close(fd);
        return -ENOMEM;
    }
    int rc = connection_open(owner, &stream, peer, &self);
    if (rc < 0 || filters == NULL)
        return rc < 0 ? rc : connection_begin(self);
    sp_timer_start(&self->timer, sp_deadline_after_ms(SECURING_LIMIT_MS));
    sp_connection_secure(self);
    return 0;
}
