/* What a connection has accepted and the kernel has not: a list of pieces that leaves in few writev calls. Small
 * messages are copied one behind the other into one piece, large bodies are referenced. */
#ifndef SP_STREAMS_SEND_QUEUE_H
#define SP_STREAMS_SEND_QUEUE_H

#include "message/message.h"
#include "platform/net.h"
#include "util/without_const.h"

/* A vector to write from. */
static inline struct iovec sp_vector_of(const void *bytes, size_t count)
{
    return (struct iovec){.iov_base = sp_without_const(bytes), .iov_len = count};
}

struct sp_piece {
    const uint8_t *bytes;
    size_t count;
    struct nn_chunk *chunk; /* NULL: borrowed, only until the current call returns */
};

struct sp_send_queue {
    struct sp_piece *pieces; /* a ring */
    size_t bytes;            /* of all pieces */
    struct nn_chunk *buffer; /* the last piece's, when more can be gathered behind it; a reference of its own */
    uint32_t capacity;       /* a power of two, or 0 */
    uint32_t first;
    uint32_t count;
    uint32_t owned; /* that many at the front are known not to be borrowed */
};

/* Adds prefix, header and body. On 0 the message is taken (freed or referenced); a large borrowed body is kept as
 * it is, see sp_send_queue_own. *spare is a buffer to gather in, taken when one is needed. Returns 0 or -ENOMEM,
 * with nothing changed. */
int sp_send_queue_add(struct sp_send_queue *self, const uint8_t *prefix, size_t prefix_bytes,
                      struct nn_message *message, struct nn_chunk **spare);

/* The same for the part of the frame behind its first `skip_bytes`, which the kernel has taken; everything is owned
 * afterwards. */
int sp_send_queue_add_rest(struct sp_send_queue *self, const uint8_t *prefix, size_t prefix_bytes,
                           struct nn_message *message, size_t skip_bytes, struct nn_chunk **spare);

/* What a queue holds; later additions can be undone as long as nothing is consumed. */
struct sp_send_queue_mark {
    uint32_t count;
    size_t bytes;
    size_t last_bytes; /* of the last piece */
};

struct sp_send_queue_mark sp_send_queue_mark(const struct sp_send_queue *self);
void sp_send_queue_undo(struct sp_send_queue *self, struct sp_send_queue_mark mark);

/* Fills at most `limit` vectors from the front; returns how many. */
int sp_send_queue_vectors(const struct sp_send_queue *self, struct iovec *vectors, int limit);

/* Drops the first `count` bytes, which the kernel has taken; an emptied buffer goes back to *spare. */
void sp_send_queue_consume(struct sp_send_queue *self, size_t count, struct nn_chunk **spare);

/* Takes the first piece out, with a reference to its chunk, which must not be borrowed. */
void sp_send_queue_take(struct sp_send_queue *self, struct sp_piece *piece, struct nn_chunk **spare);

/* Copies what is borrowed, so that the queue outlives the call. Returns 0 or -ENOMEM. */
int sp_send_queue_own(struct sp_send_queue *self);

void sp_send_queue_clear(struct sp_send_queue *self);

#endif
