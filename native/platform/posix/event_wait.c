/* poll(2). */
#include "platform/event.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>

static int remaining_ms(sp_time_ns deadline_ns)
{
    if (deadline_ns == SP_FOREVER)
        return -1;

    sp_time_ns now_ns = sp_now_ns();
    if (now_ns >= deadline_ns)
        return 0;
    uint64_t left_ms = (deadline_ns - now_ns + SP_NS_PER_MS - 1) / SP_NS_PER_MS;
    return left_ms > INT32_MAX ? INT32_MAX : (int)left_ms;
}

static int poll_until(struct pollfd *polled, nfds_t count, sp_time_ns deadline_ns)
{
    for (;;) {
        int rc = poll(polled, count, remaining_ms(deadline_ns));
        if (rc != 0)
            return rc < 0 ? -errno : 0;
        if (deadline_ns != SP_FOREVER && sp_now_ns() >= deadline_ns)
            return -ETIMEDOUT;
    }
}

int sp_event_wait(const struct sp_event *self, int fd, sp_time_ns deadline_ns, bool *is_signalled, bool *is_readable)
{
    struct pollfd polled[] = {{.fd = fd, .events = POLLIN}, {.fd = self->fd, .events = POLLIN}};
    int rc = poll_until(polled, 2, deadline_ns);

    *is_readable = rc == 0 && polled[0].revents != 0;
    *is_signalled = polled[1].revents != 0;
    return rc;
}
