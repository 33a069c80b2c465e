/* NN_RCVFD and NN_SNDFD: level-triggered, changed only when the state does. */
#include "core/event_fd.h"

int sp_event_fd_demand(struct sp_event_fd *self, bool is_ready)
{
    if (self->event.fd < 0) {
        int rc = sp_event_open(&self->event, is_ready);
        if (rc < 0)
            return rc;
        self->is_signalled = is_ready;
    }
    return self->event.fd;
}

void sp_event_fd_set(struct sp_event_fd *self, bool is_ready)
{
    if (self->event.fd < 0 || self->is_signalled == is_ready)
        return;
    if (is_ready)
        sp_event_signal(&self->event);
    else
        sp_event_clear(&self->event);
    self->is_signalled = is_ready;
}

void sp_event_fd_close(struct sp_event_fd *self)
{
    sp_event_close(&self->event);
    sp_event_fd_init(self);
}
