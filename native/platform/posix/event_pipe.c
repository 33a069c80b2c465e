/* pipe(2), for systems without a descriptor that counts: `fd` is read, `own` is written to. */
#include "platform/event.h"

#include "platform/descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* Returns 0 or -errno. */
static int prepare(int fd)
{
    return fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 || fcntl(fd, F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
}

int sp_event_open(struct sp_event *self, bool is_signalled)
{
    int ends[2];

    if (pipe(ends) < 0)
        return -errno;
    self->fd = sp_fd_opened(ends[0]);
    self->own = sp_fd_opened(ends[1]);
    int rc = prepare(self->fd);
    if (rc == 0)
        rc = prepare(self->own);
#ifdef F_SETNOSIGPIPE
    fcntl(self->own, F_SETNOSIGPIPE, 1); /* the program can close what it was given */
#endif
    if (rc < 0)
        sp_event_close(self);
    else if (is_signalled)
        sp_event_signal(self);
    return rc;
}

void sp_event_close(struct sp_event *self)
{
    if (self->fd >= 0) {
        sp_fd_close(self->fd);
        sp_fd_close(self->own);
    }
    self->fd = -1;
    self->own = -1;
}

/* A pipe that is full can be read, which is all that is asked. */
void sp_event_signal(const struct sp_event *self)
{
    char byte = 0;

    while (write(self->own, &byte, sizeof byte) < 0 && errno == EINTR) {
    }
}

void sp_event_clear(const struct sp_event *self)
{
    char bytes[64];
    ssize_t count;

    do {
        count = read(self->fd, bytes, sizeof bytes);
    } while (count == (ssize_t)sizeof bytes || (count < 0 && errno == EINTR));
}
