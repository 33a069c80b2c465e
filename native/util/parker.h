/* A thread's own place to sleep. Sleeping ends when any other thread wakes it, at a deadline, or when a signal is
 * handled: unlike a condition variable it can report EINTR, as blocking system calls do. */
#ifndef SP_UTIL_PARKER_H
#define SP_UTIL_PARKER_H

#include "platform/clock.h"

#include <stdbool.h>

struct sp_parker;

/* The calling thread's parker, made on first use and released when the thread ends. NULL when memory is short. */
struct sp_parker *sp_parker_self(void);

/* A reference keeps the parker alive for a waking thread that holds no lock. */
void sp_parker_retain(struct sp_parker *self);
void sp_parker_release(struct sp_parker *self);

/* Discards wake-ups of an earlier wait. */
void sp_parker_reset(struct sp_parker *self);

/* Sleeps until sp_parker_wake; a wake-up before the call counts, and there may be one without a reason. Returns 0,
 * -ETIMEDOUT or -EINTR. */
int sp_parker_sleep(struct sp_parker *self, sp_time_ns deadline_ns);

/* Whether there is a descriptor to sleep with beside another one. */
bool sp_parker_can_sleep_beside(struct sp_parker *self);

/* The same as sp_parker_sleep, and until `fd` can be read, which *is_ready reports. */
int sp_parker_sleep_beside(struct sp_parker *self, sp_time_ns deadline_ns, int fd, bool *is_ready);

/* From any thread. */
void sp_parker_wake(struct sp_parker *self);

#endif
