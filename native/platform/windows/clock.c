/* The counter's ticks as nanoseconds. Most processors have 10 MHz, where one division does. */
#include "platform/clock.h"

#include "windows_headers.h"

#include <stdatomic.h>

#define NS_PER_S 1000000000u

static sp_time_ns ticks_per_s(void)
{
    static atomic_ullong known; /* the same for the life of the system; two threads find the same */
    sp_time_ns frequency = atomic_load_explicit(&known, memory_order_relaxed);

    if (frequency == 0) {
        LARGE_INTEGER found;
        QueryPerformanceFrequency(&found);
        frequency = (sp_time_ns)found.QuadPart;
        atomic_store_explicit(&known, frequency, memory_order_relaxed);
    }
    return frequency;
}

sp_time_ns sp_now_ns(void)
{
    sp_time_ns frequency = ticks_per_s();
    LARGE_INTEGER now;

    QueryPerformanceCounter(&now);
    sp_time_ns ticks = (sp_time_ns)now.QuadPart;
    if (NS_PER_S % frequency == 0)
        return ticks * (NS_PER_S / frequency);
    return ticks / frequency * NS_PER_S + ticks % frequency * NS_PER_S / frequency;
}

void sp_pause_1_ms(void)
{
    Sleep(1);
}
