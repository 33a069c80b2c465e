/* Messages of C programs: memory that changes hands instead of being copied. */
#include "api/fail.h"
#include "message/chunk.h"

#include <nanomsg/nn.h>

#include <string.h>

void *nn_allocmsg(size_t size, int type)
{
    struct nn_chunk *chunk = NULL;

    if (type == 0)
        chunk = sp_chunk_create(size);
    if (chunk == NULL) {
        errno = type == 0 ? ENOMEM : EINVAL;
        return NULL;
    }
    return sp_chunk_expose(chunk, chunk->bytes);
}

static void *shorten(struct nn_chunk *chunk, void *msg, size_t size)
{
    chunk->size_bytes = (size_t)((uint8_t *)msg - chunk->bytes) + size;
    return msg;
}

static void *reallocate_copy(struct nn_chunk *chunk, void *msg, size_t size)
{
    size_t kept = sp_chunk_exposed_bytes(chunk, msg);
    struct nn_chunk *copy = sp_chunk_create(size);

    if (copy == NULL)
        return NULL;
    memcpy(copy->bytes, msg, kept < size ? kept : size);
    sp_chunk_unexpose(msg);
    sp_chunk_release(chunk);
    return sp_chunk_expose(copy, copy->bytes);
}

void *nn_reallocmsg(void *msg, size_t size)
{
    struct nn_chunk *chunk = sp_chunk_of(msg);
    void *changed = NULL;

    if (chunk == NULL) {
        errno = EFAULT;
        return NULL;
    }
    /* As in libnanomsg, memory that grows moves: programs are known to compare the two pointers. */
    bool stays = !sp_chunk_is_shared(chunk) && size <= sp_chunk_exposed_bytes(chunk, msg);
    if (stays)
        changed = shorten(chunk, msg, size);
    else if (size <= SIZE_MAX / 4)
        changed = reallocate_copy(chunk, msg, size);
    if (changed == NULL)
        errno = ENOMEM;
    return changed;
}

int nn_freemsg(void *msg)
{
    struct nn_chunk *chunk = sp_chunk_of(msg);

    if (chunk == NULL)
        return nn_fail(-EFAULT);
    sp_chunk_unexpose(msg);
    sp_chunk_release(chunk);
    return 0;
}
