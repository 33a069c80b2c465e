/* Deadlines as Windows takes them: milliseconds from now, rounded up. */
#ifndef SP_PLATFORM_WINDOWS_DEADLINE_H
#define SP_PLATFORM_WINDOWS_DEADLINE_H

#include "platform/clock.h"
#include "windows_headers.h"

static inline DWORD sp_remaining_ms(sp_time_ns deadline_ns)
{
    if (deadline_ns == SP_FOREVER)
        return INFINITE;

    sp_time_ns now_ns = sp_now_ns();
    if (now_ns >= deadline_ns)
        return 0;
    sp_time_ns left_ms = (deadline_ns - now_ns + SP_NS_PER_MS - 1) / SP_NS_PER_MS;
    return left_ms >= INT32_MAX ? INT32_MAX : (DWORD)left_ms;
}

#endif
