/* Mutexes and waiting. Locks have ranks (see docs/architecture.md): a thread may take a lock only while it
 * holds lower ranks, which debug builds check. */
#ifndef SP_UTIL_THREAD_H
#define SP_UTIL_THREAD_H

#include "util/clock.h"

#include <pthread.h>
#include <stdbool.h>

enum sp_rank {
    SP_RANK_TABLE = 1,
    SP_RANK_SOCKET = 2,
    SP_RANK_INPROC = 3,
    SP_RANK_PORTS = 3,
    SP_RANK_LOOP = 4,
    SP_RANK_MEMORY = 5
};

struct sp_mutex {
    pthread_mutex_t native;
    enum sp_rank rank;
};

void sp_mutex_init(struct sp_mutex *self, enum sp_rank rank);
void sp_mutex_destroy(struct sp_mutex *self);

/* Takes the lock if nobody has it. */
bool sp_mutex_try_lock(struct sp_mutex *self);

#ifdef NDEBUG
static inline void sp_mutex_lock(struct sp_mutex *self)
{
    pthread_mutex_lock(&self->native);
}

static inline void sp_mutex_unlock(struct sp_mutex *self)
{
    pthread_mutex_unlock(&self->native);
}
#else
void sp_mutex_lock(struct sp_mutex *self);
void sp_mutex_unlock(struct sp_mutex *self);
#endif

/* A thread's own place to sleep. Sleeping ends when any other thread wakes it, at a deadline, or when a
 * signal is handled: unlike a condition variable it can report EINTR, as blocking system calls do. */
struct sp_waiter;

/* The calling thread's waiter, made on first use and released when the thread ends. NULL when the system
 * has no descriptor left (errno is set). */
struct sp_waiter *sp_waiter_self(void);

/* Forgets wake-ups that came for an earlier wait. */
void sp_waiter_reset(struct sp_waiter *self);

/* Sleeps until sp_waiter_wake; a wake-up before the call counts. Returns 0, -ETIMEDOUT or -EINTR. */
int sp_waiter_sleep(struct sp_waiter *self, sp_time_ns deadline_ns);

/* The same, and until `fd` can be read (-1: none), which *is_ready tells. */
int sp_waiter_sleep_beside(struct sp_waiter *self, sp_time_ns deadline_ns, int fd, bool *is_ready);

/* From any thread. */
void sp_waiter_wake(struct sp_waiter *self);

#endif
