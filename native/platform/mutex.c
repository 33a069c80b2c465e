/* Mutexes with ranks. */
#include "platform/thread.h"

#include <stdio.h>
#include <stdlib.h>

void sp_mutex_init(struct sp_mutex *self, enum sp_rank rank)
{
    sp_native_mutex_init(&self->native);
    self->rank = rank;
    self->lower_ranks = SP_LOWER_RANKS(rank);
}

void sp_mutex_destroy(struct sp_mutex *self)
{
    sp_native_mutex_destroy(&self->native);
}

#ifndef NDEBUG
/* Bit r is set while the thread holds a lock of rank r. */
static _Thread_local unsigned held_ranks;

/* The bit of its rank; 0: the rank is not checked. */
static unsigned rank_bit(const struct sp_mutex *self)
{
    return self->lower_ranks + 1;
}

static _Noreturn void fail_rank(const struct sp_mutex *self)
{
    fprintf(stderr, "nanomsg-native: lock of rank %d taken while a lock of the same or a higher rank is held\n",
            (int)self->rank);
    abort();
}

void sp_mutex_lock(struct sp_mutex *self)
{
    unsigned *held = &held_ranks; /* one access to the thread's memory, also across the call */

    if (*held > self->lower_ranks)
        fail_rank(self);
    sp_native_mutex_lock(&self->native);
    *held |= rank_bit(self);
}

void sp_mutex_unlock(struct sp_mutex *self)
{
    held_ranks &= ~rank_bit(self);
    sp_native_mutex_unlock(&self->native);
}

bool sp_mutex_try_lock(struct sp_mutex *self)
{
    if (sp_native_mutex_try_lock(&self->native) != 0)
        return false;
    held_ranks |= rank_bit(self);
    return true;
}
#else
bool sp_mutex_try_lock(struct sp_mutex *self)
{
    return sp_native_mutex_try_lock(&self->native) == 0;
}
#endif
