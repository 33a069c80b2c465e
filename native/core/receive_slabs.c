/* Slabs of the host or of the engine's own memory; a loop keeps the one that was given back with the most room left. */
#include "core/receive_slabs.h"

#include "core/loop_state.h"
#include "message/chunk.h"
#include "util/memory.h"

#include <errno.h>

#define SLAB_BYTES ((size_t)256 * 1024)

/* What the release of a host's slab needs to know; outlives the loop. */
struct host_slab {
    struct nn_slab_source source;
    uint32_t token;
};

static void host_slab_release(void *bytes, void *context)
{
    struct host_slab *self = context;

    (void)bytes;
    self->source.release(self->source.context, self->token);
    sp_free(self);
}

static struct nn_chunk *host_slab_create(const struct nn_slab_source *source)
{
    struct host_slab *slab = sp_alloc(sizeof *slab);
    struct nn_chunk *chunk = NULL;

    if (slab == NULL)
        return NULL;
    slab->source = *source;
    void *bytes = source->acquire(source->context, SLAB_BYTES, &slab->token);
    if (bytes == NULL) {
        sp_free(slab);
        return NULL;
    }
    chunk = nn_chunk_adopt(bytes, SLAB_BYTES, host_slab_release, slab);
    if (chunk == NULL) {
        host_slab_release(bytes, slab);
        return NULL;
    }
    chunk->is_in_slab = true;
    chunk->slab_token = slab->token;
    chunk->slab_context = source->context;
    return chunk;
}

static size_t slab_room(const struct sp_slab *slab)
{
    return slab->chunk != NULL ? slab->chunk->capacity_bytes - slab->used_bytes : 0;
}

/* Whether the engine may read into what is left of the slab. On a host's loop its own memory is second choice. */
static bool slab_is_fit(const struct nn_slab_source *source, const struct sp_slab *slab, size_t min_room_bytes)
{
    if (slab_room(slab) < min_room_bytes)
        return false;
    if (source->acquire == NULL)
        return true;
    return slab->chunk->is_in_slab &&
           (source->may_fill == NULL || source->may_fill(source->context, slab->chunk->slab_token));
}

int sp_slab_take(struct nn_loop *loop, struct sp_slab *slab, size_t min_room_bytes)
{
    struct nn_chunk *made = NULL;

    sp_mutex_lock(&loop->base.lock);
    *slab = loop->spare;
    loop->spare = (struct sp_slab){0};
    sp_mutex_unlock(&loop->base.lock);

    if (slab_is_fit(&loop->source, slab, min_room_bytes))
        return 0;
    if (loop->source.acquire != NULL)
        made = host_slab_create(&loop->source);
    if (made == NULL && slab_room(slab) >= min_room_bytes && !slab->chunk->is_in_slab)
        return 0;
    if (slab->chunk != NULL)
        sp_chunk_release(slab->chunk);
    *slab = (struct sp_slab){.chunk = made != NULL ? made : sp_chunk_create(SLAB_BYTES)};
    return slab->chunk != NULL ? 0 : -ENOMEM;
}

void sp_slab_give(struct nn_loop *loop, struct sp_slab *slab)
{
    struct nn_chunk *unused;

    /* The engine's own slab without other references is empty again. Of a host's slab the engine does not know. */
    if (!slab->chunk->is_in_slab && !sp_chunk_is_shared(slab->chunk))
        slab->used_bytes = 0;

    sp_mutex_lock(&loop->base.lock);
    if (slab_room(slab) > slab_room(&loop->spare)) {
        unused = loop->spare.chunk;
        loop->spare = *slab;
    } else {
        unused = slab->chunk;
    }
    sp_mutex_unlock(&loop->base.lock);

    if (unused != NULL)
        sp_chunk_release(unused);
    *slab = (struct sp_slab){0};
}
