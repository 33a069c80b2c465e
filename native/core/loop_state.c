/* Making and freeing a loop with what its sockets share. */
#include "core/loop_state.h"

#include "message/chunk.h"
#include "platform/fork.h"
#include "util/memory.h"

#include <errno.h>

int sp_loop_state_create(struct nn_loop **out)
{
    struct nn_loop *self = sp_zalloc(sizeof *self);

    if (self == NULL)
        return -ENOMEM;
    int rc = sp_loop_open(&self->base);
    if (rc < 0) {
        sp_free(self);
        return rc;
    }
    self->fork_depth = sp_fork_depth();
    sp_list_init(&self->ready);
    sp_list_init(&self->sockets);
    *out = self;
    return 0;
}

void sp_loop_state_free(struct nn_loop *self)
{
    if (self->spare.chunk != NULL)
        sp_chunk_release(self->spare.chunk);
    sp_loop_close(&self->base);
    sp_free(self);
}

bool sp_loop_has_sockets(struct nn_loop *self)
{
    sp_mutex_lock(&self->base.lock);
    bool result = !sp_list_is_empty(&self->sockets);
    sp_mutex_unlock(&self->base.lock);
    return result;
}

bool sp_loop_is_inherited(const struct nn_loop *self)
{
    return self->fork_depth != sp_fork_depth();
}
