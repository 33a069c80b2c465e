/* Adaptive spinning: reads a condition for a few microseconds before the thread sleeps. To fall asleep and to be woken
 * costs two threads that answer each other some 10 us each way; a thread that spins answers in less than one. */
#ifndef SP_UTIL_ADAPTIVE_SPIN_H
#define SP_UTIL_ADAPTIVE_SPIN_H

#include "platform/clock.h"

#include <stdbool.h>

/* One thread's, which adapts to what succeeds. */
struct sp_adaptive_spin {
    unsigned budget;   /* gained by spins that succeed, spent by those that fail */
    unsigned skips;    /* waits without a spin, since the last one */
    unsigned attempts; /* spins without a budget */
    bool is_useless;   /* the thread may run on one processor only: nothing changes while it spins */
};

/* For the calling thread. */
void sp_adaptive_spin_init(struct sp_adaptive_spin *self);

/* Spins until has_come() returns true, the limit has passed or the deadline has; or not at all, when that has not paid
 * lately. */
void sp_adaptive_spin_run(struct sp_adaptive_spin *self, sp_time_ns deadline_ns, bool (*has_come)(const void *context),
                          const void *context);

#endif
