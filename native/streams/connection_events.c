/* What a connection does when its descriptor is ready or its deadline has passed. */
#include "streams/connection_events.h"

#include "streams/connection_admission.h"
#include "streams/connection_closing.h"
#include "streams/connection_handshake.h"
#include "streams/connection_receiving.h"
#include "streams/connection_sending.h"

#include <errno.h>

void sp_connection_writable(struct sp_connection *self)
{
    if (self->state == CONNECTION_SECURING) {
        sp_connection_secure(self);
        return;
    }
    bool is_written = sp_connection_write(self);
    sp_connection_unchoke(self);
    if (self->state == CONNECTION_HANDSHAKING) {
        if (is_written)
            want(self, self->watch.wanted & ~SP_WRITABLE);
        sp_connection_read_handshake(self);
        return;
    }
    if (!is_written) {
        if (self->state == CONNECTION_LINGERING && self->is_send_broken)
            sp_connection_end_lingering(self);
        else if (self->state == CONNECTION_OPEN && !self->is_send_broken && sp_connection_has_room_again(self))
            sp_pipe_set_writable(self->pipe);
        return;
    }
    want(self, self->watch.wanted & ~SP_WRITABLE);
    sp_connection_queue_control(self);
    if (self->queue.count > 0 && !sp_connection_write(self))
        return;
    if (self->state == CONNECTION_LINGERING) {
        sp_connection_linger_written(self);
    } else if (self->pipe != NULL && !self->is_send_broken) {
        sp_pipe_set_writable(self->pipe);
    }
}

void sp_connection_readable(struct sp_connection *self, unsigned ready)
{
    char unwanted[4 * 1024];
    ssize_t count;

    switch (self->state) {
    case CONNECTION_SECURING:
        sp_connection_secure(self);
        break;
    case CONNECTION_HANDSHAKING:
        sp_connection_read_handshake(self);
        break;
    case CONNECTION_HELD:
        sp_connection_candidate_ready(self, ready);
        break;
    case CONNECTION_OPEN:
        sp_connection_read(self, ready);
        break;
    case CONNECTION_LINGERING:
        count = sp_io_receive(self->stream.fd, unwanted, sizeof unwanted);
        if (count == 0 || (count < 0 && count != -EAGAIN))
            sp_connection_end_lingering(self);
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

void sp_connection_handle(struct sp_watch *watch, unsigned ready)
{
    struct sp_connection *self = SP_CONTAINER(watch, struct sp_connection, watch);
    struct sp_socket *socket = self->socket;

    sp_socket_lock(socket);
    if (is_alive(self) && (ready & SP_WRITABLE) && (watch->wanted & SP_WRITABLE))
        sp_connection_writable(self);
    if (is_alive(self) && (ready & (SP_READABLE | SP_HANGUP | SP_FINISHED)))
        sp_connection_readable(self, ready);
    sp_socket_unlock(socket);
}

/* What the peer has said by now counts: the program may have stood still, and the peer may have admitted us and sent
 * messages meanwhile, which would be lost. */
static void connection_expire_handshake(struct sp_connection *self)
{
    enum connection_state state = self->state;

    sp_connection_readable(self, 0);
    if (self->state == state && !self->timer.is_active)
        sp_connection_end(self, -ETIMEDOUT);
}

void sp_connection_handle_deadline(struct sp_timer *timer)
{
    struct sp_connection *self = SP_CONTAINER(timer, struct sp_connection, timer);
    struct sp_socket *socket = self->socket;

    sp_socket_lock(socket);
    if (sp_timer_is_due(timer)) {
        if (self->state == CONNECTION_SECURING || self->state == CONNECTION_HANDSHAKING)
            connection_expire_handshake(self);
        else if (self->state == CONNECTION_HELD)
            sp_connection_candidate_expired(self);
        else if (self->state == CONNECTION_OPEN && self->stream.filter == NULL)
            sp_direct_poll_expire(socket);
        else if (self->state == CONNECTION_OPEN)
            sp_connection_read(self, 0);
        else if (self->state == CONNECTION_LINGERING)
            sp_connection_end_lingering(self);
    }
    sp_socket_unlock(socket);
}
