/* Time: nanoseconds of the monotonic clock. */
#ifndef SP_UTIL_CLOCK_H
#define SP_UTIL_CLOCK_H

#include <stdint.h>
#include <time.h>

typedef uint64_t sp_time_ns;

#define SP_FOREVER UINT64_MAX
#define SP_NS_PER_MS 1000000u

static inline sp_time_ns sp_now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (sp_time_ns)now.tv_sec * 1000000000u + (sp_time_ns)now.tv_nsec;
}

/* The instant delay_ms from now; negative delays never come. */
static inline sp_time_ns sp_deadline_after_ms(int delay_ms)
{
    return delay_ms < 0 ? SP_FOREVER : sp_now_ns() + (sp_time_ns)delay_ms * SP_NS_PER_MS;
}

#endif
