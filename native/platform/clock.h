/* Time: nanoseconds of the monotonic clock. */
#ifndef SP_PLATFORM_CLOCK_H
#define SP_PLATFORM_CLOCK_H

#include <stdint.h>

typedef uint64_t sp_time_ns;

#define SP_FOREVER UINT64_MAX
#define SP_NS_PER_MS 1000000u

/* sp_now_ns(): the time; sp_pause_1_ms(): sleeps for that time at least, where nothing tells when to look again. */
#include "clock_inline.h" /* of the platform that is built for */

/* The instant delay_ms from now; negative delays never come. */
static inline sp_time_ns sp_deadline_after_ms(int delay_ms)
{
    return delay_ms < 0 ? SP_FOREVER : sp_now_ns() + (sp_time_ns)delay_ms * SP_NS_PER_MS;
}

#endif
