/* A connection as a user of the socket's room for unfinished messages. */
#include "streams/connection_room.h"

#include "core/waiting_reads.h"
#include "util/memory.h"

#include <errno.h>

static struct sp_connection *of_share(struct sp_room_share *share)
{
    return SP_CONTAINER(share, struct sp_connection_room, share)->connection;
}

static void room_wait(struct sp_room_share *share)
{
    struct sp_connection *self = of_share(share);

    sp_pipe_leave_reads(self->pipe);
    self->pipe->direct_poll = NULL;
    want(self, (self->watch.wanted & SP_WRITABLE) | SP_HANGUP | SP_FINISHED);
}

static void room_go_on(struct sp_room_share *share)
{
    struct sp_connection *self = of_share(share);
    const struct sp_filter *filter = self->stream.filter;

    if (self->stream.ops == NULL)
        self->pipe->direct_poll = &self->direct_poll;
    if (filter == NULL || !sp_filter_is_choked(filter)) /* or else it goes on when that is over */
        want(self, (self->watch.wanted & SP_WRITABLE) | SP_READABLE);
    if (filter != NULL && filter->has_input)
        sp_timer_start(&self->timer, sp_now_ns());
}

static size_t room_arrived_bytes(const struct sp_room_share *share)
{
    const struct sp_connection *self = SP_CONST_CONTAINER(share, struct sp_connection_room, share)->connection;

    return sp_receive_buffer_arrived_bytes(&self->received) + session_held_bytes(self);
}

static bool room_has_input(const struct sp_room_share *share, size_t bytes)
{
    const struct sp_connection *self = SP_CONST_CONTAINER(share, struct sp_connection_room, share)->connection;
    size_t missing_bytes = sp_receive_buffer_missing_bytes(&self->received);
    /* The kernel counts more than the bytes for its buffer. */
    size_t kept_bytes = (size_t)self->socket->options.receive_buffer_bytes / 4;
    size_t least_bytes = bytes < missing_bytes ? bytes : missing_bytes;

    return sp_stream_has_unread(&self->stream, least_bytes < kept_bytes || kept_bytes == 0 ? least_bytes : kept_bytes);
}

static void room_give_up(struct sp_room_share *share)
{
    sp_connection_end(of_share(share), -ETIMEDOUT);
}

static const struct sp_room_user room_user = {
    .wait = room_wait,
    .go_on = room_go_on,
    .arrived_bytes = room_arrived_bytes,
    .has_input = room_has_input,
    .give_up = room_give_up,
};

void sp_connection_wait_for_room(struct sp_connection *self, unsigned ready)
{
    unsigned wanted = self->watch.wanted & SP_WRITABLE;

    if (!(ready & (SP_HANGUP | SP_FINISHED))) {
        want(self, wanted | SP_HANGUP | SP_FINISHED);
        return;
    }
    want(self, ready & SP_HANGUP ? 0 : wanted); /* the poller would report a hangup again and again */
    sp_room_end_input(self->socket, &self->room->share);
}

/* Returns 0 or -ENOMEM. */
static int make_room_share(struct sp_connection *self)
{
    if (self->room != NULL)
        return 0;
    self->room = sp_zalloc(sizeof *self->room);
    if (self->room == NULL)
        return -ENOMEM;
    self->room->connection = self;
    self->room->share.user = &room_user;
    return 0;
}

int sp_connection_change_room(struct sp_connection *self, bool is_whole)
{
    size_t needed_bytes = sp_receive_buffer_needed_bytes(&self->received) + session_held_bytes(self);

    if (self->state != CONNECTION_OPEN)
        return 0; /* it has left the room */
    if (needed_bytes <= SP_ROOM_FREE_BYTES) {
        leave_room(self);
        return 0;
    }
    if (make_room_share(self) < 0)
        return -ENOMEM;
    if (is_whole)
        sp_room_keep(self->socket, &self->room->share, needed_bytes);
    else
        sp_room_grow(self->socket, &self->room->share, needed_bytes, is_polled_directly(self));
    return 0;
}
