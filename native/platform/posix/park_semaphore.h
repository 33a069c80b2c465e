/* What park.c sleeps on: a semaphore whose wait ends when a signal was handled. */
#ifndef SP_PLATFORM_POSIX_PARK_SEMAPHORE_H
#define SP_PLATFORM_POSIX_PARK_SEMAPHORE_H

#include "platform/clock.h"
#include "park_semaphore_type.h" /* of the platform that is built for */

/* Returns 0 or -errno. */
int sp_semaphore_open(sp_native_semaphore *self);
void sp_semaphore_close(sp_native_semaphore *self);

void sp_semaphore_signal(sp_native_semaphore *self);

/* Returns 0, -ETIMEDOUT or -EINTR. */
int sp_semaphore_wait(sp_native_semaphore *self, sp_time_ns deadline_ns);

#endif
