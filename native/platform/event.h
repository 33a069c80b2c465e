/* Events that wake: a descriptor that poll(2) finds readable from sp_event_signal until sp_event_clear. */
#ifndef SP_PLATFORM_EVENT_H
#define SP_PLATFORM_EVENT_H

#include "platform/clock.h"

#include <stdbool.h>

struct sp_event {
    int fd;  /* to be polled; -1: not open */
    int own; /* the platform's */
};

#define SP_EVENT_CLOSED                                                                                                \
    {                                                                                                                  \
        .fd = -1, .own = -1                                                                                            \
    }

/* Returns 0 or -errno. */
int sp_event_open(struct sp_event *self, bool is_signalled);
void sp_event_close(struct sp_event *self);

/* From any thread. */
void sp_event_signal(const struct sp_event *self);
void sp_event_clear(const struct sp_event *self);

/* Sleeps until the event is signalled, or a socket can be read. Returns 0, -ETIMEDOUT, -EINTR when a signal was
 * handled, or another -errno. */
int sp_event_wait(const struct sp_event *self, int fd, sp_time_ns deadline_ns, bool *is_signalled, bool *is_readable);

#endif
