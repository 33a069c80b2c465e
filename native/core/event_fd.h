/* NN_RCVFD and NN_SNDFD: a descriptor that poll(2) finds readable while a socket is. Created on first
 * use: programs without it pay nothing. */
#ifndef SP_CORE_EVENT_FD_H
#define SP_CORE_EVENT_FD_H

#include "platform/event.h"

#include <stdbool.h>

struct sp_event_fd {
    struct sp_event event; /* closed: the program has not asked for it */
    bool is_signalled;
};

static inline void sp_event_fd_init(struct sp_event_fd *self)
{
    self->event = (struct sp_event)SP_EVENT_CLOSED;
    self->is_signalled = false;
}

/* The descriptor, made when there is none yet. Returns it or -errno. */
int sp_event_fd_demand(struct sp_event_fd *self, bool is_ready);
void sp_event_fd_set(struct sp_event_fd *self, bool is_ready);
void sp_event_fd_close(struct sp_event_fd *self);

#endif
