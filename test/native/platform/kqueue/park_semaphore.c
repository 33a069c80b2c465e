/* sem_clockwait(3), which like semaphores of Mach ends when a signal was handled. */
#include "park_semaphore.h"

#include <errno.h>
#include <time.h>

#define MAX_WAIT_S 0x3fffffff

int sp_semaphore_open(sp_native_semaphore *self)
{
    return sem_init(self, 0, 0) < 0 ? -errno : 0;
}

void sp_semaphore_close(sp_native_semaphore *self)
{
    sem_destroy(self);
}

void sp_semaphore_signal(sp_native_semaphore *self)
{
    sem_post(self);
}

int sp_semaphore_wait(sp_native_semaphore *self, sp_time_ns deadline_ns)
{
    struct timespec until = {.tv_sec = MAX_WAIT_S};

    if (deadline_ns != SP_FOREVER)
        until = (struct timespec){.tv_sec = (time_t)(deadline_ns / 1000000000u),
                                  .tv_nsec = (long)(deadline_ns % 1000000000u)};
    return sem_clockwait(self, CLOCK_MONOTONIC, &until) < 0 ? -errno : 0;
}
