/* Bytes of a connection that are received and not taken yet: complete frames in a slab, found in place, and the one
 * incomplete frame behind them.
 *
 * Slabs are shared by all connections of a loop and never pinned by an incomplete frame: its bytes move to memory of
 * its own, small ones to be joined with the rest in the next slab, large ones to be filled by the kernel directly. */
#ifndef SP_STREAMS_RECEIVE_BUFFER_H
#define SP_STREAMS_RECEIVE_BUFFER_H

#include "message/chunk.h"
#include "core/loop_state.h"
#include "message/message.h"
#include "streams/framing.h"
#include "streams/stream.h"

struct sp_receive_buffer {
    struct nn_chunk *slab; /* one reference while there are bytes from begin to end */
    const uint8_t *begin;
    const uint8_t *end;
    struct sp_frame frame;    /* of the first complete message */
    struct nn_chunk *partial; /* the incomplete frame; size_bytes of it are there */
    size_t partial_bytes;     /* its full length, or 0 while that is not known */
    bool is_after_long;       /* the last frame was long: the next one may be, too */
    bool is_cut;              /* the last read ended behind a look-ahead, and there may be more */
    /* Memory is short: little is read of a frame, and kept where it just fits, until the frame has its memory. */
    bool is_short;
};

/* Reads once, into a slab no more than what completes a frame and limit_bytes. Returns the number of bytes, 0 at the
 * end of the stream, or -errno (-EAGAIN: nothing there). There must be no complete frame. */
ssize_t sp_receive_buffer_fill(struct sp_receive_buffer *self, struct sp_stream *stream, struct nn_loop *loop,
                               size_t limit_bytes);

/* Only the beginning of a long frame was read, and the rest may be there as well: another read is worth it. */
static inline bool sp_receive_buffer_is_cut(const struct sp_receive_buffer *self)
{
    return self->is_cut && self->partial != NULL;
}

/* Looks for the next complete frame. Returns 1; 0 when more bytes are needed; -EMSGSIZE, -EPROTO, -ENOMEM. */
int sp_receive_buffer_next(struct sp_receive_buffer *self, const struct sp_framing *framing,
                           const struct sp_session *session, size_t limit_bytes);

/* The start of the frame that sp_receive_buffer_next has found. These bytes are not shared yet: they may be changed in
 * place. */
uint8_t *sp_receive_buffer_frame(struct sp_receive_buffer *self);

/* Takes that frame's body as a message, or drops the frame. */
void sp_receive_buffer_take(struct sp_receive_buffer *self, struct nn_message *message);

void sp_receive_buffer_drop(struct sp_receive_buffer *self);

/* Puts the first bytes of the stream in, which were read by other means. Returns 0 or -ENOMEM. */
int sp_receive_buffer_start(struct sp_receive_buffer *self, const uint8_t *bytes, size_t count);

/* The memory of a frame that has come in part. */
static inline size_t sp_receive_buffer_partial_bytes(const struct sp_receive_buffer *self)
{
    return self->partial != NULL ? self->partial->capacity_bytes : 0;
}

/* The same when the frame goes on. */
size_t sp_receive_buffer_needed_bytes(const struct sp_receive_buffer *self);

/* What has come of that frame, and what has not: at least 1, when that is not known. */
static inline size_t sp_receive_buffer_arrived_bytes(const struct sp_receive_buffer *self)
{
    return self->partial != NULL ? self->partial->size_bytes : 0;
}

static inline size_t sp_receive_buffer_missing_bytes(const struct sp_receive_buffer *self)
{
    return self->partial != NULL && self->partial_bytes > self->partial->size_bytes
               ? self->partial_bytes - self->partial->size_bytes
               : 1;
}

/* What has come of a frame that is not complete, and may be all that comes. */
static inline size_t sp_receive_buffer_unfinished_bytes(const struct sp_receive_buffer *self)
{
    bool is_complete = self->partial != NULL && self->partial->size_bytes == self->partial_bytes;

    return is_complete ? 0 : sp_receive_buffer_arrived_bytes(self);
}

/* What has come and is not taken yet. */
static inline size_t sp_receive_buffer_bytes(const struct sp_receive_buffer *self)
{
    return (size_t)(self->end - self->begin) + sp_receive_buffer_partial_bytes(self);
}

void sp_receive_buffer_clear(struct sp_receive_buffer *self);

#endif
