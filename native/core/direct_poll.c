/* Hands the descriptor of a socket's only peer to a blocked call and back to the loop. */
#include "core/direct_poll.h"

#include "core/pipe.h"
#include "core/socket_state.h"
#include "platform/descriptor.h"
#include "util/parker.h"

/* How long a descriptor stays out of the loop after its last direct poll. */
#define REATTACH_DELAY_NS ((sp_time_ns)2 * SP_NS_PER_MS)

/* That of the socket's only peer, or NULL. */
static struct sp_direct_poll *direct_poll_of(const struct sp_socket *socket)
{
    struct sp_list_item *first = sp_list_first(&socket->pipes);

    if (first == NULL || sp_list_next(&socket->pipes, first) != NULL)
        return NULL;
    return SP_CONTAINER(first, struct nn_pipe, item)->direct_poll;
}

void sp_direct_poll_begin(struct sp_socket *socket, struct sp_direct_poller *poller)
{
    struct sp_direct_poll *self = direct_poll_of(socket);

    if (socket->direct_poller != NULL)
        return;
    bool needs_loop = socket->loop->is_hosted || socket->receive_fd.event.fd >= 0;
    if (self == NULL || self != socket->direct_poll || needs_loop)
        sp_direct_poll_reattach(socket);
    if (self == NULL || needs_loop || !sp_parker_can_sleep_beside(poller->parker))
        return;
    if (sp_watch_want(self->watch, self->watch->wanted & ~SP_READABLE) < 0)
        return;
    socket->direct_poll = self;
    socket->direct_poller = poller;
    poller->fd = self->watch->fd;
}

void sp_direct_poll_finish(struct sp_socket *socket, struct sp_direct_poller *poller)
{
    struct sp_direct_poll *self = socket->direct_poll;

    if (poller->must_close)
        sp_fd_close(poller->fd);
    if (self == NULL || socket->direct_poller != poller)
        return;
    socket->direct_poller = NULL;
    socket->direct_released_ns = sp_now_ns();
    if (poller->is_ready)
        self->read(self);
    if (socket->direct_poll != self)
        return; /* that was its end */
    if (!sp_list_is_empty(&socket->waits))
        sp_direct_poll_reattach(socket);
    else if (!self->timer->is_active)
        sp_timer_start(self->timer, socket->direct_released_ns + REATTACH_DELAY_NS);
}

void sp_direct_poll_reattach(struct sp_socket *socket)
{
    struct sp_direct_poll *self = socket->direct_poll;

    if (self == NULL || socket->direct_poller != NULL)
        return;
    socket->direct_poll = NULL;
    sp_watch_want(self->watch, self->watch->wanted | SP_READABLE);
}

void sp_direct_poll_expire(struct sp_socket *socket)
{
    struct sp_direct_poll *self = socket->direct_poll;

    if (self == NULL || socket->direct_poller != NULL)
        return;
    if (sp_now_ns() - socket->direct_released_ns < REATTACH_DELAY_NS)
        sp_timer_start(self->timer, socket->direct_released_ns + REATTACH_DELAY_NS);
    else
        sp_direct_poll_reattach(socket);
}

void sp_direct_poll_interrupt(struct sp_socket *socket, struct sp_direct_poll *self)
{
    if (socket->direct_poll != self)
        return;
    if (socket->direct_poller != NULL)
        sp_parker_wake(socket->direct_poller->parker);
    else
        socket->direct_poll = NULL;
}

bool sp_direct_poll_drop(struct sp_socket *socket, struct sp_direct_poll *self)
{
    if (socket->direct_poll != self)
        return false;
    socket->direct_poll = NULL;
    if (socket->direct_poller == NULL)
        return false;
    socket->direct_poller->must_close = true;
    sp_parker_wake(socket->direct_poller->parker);
    socket->direct_poller = NULL;
    return true;
}
