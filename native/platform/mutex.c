/* Mutexes with ranks. */
#include "platform/thread.h"

#include <stdio.h>
#include <stdlib.h>

void sp_mutex_init(struct sp_mutex *self, enum sp_rank rank)
{
    sp_native_mutex_init(&self->native);
    self->rank = rank;
}

void sp_mutex_destroy(struct sp_mutex *self)
{
    sp_native_mutex_destroy(&self->native);
}

#ifndef NDEBUG
/* Bit r is set while the thread holds a lock of rank r. */
static _Thread_local unsigned held_ranks;

void sp_mutex_lock(struct sp_mutex *self)
{
    if (self->rank != SP_RANK_NONE && held_ranks >> self->rank != 0) {
        fprintf(stderr, "nanomsg-native: lock of rank %d taken while a lock of the same or a higher rank is held\n",
                (int)self->rank);
        abort();
    }
    sp_native_mutex_lock(&self->native);
    held_ranks |= 1u << self->rank;
}

void sp_mutex_unlock(struct sp_mutex *self)
{
    held_ranks &= ~(1u << self->rank);
    sp_native_mutex_unlock(&self->native);
}

bool sp_mutex_try_lock(struct sp_mutex *self)
{
    if (sp_native_mutex_try_lock(&self->native) != 0)
        return false;
    held_ranks |= 1u << self->rank;
    return true;
}
#else
bool sp_mutex_try_lock(struct sp_mutex *self)
{
    return sp_native_mutex_try_lock(&self->native) == 0;
}
#endif
