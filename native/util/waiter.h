/* A thread's own place to sleep. Sleeping ends when any other thread wakes it, at a deadline, or when a signal is
 * handled: unlike a condition variable it can report EINTR, as blocking system calls do. */
#ifndef SP_UTIL_WAITER_H
#define SP_UTIL_WAITER_H

#include "platform/clock.h"

#include <stdbool.h>

struct sp_waiter;

/* The calling thread's waiter, made on first use and released when the thread ends. NULL when memory is short. */
struct sp_waiter *sp_waiter_self(void);

/* For who wakes it when nothing guards any more that its thread is there. */
void sp_waiter_retain(struct sp_waiter *self);
void sp_waiter_release(struct sp_waiter *self);

/* Forgets wake-ups that came for an earlier wait. */
void sp_waiter_reset(struct sp_waiter *self);

/* Sleeps until sp_waiter_wake; a wake-up before the call counts, and there may be one without a reason. Returns 0,
 * -ETIMEDOUT or -EINTR. */
int sp_waiter_sleep(struct sp_waiter *self, sp_time_ns deadline_ns);

/* Whether there is a descriptor to sleep with beside another one. */
bool sp_waiter_can_sleep_beside(struct sp_waiter *self);

/* The same as sp_waiter_sleep, and until `fd` can be read, which *is_ready tells. */
int sp_waiter_sleep_beside(struct sp_waiter *self, sp_time_ns deadline_ns, int fd, bool *is_ready);

/* From any thread. */
void sp_waiter_wake(struct sp_waiter *self);

#endif
