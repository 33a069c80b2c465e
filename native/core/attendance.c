/* Who looks after the one descriptor that matters to a call. */
#include "core/attendance.h"

#include "core/pipe.h"
#include "core/socket_state.h"
#include "platform/descriptor.h"
#include "util/waiter.h"

/* So long a descriptor stays out of the loop when nobody attends it. */
#define ABSENCE_NS ((sp_time_ns)2 * SP_NS_PER_MS)

/* That of the socket's only peer, or NULL. */
static struct sp_attendance *attendance_of(const struct sp_socket *socket)
{
    struct sp_list_item *first = sp_list_first(&socket->pipes);

    if (first == NULL || sp_list_next(&socket->pipes, first) != NULL)
        return NULL;
    return SP_CONTAINER(first, struct nn_pipe, item)->attendance;
}

void sp_attendance_begin(struct sp_socket *socket, struct sp_attendant *attendant)
{
    struct sp_attendance *self = attendance_of(socket);

    if (socket->attendance != NULL && socket->attendance->attendant != NULL)
        return;
    bool is_told_otherwise = socket->loop->is_hosted || socket->receive_fd.event.fd >= 0;
    if (self == NULL || self != socket->attendance || is_told_otherwise)
        sp_attendance_return(socket);
    if (self == NULL || is_told_otherwise || !sp_waiter_can_sleep_beside(attendant->waiter))
        return;
    if (sp_watch_want(self->watch, self->watch->wanted & ~SP_READABLE) < 0)
        return;
    socket->attendance = self;
    self->attendant = attendant;
    attendant->fd = self->watch->fd;
}

void sp_attendance_finish(struct sp_socket *socket, struct sp_attendant *attendant)
{
    struct sp_attendance *self = socket->attendance;

    if (attendant->must_close)
        sp_fd_close(attendant->fd);
    if (self == NULL || self->attendant != attendant)
        return;
    self->attendant = NULL;
    self->left_ns = sp_now_ns();
    if (attendant->is_ready)
        self->read(self);
    if (socket->attendance != self)
        return; /* that was its end */
    if (!sp_list_is_empty(&socket->waits))
        sp_attendance_return(socket);
    else if (!self->timer->is_active)
        sp_timer_start(self->timer, self->left_ns + ABSENCE_NS);
}

void sp_attendance_return(struct sp_socket *socket)
{
    struct sp_attendance *self = socket->attendance;

    if (self == NULL || self->attendant != NULL)
        return;
    socket->attendance = NULL;
    sp_watch_want(self->watch, self->watch->wanted | SP_READABLE);
}

void sp_attendance_expire(struct sp_socket *socket)
{
    struct sp_attendance *self = socket->attendance;

    if (self == NULL || self->attendant != NULL)
        return;
    if (sp_now_ns() - self->left_ns < ABSENCE_NS)
        sp_timer_start(self->timer, self->left_ns + ABSENCE_NS);
    else
        sp_attendance_return(socket);
}

void sp_attendance_leave(struct sp_socket *socket, struct sp_attendance *self)
{
    if (socket->attendance != self)
        return;
    if (self->attendant != NULL)
        sp_waiter_wake(self->attendant->waiter);
    else
        socket->attendance = NULL;
}

bool sp_attendance_drop(struct sp_socket *socket, struct sp_attendance *self)
{
    if (socket->attendance != self)
        return false;
    socket->attendance = NULL;
    if (self->attendant == NULL)
        return false;
    self->attendant->must_close = true;
    sp_waiter_wake(self->attendant->waiter);
    self->attendant = NULL;
    return true;
}
