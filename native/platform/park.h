/* Parking a thread on a word of memory until another thread has changed it. Unlike waiting for a condition it can
 * report that a signal was handled, as blocking system calls do. */
#ifndef SP_PLATFORM_PARK_H
#define SP_PLATFORM_PARK_H

#include "platform/clock.h"

#include <stdatomic.h>

/* Sleeps while *word is `expected`, unless sp_unpark wakes it. Returns 0, when *word may have changed, -ETIMEDOUT or
 * -EINTR. */
int sp_park(atomic_uint *word, unsigned expected, sp_time_ns deadline_ns);

/* Wakes the thread that is parked on the word, which was changed before. */
void sp_unpark(atomic_uint *word);

#endif
