/* Mutexes. Locks have ranks (see docs/architecture.md): a thread may take a lock only while it
 * holds lower ranks, which debug builds check. */
#ifndef SP_UTIL_THREAD_H
#define SP_UTIL_THREAD_H

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

#endif
