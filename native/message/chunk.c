/* Reference-counted memory. */
#include "message/chunk.h"

#include "util/buffer_cache.h"
#include "util/memory.h"

#include <errno.h>
#include <string.h>

/* What stands before exposed memory: whose it is, and a mark that chance does not make. */
struct anchor {
    struct nn_chunk *chunk;
    uint64_t mark;
};

_Static_assert(sizeof(struct anchor) == SP_CHUNK_ANCHOR_BYTES, "an anchor fills the room kept for it");

#define ANCHOR_MARK UINT64_C(0x73702d6368756e6b)

static uint64_t anchor_mark(const struct nn_chunk *chunk, const void *exposed)
{
    return ANCHOR_MARK ^ (uint64_t)(uintptr_t)chunk ^ ((uint64_t)(uintptr_t)exposed << 1);
}

/* Memory before a body that is not worth a copy. */
#define MAX_LEAD_BYTES 1024

/* What stands before a chunk's bytes. */
#define HEAD_BYTES (sizeof(struct nn_chunk) + SP_CHUNK_ANCHOR_BYTES)

struct nn_chunk *sp_chunk_create(size_t size_bytes)
{
    size_t total_bytes = HEAD_BYTES + size_bytes;

    if (size_bytes > SIZE_MAX / 2)
        return NULL;
    bool is_large = sp_buffer_cache_has(total_bytes);
    struct nn_chunk *self = is_large ? sp_buffer_cache_get(&total_bytes) : sp_alloc(total_bytes);
    if (self == NULL)
        return NULL;
    self->large_bytes = is_large ? total_bytes : 0;
    atomic_init(&self->references, 1);
    self->is_in_slab = false;
    self->has_anchor_room = true;
    self->slab_token = 0;
    self->slab_context = NULL;
    self->size_bytes = size_bytes;
    self->capacity_bytes = size_bytes;
    self->bytes = (uint8_t *)(self + 1) + SP_CHUNK_ANCHOR_BYTES;
    self->release = NULL;
    self->context = NULL;
    return self;
}

/* Moves a chunk whose memory is, or shall be, of the buffer cache. */
static int move_and_grow(struct nn_chunk **chunk, size_t capacity_bytes)
{
    struct nn_chunk *self = *chunk;
    struct nn_chunk *grown = sp_chunk_create(capacity_bytes);

    if (grown == NULL)
        return -ENOMEM;
    memcpy(grown->bytes, self->bytes, self->size_bytes);
    grown->size_bytes = self->size_bytes;
    sp_chunk_destroy(self);
    *chunk = grown;
    return 0;
}

int sp_chunk_grow(struct nn_chunk **chunk, size_t capacity_bytes)
{
    struct nn_chunk *self = *chunk;

    if (capacity_bytes <= self->capacity_bytes)
        return 0;
    if (capacity_bytes > SIZE_MAX / 2)
        return -ENOMEM;
    if (self->large_bytes >= HEAD_BYTES + capacity_bytes) {
        self->capacity_bytes = capacity_bytes;
        return 0;
    }
    if (self->large_bytes > 0 || sp_buffer_cache_has(HEAD_BYTES + capacity_bytes))
        return move_and_grow(chunk, capacity_bytes);
    self = sp_realloc(self, HEAD_BYTES + capacity_bytes);
    if (self == NULL)
        return -ENOMEM;
    self->bytes = (uint8_t *)(self + 1) + SP_CHUNK_ANCHOR_BYTES;
    self->capacity_bytes = capacity_bytes;
    *chunk = self;
    return 0;
}

void sp_chunk_destroy(struct nn_chunk *self)
{
    if (self->release != NULL)
        self->release(self->bytes, self->context);
    if (self->large_bytes > 0)
        sp_buffer_cache_put(self, self->large_bytes);
    else
        sp_free(self);
}

bool sp_chunk_is_alone(const struct nn_chunk *chunk, const uint8_t *body, size_t body_bytes)
{
    const uint8_t *end = chunk->bytes + chunk->size_bytes;

    return chunk->has_anchor_room && !sp_chunk_is_shared(chunk) && body >= chunk->bytes &&
           body - chunk->bytes <= MAX_LEAD_BYTES && body + body_bytes == end;
}

void *sp_chunk_expose(struct nn_chunk *chunk, const uint8_t *body)
{
    struct anchor anchor = {.chunk = chunk, .mark = anchor_mark(chunk, body)};

    /* The bytes before the body are a prefix or header that has been read, or the room before the chunk's bytes. */
    memcpy((uint8_t *)(uintptr_t)body - sizeof anchor, &anchor, sizeof anchor);
    return (void *)(uintptr_t)body;
}

struct nn_chunk *sp_chunk_of(const void *exposed)
{
    struct anchor anchor;

    if (exposed == NULL)
        return NULL;
    memcpy(&anchor, (const uint8_t *)exposed - sizeof anchor, sizeof anchor);
    return anchor.mark == anchor_mark(anchor.chunk, exposed) ? anchor.chunk : NULL;
}

void sp_chunk_unexpose(void *exposed)
{
    memset((uint8_t *)exposed - sizeof(struct anchor), 0, sizeof(struct anchor));
}

struct nn_chunk *nn_chunk_adopt(void *bytes, size_t size_bytes, void (*release)(void *bytes, void *context),
                                void *context)
{
    struct nn_chunk *self = sp_alloc(sizeof *self);

    if (self == NULL) {
        errno = ENOMEM;
        return NULL;
    }
    atomic_init(&self->references, 1);
    self->is_in_slab = false;
    self->has_anchor_room = false;
    self->slab_token = 0;
    self->slab_context = NULL;
    self->large_bytes = 0;
    self->size_bytes = size_bytes;
    self->capacity_bytes = size_bytes;
    self->bytes = bytes;
    self->release = release;
    self->context = context;
    return self;
}

struct nn_chunk *nn_chunk_of(void *message)
{
    return sp_chunk_of(message);
}

void nn_chunk_retain(struct nn_chunk *chunk)
{
    sp_chunk_retain(chunk);
}

void nn_chunk_release(struct nn_chunk *chunk)
{
    sp_chunk_release(chunk);
}

size_t nn_chunk_size_bytes(const struct nn_chunk *chunk)
{
    return chunk->capacity_bytes;
}
