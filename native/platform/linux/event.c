/* eventfd(2). */
#include "platform/event.h"

#include "platform/descriptor.h"

#include <errno.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

int sp_event_open(struct sp_event *self, bool is_signalled)
{
    self->fd = sp_fd_opened(eventfd(is_signalled ? 1 : 0, EFD_CLOEXEC | EFD_NONBLOCK));
    return self->fd < 0 ? -errno : 0;
}

void sp_event_close(struct sp_event *self)
{
    if (self->fd >= 0)
        sp_fd_close(self->fd);
    self->fd = -1;
}

void sp_event_signal(const struct sp_event *self)
{
    uint64_t one = 1;

    while (write(self->fd, &one, sizeof one) < 0 && errno == EINTR) {
    }
}

void sp_event_clear(const struct sp_event *self)
{
    uint64_t count;

    while (read(self->fd, &count, sizeof count) < 0 && errno == EINTR) {
    }
}
