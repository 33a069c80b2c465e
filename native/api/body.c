/* Bodies: taken from the user's memory and given back to it. */
#include "api/body.h"

#include "message/chunk.h"
#include "util/sizes.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

/* ---- Taking ---- */

int nn_body_take(const void *buf, size_t len, struct nn_message *message)
{
    if (len != NN_MSG) {
        if (buf == NULL && len > 0)
            return -EFAULT;
        if (len > PTRDIFF_MAX)
            return -ENOMEM;
        if (len > INT_MAX)
            return -EMSGSIZE;
        sp_message_borrow(message, buf, len);
        return 0;
    }

    void *body = buf != NULL ? *(void *const *)buf : NULL;
    struct nn_chunk *chunk = sp_chunk_of(body);
    if (chunk == NULL)
        return -EFAULT;
    if (sp_chunk_exposed_bytes(chunk, body) > INT_MAX)
        return -EMSGSIZE;
    sp_message_view(message, chunk, body, sp_chunk_exposed_bytes(chunk, body));
    return 0;
}

static int pieces_length(const struct nn_iovec *pieces, int count, size_t *length)
{
    size_t total = 0;

    for (int i = 0; i < count; i++) {
        if (pieces[i].iov_len == NN_MSG || !sp_size_add(&total, pieces[i].iov_len))
            return -EINVAL;
        if (pieces[i].iov_base == NULL && pieces[i].iov_len > 0)
            return -EFAULT;
    }
    *length = total;
    return 0;
}

int nn_body_gather(const struct nn_iovec *pieces, int count, struct nn_message *message)
{
    size_t length = 0;

    if (count < 0)
        return -EMSGSIZE;
    if (count == 0)
        return nn_body_take(NULL, 0, message);
    if (pieces == NULL)
        return -EFAULT;
    if (count == 1)
        return nn_body_take(pieces[0].iov_base, pieces[0].iov_len, message);

    int rc = pieces_length(pieces, count, &length);
    if (rc < 0)
        return rc;
    if (length > INT_MAX)
        return -EMSGSIZE;
    struct nn_chunk *chunk = sp_chunk_create(length);
    if (chunk == NULL)
        return -ENOMEM;
    uint8_t *to = chunk->bytes;
    for (int i = 0; i < count; i++) {
        if (pieces[i].iov_len > 0)
            memcpy(to, pieces[i].iov_base, pieces[i].iov_len);
        to += pieces[i].iov_len;
    }
    sp_message_view(message, chunk, chunk->bytes, length);
    return 0;
}

void nn_body_return(struct nn_message *message, bool is_users)
{
    if (is_users)
        nn_message_header_clear(message);
    else
        nn_message_free(message); /* a copy may have been made on the way */
}

/* ---- Giving ---- */

int nn_body_give(struct nn_message *message, void *buf, size_t len)
{
    size_t body_bytes = message->body_bytes;

    /* Its length is the result of the call. */
    if (body_bytes > INT_MAX) {
        nn_message_free(message);
        return -EMSGSIZE;
    }
    if (len == NN_MSG) {
        void *body = sp_message_expose_body(message);
        if (body == NULL) {
            nn_message_free(message);
            return -ENOMEM;
        }
        *(void **)buf = body;
        return (int)body_bytes;
    }
    if (body_bytes > 0 && len > 0)
        memcpy(buf, message->body, body_bytes < len ? body_bytes : len);
    nn_message_free(message);
    return (int)body_bytes;
}

int nn_body_check_room(const struct nn_iovec *pieces, int count)
{
    if (count < 0)
        return -EMSGSIZE;
    if (count > 0 && pieces == NULL)
        return -EFAULT;
    for (int i = 0; i < count; i++) {
        if (pieces[i].iov_len == NN_MSG && count > 1)
            return -EINVAL;
        if (pieces[i].iov_base == NULL && pieces[i].iov_len > 0)
            return -EFAULT;
    }
    return 0;
}

int nn_body_scatter(struct nn_message *message, const struct nn_iovec *pieces, int count)
{
    size_t given = 0;

    if (nn_body_is_message(pieces, count))
        return nn_body_give(message, pieces[0].iov_base, NN_MSG);

    for (int i = 0; i < count && given < message->body_bytes; i++) {
        size_t left = message->body_bytes - given;
        size_t length = pieces[i].iov_len < left ? pieces[i].iov_len : left;
        if (length > 0)
            memcpy(pieces[i].iov_base, message->body + given, length);
        given += length;
    }
    return nn_body_give(message, NULL, 0);
}
