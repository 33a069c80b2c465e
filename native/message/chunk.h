/* Reference-counted memory that message bodies live in. One chunk may hold one message (nn_allocmsg, a
 * large received message) or many (a receive slab, which messages are views on). */
#ifndef SP_MESSAGE_CHUNK_H
#define SP_MESSAGE_CHUNK_H

#include "util/invariant.h"

#include <nanomsg/loop.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Room before the bytes of a chunk in which sp_chunk_expose notes whose bytes they are. */
#define SP_CHUNK_ANCHOR_BYTES 16

struct nn_chunk {
    _Alignas(16) atomic_uint references; /* so that what follows the chunk is aligned as memory of malloc is */
    bool is_in_slab;                     /* memory of a slab source, known there as slab_token */
    bool has_anchor_room;                /* false: foreign memory, nothing may be written before bytes */
    uint32_t slab_token;
    const void *slab_context; /* of the slab source */
    size_t large_bytes;       /* of sp_buffer_cache, header and all; 0: other memory */
    size_t size_bytes;        /* bytes in use */
    size_t capacity_bytes;    /* bytes allocated */
    uint8_t *bytes;
    void (*release)(void *bytes, void *context); /* NULL: bytes were allocated with the chunk */
    void *context;
};

/* A chunk of its own memory, with one reference. NULL when memory is short. */
struct nn_chunk *sp_chunk_create(size_t size_bytes);

/* Makes room for capacity_bytes; keeps the first size_bytes. May move the chunk: *chunk must have one
 * reference only and memory of its own. Returns 0 or -ENOMEM, with nothing changed. */
int sp_chunk_grow(struct nn_chunk **chunk, size_t capacity_bytes);

static inline void sp_chunk_retain(struct nn_chunk *chunk)
{
    unsigned before = atomic_fetch_add_explicit(&chunk->references, 1, memory_order_relaxed);

    SP_INVARIANT(before > 0, "a chunk without references is retained");
}

void sp_chunk_destroy(struct nn_chunk *chunk); /* for sp_chunk_release only */

/* References taken for later, and those of them that were not used. */
static inline void sp_chunk_retain_many(struct nn_chunk *chunk, unsigned count)
{
    atomic_fetch_add_explicit(&chunk->references, count, memory_order_relaxed);
}

static inline void sp_chunk_release_many(struct nn_chunk *chunk, unsigned count)
{
    unsigned before = atomic_fetch_sub_explicit(&chunk->references, count, memory_order_acq_rel);

    if (before > count)
        return;
    SP_INVARIANT(before == count, "a chunk without references is released");
    sp_chunk_destroy(chunk);
}

static inline void sp_chunk_release(struct nn_chunk *chunk)
{
    sp_chunk_release_many(chunk, 1);
}

static inline bool sp_chunk_is_shared(const struct nn_chunk *chunk)
{
    return atomic_load_explicit(&chunk->references, memory_order_acquire) > 1;
}

/* Whether the chunk is kept for this body only: it has no other reference, and little precedes the body. */
bool sp_chunk_is_alone(const struct nn_chunk *chunk, const uint8_t *body, size_t body_bytes);

/* Gives `body`, which is alone in the chunk, to a C program as memory that nn_freemsg and NN_MSG know. The caller's
 * reference goes with it. */
void *sp_chunk_expose(struct nn_chunk *chunk, const uint8_t *body);

/* The chunk of exposed memory, or NULL when the pointer is none. */
struct nn_chunk *sp_chunk_of(const void *exposed);

/* Forgets the exposure, so that a second nn_freemsg is noticed. */
void sp_chunk_unexpose(void *exposed);

/* Length of exposed memory: from the pointer to the end of the bytes in use. */
static inline size_t sp_chunk_exposed_bytes(const struct nn_chunk *chunk, const void *exposed)
{
    return (size_t)(chunk->bytes + chunk->size_bytes - (const uint8_t *)exposed);
}

#endif
