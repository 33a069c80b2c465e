/* Pipes that are read when their turn comes. */
#include "core/waiting_reads.h"

#include "core/direct_poll.h"

/* The unread messages of 16 pipes are enough for a batch of short messages, and stay within the caches. */
#define READ_PIPES 16

#define DEFAULT_PRIORITY 8

void sp_pipe_allow_waiting(struct nn_pipe *self)
{
    self->may_wait_for_read = self->receive_priority == DEFAULT_PRIORITY;
    self->socket->pipes_that_may_wait += self->may_wait_for_read ? 1 : 0;
}

void sp_pipe_end_waiting(struct nn_pipe *self)
{
    sp_pipe_leave_reads(self);
    self->socket->pipes_that_may_wait -= self->may_wait_for_read ? 1 : 0;
    self->may_wait_for_read = false;
}

/* Pipes that cannot wait would have turns more often than those of the line, or take all of them; so would, by standing
 * for readable ones, pipes that the protocol keeps back. */
static bool has_line(const struct sp_socket *self)
{
    return (self->protocol->flags & NN_PROTOCOL_TAKES_TURNS) &&
           self->pipes_that_may_wait == self->statistics.current_connections;
}

bool sp_pipe_wait_read(struct nn_pipe *self)
{
    struct sp_socket *socket = self->socket;

    if (self->direct_poll == NULL || !has_line(socket))
        return false;
    if (socket->readable_pipes <= READ_PIPES && sp_list_is_empty(&socket->waiting_reads))
        return false;
    if (!sp_list_is_linked(&self->read_item))
        sp_list_append(&socket->waiting_reads, &self->read_item);
    return true;
}

bool sp_pipe_waits_for_read(const struct nn_pipe *self)
{
    return sp_list_is_linked(&self->read_item);
}

void sp_pipe_leave_reads(struct nn_pipe *self)
{
    if (sp_list_is_linked(&self->read_item))
        sp_list_remove(&self->read_item);
}

bool sp_socket_has_due_reads(const struct sp_socket *self)
{
    return !sp_list_is_empty(&self->waiting_reads) && self->state == SP_SOCKET_OPEN &&
           (self->readable_pipes < READ_PIPES || !has_line(self));
}

void sp_socket_read_due(struct sp_socket *self)
{
    while (sp_socket_has_due_reads(self)) {
        struct sp_list_item *item = sp_list_pop(&self->waiting_reads);
        struct sp_direct_poll *poll = SP_CONTAINER(item, struct nn_pipe, read_item)->direct_poll;
        poll->read(poll);
    }
}
