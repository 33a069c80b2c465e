/* Semaphores of Mach: unlike conditions they tell that a signal was handled, and unlike pipes they are no
 * descriptors. */
#include "park_semaphore.h"

#include <errno.h>
#include <mach/mach.h>
#include <mach/semaphore.h>

/* The absence of a deadline. */
#define MAX_WAIT_S 0x3fffffff

int sp_semaphore_open(sp_native_semaphore *self)
{
    return semaphore_create(mach_task_self(), self, SYNC_POLICY_FIFO, 0) == KERN_SUCCESS ? 0 : -ENOMEM;
}

void sp_semaphore_close(sp_native_semaphore *self)
{
    semaphore_destroy(mach_task_self(), *self);
}

void sp_semaphore_signal(sp_native_semaphore *self)
{
    semaphore_signal(*self);
}

static mach_timespec_t left_until(sp_time_ns deadline_ns)
{
    sp_time_ns now_ns = deadline_ns == SP_FOREVER ? 0 : sp_now_ns();
    sp_time_ns left_ns = deadline_ns > now_ns ? deadline_ns - now_ns : 0;

    if (left_ns / 1000000000u > MAX_WAIT_S)
        return (mach_timespec_t){.tv_sec = MAX_WAIT_S};
    return (mach_timespec_t){.tv_sec = (unsigned)(left_ns / 1000000000u),
                             .tv_nsec = (clock_res_t)(left_ns % 1000000000u)};
}

int sp_semaphore_wait(sp_native_semaphore *self, sp_time_ns deadline_ns)
{
    switch (semaphore_timedwait(*self, left_until(deadline_ns))) {
    case KERN_SUCCESS:
        return 0;
    case KERN_ABORTED:
        return -EINTR;
    default:
        return -ETIMEDOUT;
    }
}
