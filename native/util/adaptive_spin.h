/* Adaptive spinning: reads a condition for a few microseconds before the thread sleeps.
 *
 * Gain: REQ to REP over inproc, 64 B, two threads that have a processor each: median round trip 7 us instead of 29, and
 * no context switches instead of 2 (node scripts/bench/mechanisms.mjs adaptive-spin --realtime). A fixed spin of 4 us
 * gains nothing there, since waking a thread takes longer; one of 20 us gains the same, but costs 20 us of CPU time for
 * each wait that it does not shorten. Where other work takes the processors, there is no gain, and no loss. */
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
