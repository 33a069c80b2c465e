/* WaitOnAddress. There are no signals that could end a wait. */
#include "platform/park.h"

#include "deadline.h"

#include <errno.h>

int sp_park(atomic_uint *word, unsigned expected, sp_time_ns deadline_ns)
{
    if (WaitOnAddress((volatile VOID *)(uintptr_t)word, &expected, sizeof expected, sp_remaining_ms(deadline_ns)))
        return 0;
    return GetLastError() == ERROR_TIMEOUT && sp_now_ns() >= deadline_ns ? -ETIMEDOUT : 0;
}

void sp_unpark(atomic_uint *word)
{
    WakeByAddressSingle((PVOID)(uintptr_t)word);
}
