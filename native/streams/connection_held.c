/* A connection that is not read, since its messages wait for the user: what happens when its peer finishes, dies, or
 * cannot be sent to. Messages that have come are delivered whenever the user asks for them; the connection itself
 * ends. */
#include "streams/connection_held.h"

#include "core/waiting_reads.h"

#include <errno.h>

/* A peer that has finished, and waits for answers to what it has said, gets them as long as its messages are taken, or
 * it takes what is sent: it may stand still for this long. Likewise one that cannot be sent to any more ends on its own
 * in that time, or is ended. */
#define STANDSTILL_LIMIT_MS 3000
/* What peers that are gone have sent is kept in memory only up to this for a socket, besides the first one's. Beyond,
 * it stays where it is, with the descriptor, until the user has taken some of it: otherwise peers that come, speak and
 * go would fill the memory, since no limit of descriptors stops them. */
#define REMAINS_LIMIT_BYTES ((size_t)16 * 1024 * 1024)
/* A filter may hold this much besides. */
#define FILTER_BYTES ((size_t)64 * 1024)

void sp_connection_limit(struct sp_connection *self)
{
    if (sp_pipe_waits_for_read(self->pipe)) {
        sp_pipe_leave_reads(self->pipe); /* a limit counts from what is read */
        want(self, (self->watch.wanted & SP_WRITABLE) | SP_READABLE);
    }
    self->has_progressed = false;
    sp_timer_start(&self->limit, sp_deadline_after_ms(STANDSTILL_LIMIT_MS));
}

/* Ends the connection. What the kernel holds of it is read before; messages wait in memory then. */
static void connection_give_up(struct sp_connection *self)
{
    struct sp_socket *socket = self->socket;
    size_t limit_bytes = sp_remains_held_bytes(&self->stream) + FILTER_BYTES;
    size_t kept_bytes = sp_connection_kept_bytes(self);

    if (!self->pipe->can_receive) {
        sp_connection_end(self, -ETIMEDOUT); /* all has been read, but for the rest of a message */
        return;
    }
    if (socket->remains_bytes > 0 &&
        socket->remains_bytes + kept_bytes + limit_bytes > REMAINS_LIMIT_BYTES + FILTER_BYTES) {
        sp_connection_limit(self);
        return;
    }
    int error = sp_remains_gather(&self->remains, &self->stream, limit_bytes);
    sp_connection_end(self, error == 0 ? -ESHUTDOWN : error == -EAGAIN ? -ETIMEDOUT : error);
}

void sp_connection_hold(struct sp_connection *self, unsigned ready)
{
    unsigned wanted = self->watch.wanted & SP_WRITABLE;

    if (ready & SP_HANGUP) {
        want(self, 0); /* the poller would report it again and again */
        connection_give_up(self);
    } else if (ready & SP_FINISHED) {
        want(self, wanted | SP_HANGUP);
        if (self->socket->protocol->flags & NN_PROTOCOL_SENDS)
            sp_connection_limit(self);
        else
            connection_give_up(self); /* it waits for nothing */
    } else {
        want(self, wanted | SP_HANGUP | SP_FINISHED);
    }
}

void sp_connection_handle_limit(struct sp_timer *timer)
{
    struct sp_connection *self = SP_CONTAINER(timer, struct sp_connection, limit);
    struct sp_socket *socket = self->socket;

    sp_socket_lock(socket);
    if (sp_timer_is_due(timer) && self->state == CONNECTION_OPEN) {
        if (self->has_progressed && !self->is_send_broken)
            sp_connection_limit(self);
        else
            connection_give_up(self);
    }
    sp_socket_unlock(socket);
}
