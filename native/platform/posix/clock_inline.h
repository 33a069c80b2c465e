/* clock_gettime(2) and nanosleep(2). */
#ifndef SP_PLATFORM_POSIX_CLOCK_INLINE_H
#define SP_PLATFORM_POSIX_CLOCK_INLINE_H

#include <stddef.h>
#include <time.h>

static inline sp_time_ns sp_now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (sp_time_ns)now.tv_sec * 1000000000u + (sp_time_ns)now.tv_nsec;
}

static inline void sp_pause_1_ms(void)
{
    struct timespec pause = {0, SP_NS_PER_MS};

    nanosleep(&pause, NULL);
}

#endif
