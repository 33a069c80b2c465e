/* The last bytes of a peer that is gone. */
#include "streams/remains.h"

#include "message/chunk.h"
#include "util/list.h"
#include "util/memory.h"

#include <string.h>

/* What most leave is short; more room is made by doubling. */
#define FIRST_BYTES ((size_t)4 * 1024)

size_t sp_remains_held_bytes(const struct sp_stream *from)
{
    return sp_io_unread_bytes(from->fd);
}

static ssize_t remains_read(struct sp_stream *stream, const struct iovec *vectors, int count)
{
    struct sp_remains *self = SP_CONTAINER(stream, struct sp_remains, stream);
    size_t total = 0;

    for (int i = 0; i < count; i++) {
        size_t left = self->chunk->size_bytes - self->taken_bytes;
        size_t taken = left < vectors[i].iov_len ? left : vectors[i].iov_len;
        memcpy(vectors[i].iov_base, self->chunk->bytes + self->taken_bytes, taken);
        self->taken_bytes += taken;
        total += taken;
    }
    return (ssize_t)total;
}

static const struct sp_stream_ops remains_ops = {.read = remains_read};

/* Returns NULL when memory is short. */
static struct sp_remains *remains_create(size_t limit_bytes)
{
    struct sp_remains *self = sp_zalloc(sizeof *self);

    if (self == NULL)
        return NULL;
    self->chunk = sp_chunk_create(limit_bytes < FIRST_BYTES ? limit_bytes : FIRST_BYTES);
    if (self->chunk == NULL) {
        sp_free(self);
        return NULL;
    }
    self->chunk->size_bytes = 0;
    self->stream = (struct sp_stream){.fd = -1, .ops = &remains_ops};
    return self;
}

/* Room for another step, or for what is missing to limit_bytes. Returns 0 or -ENOMEM. */
static int make_room(struct sp_remains *self, size_t limit_bytes)
{
    if (self->chunk->size_bytes < self->chunk->capacity_bytes)
        return 0;
    size_t doubled = 2 * self->chunk->capacity_bytes;
    return sp_chunk_grow(&self->chunk, doubled < limit_bytes ? doubled : limit_bytes);
}

int sp_remains_gather(struct sp_remains **remains, struct sp_stream *from, size_t limit_bytes)
{
    if (*remains == NULL && (*remains = remains_create(limit_bytes)) == NULL)
        return -ENOMEM;
    struct sp_remains *self = *remains;

    while (self->chunk->size_bytes < limit_bytes) {
        if (make_room(self, limit_bytes) < 0)
            return -ENOMEM;
        struct nn_chunk *chunk = self->chunk;
        struct iovec vector = {.iov_base = chunk->bytes + chunk->size_bytes,
                               .iov_len = chunk->capacity_bytes - chunk->size_bytes};
        ssize_t count = sp_stream_read(from, &vector, 1);
        if (count <= 0)
            return (int)count;
        chunk->size_bytes += (size_t)count;
    }
    return -EAGAIN;
}

size_t sp_remains_bytes(const struct sp_remains *self)
{
    return self != NULL ? self->chunk->size_bytes : 0;
}

void sp_remains_destroy(struct sp_remains *self)
{
    if (self == NULL)
        return;
    sp_chunk_release(self->chunk);
    sp_free(self);
}
