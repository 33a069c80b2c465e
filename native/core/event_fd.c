/* NN_RCVFD and NN_SNDFD as eventfd(2): level-triggered, changed only when the state does. */
#include "core/event_fd.h"

#include "util/fork.h"

#include <errno.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

int sp_event_fd_demand(struct sp_event_fd *self, bool is_ready)
{
    if (self->fd < 0) {
        self->fd = sp_fd_opened(eventfd(is_ready ? 1 : 0, EFD_CLOEXEC | EFD_NONBLOCK));
        self->is_signalled = is_ready;
    }
    return self->fd < 0 ? -errno : self->fd;
}

void sp_event_fd_set(struct sp_event_fd *self, bool is_ready)
{
    uint64_t count = 1;
    ssize_t rc;

    if (self->fd < 0 || self->is_signalled == is_ready)
        return;
    do {
        rc = is_ready ? write(self->fd, &count, sizeof count) : read(self->fd, &count, sizeof count);
    } while (rc < 0 && errno == EINTR);
    self->is_signalled = is_ready;
}

void sp_event_fd_close(struct sp_event_fd *self)
{
    if (self->fd >= 0)
        sp_fd_close(self->fd);
    sp_event_fd_init(self);
}
