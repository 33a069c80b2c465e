/* Bodies in a row. The receiver gives back one reference for each message; the sender takes all of them at once. */
#include "message/body_arena.h"

#include "message/chunk.h"
#include "message/message.h"

#include <errno.h>
#include <string.h>

/* Small, so that a message that its receiver keeps for long keeps little more than itself. */
#define CHUNK_BYTES ((size_t)8 * 1024)
/* Larger ones have a chunk of their own. */
#define MAX_BYTES ((size_t)512)
/* Bodies begin where the processor likes to copy to. */
#define ALIGNMENT_BYTES ((size_t)16)
#define REFERENCES ((unsigned)(CHUNK_BYTES / ALIGNMENT_BYTES) + 1)

void sp_body_arena_clear(struct sp_body_arena *self)
{
    if (self->chunk != NULL)
        sp_chunk_release_many(self->chunk, self->references);
    *self = (struct sp_body_arena){0};
}

static int arena_renew(struct sp_body_arena *self)
{
    sp_body_arena_clear(self);
    self->chunk = sp_chunk_create(CHUNK_BYTES);
    if (self->chunk == NULL)
        return -ENOMEM;
    sp_chunk_retain_many(self->chunk, REFERENCES - 1);
    self->references = REFERENCES;
    return 0;
}

int sp_body_arena_detach(struct sp_body_arena *self, struct nn_message *message)
{
    size_t bytes = sp_message_bytes(message);
    bool is_copied = message->chunk == NULL || message->header_bytes > 0;

    if (!is_copied || bytes == 0 || bytes > MAX_BYTES)
        return nn_message_detach(message);
    if ((self->chunk == NULL || CHUNK_BYTES - self->used_bytes < bytes) && arena_renew(self) < 0)
        return -ENOMEM;

    struct nn_message copy;
    uint8_t *to = self->chunk->bytes + self->used_bytes;
    memcpy(to, nn_message_header(message), message->header_bytes);
    if (message->body_bytes > 0)
        memcpy(to + message->header_bytes, message->body, message->body_bytes);
    sp_message_view(&copy, self->chunk, to, bytes);
    copy.type = message->type;
    nn_message_free(message);
    *message = copy;

    self->references--;
    self->used_bytes += (bytes + ALIGNMENT_BYTES - 1) & ~(ALIGNMENT_BYTES - 1);
    return 0;
}
