/* What a platform supplies to the loop: readiness of descriptors, one deadline, one wake-up. Level-triggered.
 * Deadline and wake-up stand in the same set as the descriptors, so that one descriptor reports them all. */
#ifndef SP_PLATFORM_POLLER_H
#define SP_PLATFORM_POLLER_H

#include "platform/clock.h"

#include <stdbool.h>

#define SP_READABLE 1u
#define SP_WRITABLE 2u
#define SP_HANGUP 4u   /* error, or both directions closed: reported whether it is asked for or not */
#define SP_FINISHED 8u /* the peer sends nothing more; reported when it is asked for */

struct sp_watch;

struct sp_poller_port;

struct sp_poller {
    int fd;                      /* readable while something is ready: what a host watches; -1: the system has none */
    int own[2];                  /* the platform's */
    struct sp_poller_port *port; /* the platform's, where it needs more */
};

struct sp_poller_event {
    struct sp_watch *watch; /* NULL: see is_deadline, is_wake */
    unsigned ready;
    bool is_deadline;
    bool is_wake;
};

/* Return 0 or -errno. */
int sp_poller_open(struct sp_poller *self);
void sp_poller_close(struct sp_poller *self);

/* Sets what fd is watched for, from `before` to `after`; 0 means not in the set at all, where nothing is reported.
 * Thread-safe. */
int sp_poller_watch(struct sp_poller *self, int fd, struct sp_watch *watch, unsigned before, unsigned after);

/* Waits until something is ready, at most timeout_ms (-1: no limit, 0: not at all). Returns the number of
 * events filled in; 0 also when a signal came. */
int sp_poller_wait(struct sp_poller *self, struct sp_poller_event *events, int count, int timeout_ms);

/* Waits until something is ready, as sp_poller_wait does, and leaves it there. Thread-safe. */
bool sp_poller_is_ready(const struct sp_poller *self, int timeout_ms);

/* Makes the set ready at deadline_ns; SP_FOREVER disarms. Thread-safe. */
void sp_poller_arm(struct sp_poller *self, sp_time_ns deadline_ns);

/* Makes the set ready now, until sp_poller_wait has reported it. Thread-safe. */
void sp_poller_wake(struct sp_poller *self);

#endif
