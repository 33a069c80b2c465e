/* The clock that timers of kqueue run by, which the C library reads without a system call: CLOCK_MONOTONIC counts in
 * microseconds here. It stands while the machine sleeps. */
#ifndef SP_PLATFORM_DARWIN_CLOCK_INLINE_H
#define SP_PLATFORM_DARWIN_CLOCK_INLINE_H

#include <stddef.h>
#include <time.h>

static inline sp_time_ns sp_now_ns(void)
{
    return clock_gettime_nsec_np(CLOCK_UPTIME_RAW);
}

static inline void sp_pause_1_ms(void)
{
    struct timespec pause = {0, SP_NS_PER_MS};

    nanosleep(&pause, NULL);
}

#endif
