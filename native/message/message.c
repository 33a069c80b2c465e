/* Messages: header and body, borrowed or owned. */
#include "message/message.h"

#include <nanomsg/transport.h>

#include "message/chunk.h"
#include "util/memory.h"

#include <errno.h>
#include <string.h>

/* A detached body that fills less than this share of its memory is copied. */
#define DETACHED_MIN_SHARE 8

static bool is_header_inline(const struct nn_message *message)
{
    return message->header_bytes <= NN_MESSAGE_INLINE_HEADER_BYTES;
}

void nn_message_init(struct nn_message *message)
{
    message->body = NULL;
    message->body_bytes = 0;
    message->chunk = NULL;
    message->header_bytes = 0;
    message->type = 0;
    message->is_from_known = false;
    message->has_peer_info = false;
    message->pipe = 0;
}

void nn_message_free(struct nn_message *message)
{
    if (message->chunk != NULL)
        sp_chunk_release(message->chunk);
    nn_message_header_clear(message);
    sp_message_forget_peer(message);
    nn_message_init(message);
}

int nn_message_own(struct nn_message *message)
{
    struct nn_chunk *chunk;

    if (message->chunk != NULL || message->body_bytes == 0)
        return 0;
    chunk = sp_chunk_create(message->body_bytes);
    if (chunk == NULL)
        return -ENOMEM;
    memcpy(chunk->bytes, message->body, message->body_bytes);
    message->chunk = chunk;
    message->body = chunk->bytes;
    return 0;
}

int nn_message_share(struct nn_message *to, const struct nn_message *from)
{
    *to = *from;
    if (!is_header_inline(from)) {
        to->header_bytes = 0;
        if (nn_message_header_append(to, from->header.heap.bytes, from->header_bytes) < 0) {
            nn_message_init(to);
            return -ENOMEM;
        }
    }
    if (to->chunk != NULL)
        sp_chunk_retain(to->chunk);
    if (to->has_peer_info)
        sp_message_attach_peer_info(to, to->peer.headers, to->peer.certificate);
    return 0;
}

/* ---- Header ---- */

static uint8_t *header_of(struct nn_message *message)
{
    return is_header_inline(message) ? message->header.bytes : message->header.heap.bytes;
}

const uint8_t *nn_message_header(const struct nn_message *message)
{
    return is_header_inline(message) ? message->header.bytes : message->header.heap.bytes;
}

void nn_message_header_clear(struct nn_message *message)
{
    if (!is_header_inline(message))
        sp_free(message->header.heap.bytes);
    message->header_bytes = 0;
}

/* Makes room behind the header for `count` bytes more, without counting them in. Returns where the header of the new
 * length begins, or NULL. */
static uint8_t *header_reserve(struct nn_message *message, size_t count)
{
    size_t needed = message->header_bytes + count;

    if (needed <= NN_MESSAGE_INLINE_HEADER_BYTES)
        return message->header.bytes;
    if (!is_header_inline(message) && needed <= message->header.heap.capacity_bytes)
        return message->header.heap.bytes;

    uint8_t *bytes = sp_alloc(needed * 2);
    if (bytes == NULL)
        return NULL;
    memcpy(bytes, header_of(message), message->header_bytes);
    if (!is_header_inline(message))
        sp_free(message->header.heap.bytes);
    message->header.heap.bytes = bytes;
    message->header.heap.capacity_bytes = needed * 2;
    return bytes;
}

int nn_message_header_append(struct nn_message *message, const void *bytes, size_t count)
{
    uint8_t *header;

    if (count > UINT32_MAX / 4 || (header = header_reserve(message, count)) == NULL)
        return -ENOMEM;
    if (count > 0)
        memcpy(header + message->header_bytes, bytes, count);
    message->header_bytes += (uint32_t)count;
    return 0;
}

int nn_message_header_prepend(struct nn_message *message, const void *bytes, size_t count)
{
    uint8_t *header;

    if (count > UINT32_MAX / 4 || (header = header_reserve(message, count)) == NULL)
        return -ENOMEM;
    memmove(header + count, header, message->header_bytes);
    memcpy(header, bytes, count);
    message->header_bytes += (uint32_t)count;
    return 0;
}

void nn_message_header_move(struct nn_message *to, struct nn_message *from)
{
    to->header = from->header;
    to->header_bytes = from->header_bytes;
    from->header_bytes = 0;
}

void nn_message_header_trim(struct nn_message *message, size_t count)
{
    uint8_t *header = header_of(message);
    uint32_t left = message->header_bytes - (uint32_t)count;
    bool moves_inline = !is_header_inline(message) && left <= NN_MESSAGE_INLINE_HEADER_BYTES;

    if (moves_inline) {
        memcpy(message->header.bytes, header + count, left);
        sp_free(header);
    } else {
        memmove(header, header + count, left);
    }
    message->header_bytes = left;
}

int nn_message_header_pull(struct nn_message *message, size_t count)
{
    int rc = nn_message_header_append(message, message->body, count);

    if (rc < 0)
        return rc;
    message->body += count;
    message->body_bytes -= count;
    return 0;
}

/* ---- Whole messages ---- */

int nn_message_create(struct nn_message *message, size_t body_bytes, uint8_t **body)
{
    struct nn_chunk *chunk = sp_chunk_create(body_bytes);

    nn_message_init(message);
    if (chunk == NULL)
        return -ENOMEM;
    sp_message_view(message, chunk, chunk->bytes, body_bytes);
    *body = chunk->bytes;
    return 0;
}

bool sp_message_is_attached(const struct nn_message *message)
{
    const struct nn_chunk *chunk = message->chunk;

    if (message->header_bytes > 0)
        return true;
    /* A small part of a receive slab must not keep all of it in another socket's queue. */
    return chunk != NULL && (chunk->is_in_slab || message->body_bytes < chunk->capacity_bytes / DETACHED_MIN_SHARE);
}

int sp_message_copy_flat(struct nn_message *to, const struct nn_message *from)
{
    uint8_t *bytes;
    int rc = nn_message_create(to, sp_message_bytes(from), &bytes);

    if (rc < 0)
        return rc;
    memcpy(bytes, nn_message_header(from), from->header_bytes);
    if (from->body_bytes > 0)
        memcpy(bytes + from->header_bytes, from->body, from->body_bytes);
    to->type = from->type;
    return 0;
}

int nn_message_detach(struct nn_message *message)
{
    struct nn_message flat;

    sp_message_forget_peer(message);
    if (!sp_message_is_attached(message))
        return nn_message_own(message);
    int rc = sp_message_copy_flat(&flat, message);
    if (rc < 0)
        return rc;
    nn_message_free(message);
    *message = flat;
    return 0;
}

void *sp_message_expose_body(struct nn_message *message)
{
    struct nn_chunk *chunk = message->chunk;

    /* Memory of which the body is only a part is not the user's: a slab, or what others view as well. */
    if (chunk == NULL || !sp_chunk_is_alone(chunk, message->body, message->body_bytes)) {
        chunk = sp_chunk_create(message->body_bytes);
        if (chunk == NULL)
            return NULL;
        if (message->body_bytes > 0)
            memcpy(chunk->bytes, message->body, message->body_bytes);
        void *exposed = sp_chunk_expose(chunk, chunk->bytes);
        nn_message_free(message);
        return exposed;
    }
    void *exposed = sp_chunk_expose(chunk, message->body);
    message->chunk = NULL;
    nn_message_free(message);
    return exposed;
}
