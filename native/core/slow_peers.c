/* Peers that do not take what is for them. */
#include "core/monitor.h"
#include "core/pipe.h"
#include "core/socket_state.h"

#include <nanomsg/limits.h>

#include <errno.h>

/* A connection that has carried nothing yet is not slow but new: its other end may still be in the making, as over
 * inproc. */
static bool can_be_slow(const struct nn_pipe *pipe)
{
    return !pipe->can_send && !pipe->is_send_closed && !pipe->is_removed && pipe->counts.messages_sent > 0 &&
           !sp_list_is_linked(&pipe->broken_item);
}

void nn_pipe_set_slow(struct nn_pipe *self)
{
    struct sp_socket *socket = self->socket;

    if (self->is_slow || !can_be_slow(self))
        return;
    self->is_slow = true;
    socket->statistics.slow_peers++;
    sp_monitor_slow(self, sp_pipe_queued_bytes(self));
    if (socket->options.on_slow != NN_SLOW_DISCONNECT)
        return;
    socket->statistics.slow_disconnects++;
    sp_pipe_break(self, -ENOBUFS);
}
