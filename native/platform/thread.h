/* Threads, and what they share: mutexes, conditions, what is done once, what each thread has of its own.
 *
 * Mutexes have ranks (see docs/architecture.md): a thread may take one only while it holds lower ranks, which debug
 * builds check. */
#ifndef SP_PLATFORM_THREAD_H
#define SP_PLATFORM_THREAD_H

#include "platform/clock.h"
#include "thread_types.h" /* of the platform that is built for */

#include <stdbool.h>

/* ---- Mutexes ---- */

enum sp_rank {
    SP_RANK_NONE = 0, /* not checked: of state of the process, which exists from its start */
    SP_RANK_TABLE = 1,
    SP_RANK_SOCKET = 2,
    SP_RANK_INPROC = 3,
    SP_RANK_PORTS = 3,
    SP_RANK_LOOP = 4,
    SP_RANK_MEMORY = 5
};

struct sp_mutex {
    sp_native_mutex native;
    enum sp_rank rank;
    unsigned lower_ranks; /* bit r: a thread that takes it may hold a lock of rank r */
};

#define SP_LOWER_RANKS(rank) ((rank) == SP_RANK_NONE ? ~0u : (1u << (rank)) - 1)

/* For one that is constant data: no sp_mutex_init. */
#define SP_MUTEX_INIT(its_rank)                                                                                        \
    {                                                                                                                  \
        .native = SP_NATIVE_MUTEX_INIT, .rank = (its_rank), .lower_ranks = SP_LOWER_RANKS(its_rank)                    \
    }

void sp_mutex_init(struct sp_mutex *self, enum sp_rank rank);
void sp_mutex_destroy(struct sp_mutex *self);

/* Takes the lock if it is free. */
bool sp_mutex_try_lock(struct sp_mutex *self);

#ifdef NDEBUG
static inline void sp_mutex_lock(struct sp_mutex *self)
{
    sp_native_mutex_lock(&self->native);
}

static inline void sp_mutex_unlock(struct sp_mutex *self)
{
    sp_native_mutex_unlock(&self->native);
}
#else
void sp_mutex_lock(struct sp_mutex *self);
void sp_mutex_unlock(struct sp_mutex *self);
#endif

/* ---- Conditions ---- */

struct sp_condition {
    sp_native_condition native;
};

void sp_condition_init(struct sp_condition *self);
void sp_condition_broadcast(struct sp_condition *self);

/* Waits with the mutex, of no rank, released. Returns false when the deadline has passed. It may return true without a
 * reason. */
bool sp_condition_wait(struct sp_condition *self, struct sp_mutex *mutex, sp_time_ns deadline_ns);

/* ---- Once ---- */

struct sp_once {
    sp_native_once native;
};

#define SP_ONCE_INIT                                                                                                   \
    {                                                                                                                  \
        SP_NATIVE_ONCE_INIT                                                                                            \
    }

/* Calls init if no call did so before; when it returns, init has returned. */
static inline void sp_once_run(struct sp_once *self, void (*init)(void))
{
    sp_native_once_run(&self->native, init);
}

/* ---- Threads ---- */

/* Signals are for the program's threads: the engine's have all of them blocked. */
struct sp_thread {
    sp_native_thread native;
};

/* Return 0 or -errno. */
int sp_thread_start(struct sp_thread *self, void *(*main)(void *argument), void *argument);
int sp_thread_start_detached(void *(*main)(void *argument), void *argument);

void sp_thread_join(struct sp_thread *self);

/* How many threads the process has now; -1: that cannot be known. */
int sp_thread_count(void);

/* ---- What each thread has of its own ---- */

struct sp_thread_key {
    sp_native_key native;
};

/* `destroy` is called with a thread's value when it ends, unless that is NULL. */
void sp_thread_key_create(struct sp_thread_key *self, void (*destroy)(void *value));

/* Returns 0 or -errno. */
int sp_thread_key_set(struct sp_thread_key *self, void *value);

static inline void *sp_thread_key_get(const struct sp_thread_key *self)
{
    return sp_native_key_get(self->native);
}

#endif
