/* Received bytes and the frames in them. */
#include "streams/receive_buffer.h"

#include "core/receive_slabs.h"

#include "message/chunk.h"
#include "util/without_const.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* Longer frames are read into memory of their own, so that their bodies are never copied. */
#define DIRECT_FRAME_BYTES ((size_t)16 * 1024)
/* After a frame longer than this another such is expected: the slab takes only enough of it to recognise it
 * (LOOK_AHEAD_BYTES), and its own memory the rest. */
#define LONG_FRAME_BYTES ((size_t)128 * 1024)
#define LOOK_AHEAD_BYTES ((size_t)512)
/* With less room, the next slab is used. */
#define SLAB_MIN_ROOM_BYTES ((size_t)16 * 1024)
/* What is read at a time where memory is short. */
#define SHORT_READ_BYTES ((size_t)4 * 1024)
/* How far a peer's announced length is trusted: up to here, addresses are reserved at once, and the system backs them
 * by memory as bytes arrive, unless the buffer cache has memory. Beyond, the memory is moved as it grows. */
#define TRUSTED_FRAME_BYTES ((size_t)4 * 1024 * 1024)
/* No memory holds a longer body. It is refused even where the user has set no limit, so that its length and that of its
 * prefix can be added. */
#define BODY_LIMIT_BYTES (SIZE_MAX / 2)

/* ---- Filling ---- */

/* The incomplete frame is long: the kernel fills its memory, and the slab only with what follows it. */
static bool is_direct(const struct sp_receive_buffer *self)
{
    return self->partial != NULL && self->partial_bytes > DIRECT_FRAME_BYTES;
}

static size_t smaller(size_t one, size_t other)
{
    return one < other ? one : other;
}

size_t sp_receive_buffer_needed_bytes(const struct sp_receive_buffer *self)
{
    const struct nn_chunk *partial = self->partial;

    if (partial == NULL)
        return 0;
    if (partial->capacity_bytes < smaller(self->partial_bytes, TRUSTED_FRAME_BYTES))
        return smaller(self->partial_bytes, TRUSTED_FRAME_BYTES);
    if (partial->size_bytes < partial->capacity_bytes)
        return partial->capacity_bytes;
    return smaller(self->partial_bytes, partial->capacity_bytes * 2);
}

static int make_room_for_partial(struct sp_receive_buffer *self)
{
    size_t needed_bytes = sp_receive_buffer_needed_bytes(self);

    return needed_bytes > self->partial->capacity_bytes ? sp_chunk_grow(&self->partial, needed_bytes) : 0;
}

/* Takes over `count` bytes at the end of what is used of the slab. */
static void hold_slab(struct sp_receive_buffer *self, struct sp_slab *slab, size_t count)
{
    if (count == 0)
        return;
    sp_chunk_retain(slab->chunk);
    self->slab = slab->chunk;
    self->begin = slab->chunk->bytes + slab->used_bytes;
    self->end = self->begin + count;
    slab->used_bytes += count;
}

/* There is room behind the frame that is read directly for another one as long. */
static size_t min_room(const struct sp_receive_buffer *self)
{
    return is_direct(self) && self->partial_bytes <= LONG_FRAME_BYTES ? self->partial_bytes + LOOK_AHEAD_BYTES
                                                                      : SLAB_MIN_ROOM_BYTES;
}

/* How much may be read into the slab behind the frame that is read directly. Others as long are expected: what is read
 * ends with one of them, so that no large part of the next one has to be moved. */
static size_t room_behind(const struct sp_receive_buffer *self, const struct sp_slab *slab)
{
    size_t room = slab->chunk->capacity_bytes - slab->used_bytes - LOOK_AHEAD_BYTES;
    size_t frames = self->partial_bytes <= LONG_FRAME_BYTES ? room / self->partial_bytes : 0;

    return frames * self->partial_bytes + LOOK_AHEAD_BYTES;
}

static ssize_t fill_direct(struct sp_receive_buffer *self, struct sp_stream *stream, struct sp_slab *slab)
{
    if (make_room_for_partial(self) < 0)
        return -ENOMEM;

    struct nn_chunk *partial = self->partial;
    size_t room = partial->capacity_bytes - partial->size_bytes;
    bool ends_here = partial->capacity_bytes >= self->partial_bytes;
    if (ends_here)
        room = self->partial_bytes - partial->size_bytes;
    struct iovec vectors[2] = {
        {.iov_base = partial->bytes + partial->size_bytes, .iov_len = room},
        {.iov_base = slab->chunk->bytes + slab->used_bytes,
         .iov_len = self->is_short ? LOOK_AHEAD_BYTES : room_behind(self, slab)},
    };
    ssize_t count = sp_stream_read(stream, vectors, ends_here ? 2 : 1);
    if (count <= 0)
        return count;

    size_t direct = (size_t)count < room ? (size_t)count : room;
    partial->size_bytes += direct;
    hold_slab(self, slab, (size_t)count - direct);
    return count;
}

static ssize_t fill_slab(struct sp_receive_buffer *self, struct sp_stream *stream, struct sp_slab *slab,
                         size_t limit_bytes)
{
    uint8_t *to = slab->chunk->bytes + slab->used_bytes;
    size_t carried = self->partial != NULL ? self->partial->size_bytes : 0;
    size_t missing = self->partial != NULL && self->partial_bytes > carried ? self->partial_bytes - carried : 0;
    size_t room = slab->chunk->capacity_bytes - slab->used_bytes - carried;
    bool is_cautious = self->is_after_long && room > LOOK_AHEAD_BYTES;
    size_t limit = self->is_short ? smaller(limit_bytes, SHORT_READ_BYTES) : limit_bytes;
    size_t wanted = is_cautious ? LOOK_AHEAD_BYTES : missing + limit;
    struct iovec vector = {.iov_base = to + carried, .iov_len = room < wanted ? room : wanted};

    ssize_t count = sp_stream_read(stream, &vector, 1);
    if (count <= 0)
        return count;
    self->is_cut = is_cautious && (size_t)count == vector.iov_len;
    self->is_after_long = false;
    if (self->partial != NULL) {
        memcpy(to, self->partial->bytes, carried);
        sp_chunk_release(self->partial);
        self->partial = NULL;
    }
    hold_slab(self, slab, carried + (size_t)count);
    return count;
}

ssize_t sp_receive_buffer_fill(struct sp_receive_buffer *self, struct sp_stream *stream, struct nn_loop *loop,
                               size_t limit_bytes)
{
    struct sp_slab slab;
    int rc = sp_slab_take(loop, &slab, min_room(self));

    if (rc < 0)
        return rc;
    self->is_cut = false;
    ssize_t count = is_direct(self) ? fill_direct(self, stream, &slab) : fill_slab(self, stream, &slab, limit_bytes);
    sp_slab_give(loop, &slab);
    return count;
}

/* ---- Frames ---- */

static void release_slab(struct sp_receive_buffer *self)
{
    if (self->slab != NULL)
        sp_chunk_release(self->slab);
    self->slab = NULL;
    self->begin = NULL;
    self->end = NULL;
}

static size_t frame_bytes(const struct sp_frame *frame)
{
    return frame->prefix_bytes + frame->body_bytes;
}

static bool has_complete_partial(const struct sp_receive_buffer *self)
{
    return self->partial != NULL && self->partial_bytes > 0 && self->partial->size_bytes == self->partial_bytes;
}

/* Moves the bytes of an incomplete frame (of full_bytes, or 0 if not known) out of the slab. */
static int stash(struct sp_receive_buffer *self, size_t full_bytes)
{
    size_t available = (size_t)(self->end - self->begin);
    size_t capacity = full_bytes == 0  ? SP_FRAME_PREFIX_LIMIT_BYTES
                      : self->is_short ? available
                                       : smaller(full_bytes, TRUSTED_FRAME_BYTES);

    self->partial = sp_chunk_create(capacity);
    if (self->partial == NULL)
        return -ENOMEM;
    memcpy(self->partial->bytes, self->begin, available);
    self->partial->size_bytes = available;
    self->partial_bytes = full_bytes;
    release_slab(self);
    return 0;
}

int sp_receive_buffer_next(struct sp_receive_buffer *self, const struct sp_framing *framing,
                           const struct sp_session *session, size_t limit_bytes)
{
    size_t available = (size_t)(self->end - self->begin);
    int rc;

    if (has_complete_partial(self)) {
        framing->parse(session, self->partial->bytes, self->partial->size_bytes, SIZE_MAX, &self->frame);
        return 1;
    }
    if (self->partial != NULL)
        return 0;

    if (available == 0) {
        release_slab(self);
        return 0;
    }

    if (limit_bytes > BODY_LIMIT_BYTES)
        limit_bytes = BODY_LIMIT_BYTES;
    rc = framing->parse(session, self->begin, available, limit_bytes, &self->frame);
    if (rc < 0)
        return rc;
    if (rc > 0 && self->frame.body_bytes <= available - self->frame.prefix_bytes)
        return 1;
    return stash(self, rc > 0 ? frame_bytes(&self->frame) : 0);
}

void sp_receive_buffer_take(struct sp_receive_buffer *self, struct nn_message *message)
{
    const struct sp_frame *frame = &self->frame;

    if (has_complete_partial(self)) {
        self->is_after_long = self->partial_bytes > LONG_FRAME_BYTES;
        sp_message_view(message, self->partial, self->partial->bytes + frame->prefix_bytes, frame->body_bytes);
        self->partial = NULL;
        return;
    }
    sp_chunk_retain(self->slab);
    sp_message_view(message, self->slab, self->begin + frame->prefix_bytes, frame->body_bytes);
    self->begin += frame_bytes(frame);
}

uint8_t *sp_receive_buffer_frame(struct sp_receive_buffer *self)
{
    return has_complete_partial(self) ? self->partial->bytes : sp_without_const(self->begin);
}

void sp_receive_buffer_drop(struct sp_receive_buffer *self)
{
    if (!has_complete_partial(self)) {
        self->begin += frame_bytes(&self->frame);
        return;
    }
    sp_chunk_release(self->partial);
    self->partial = NULL;
}

int sp_receive_buffer_start(struct sp_receive_buffer *self, const uint8_t *bytes, size_t count)
{
    struct nn_chunk *chunk = sp_chunk_create(count);

    if (chunk == NULL)
        return -ENOMEM;
    memcpy(chunk->bytes, bytes, count);
    self->slab = chunk;
    self->begin = chunk->bytes;
    self->end = chunk->bytes + count;
    return 0;
}

void sp_receive_buffer_clear(struct sp_receive_buffer *self)
{
    release_slab(self);
    if (self->partial != NULL)
        sp_chunk_release(self->partial);
    self->partial = NULL;
}
