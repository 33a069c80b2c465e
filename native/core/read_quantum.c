/* How much is read from one of many peers at a time. */
#include "core/pipe.h"
#include "core/socket_state.h"

/* All pipes with unread messages together. */
#define READ_QUANTUM_BYTES ((size_t)256 * 1024)

/* The limit of one pipe in frames of the length of its last one: what the protocol passes over costs the loop something
 * for each frame, and other peers wait meanwhile. */
#define LIMIT_FRAMES 2048
#define MIN_LIMIT_BYTES ((size_t)16 * 1024)

/* The minimum of one pipe in such frames: of short ones as many as its turn in a batch has, of longer ones enough to
 * make up for the call. */
#define MIN_SHORT_FRAMES SP_BATCH_QUANTUM_MESSAGES
#define SHORT_FRAMES_BYTES ((size_t)64 * 1024)
#define MIN_FRAMES 64
#define MIN_BYTES ((size_t)4 * 1024)

static size_t product_up_to(size_t limit, size_t factor, size_t bytes)
{
    return bytes < limit / factor ? bytes * factor : limit;
}

static size_t larger(size_t one, size_t other)
{
    return one > other ? one : other;
}

static size_t limit_bytes(size_t frame_bytes)
{
    return larger(product_up_to(READ_QUANTUM_BYTES, LIMIT_FRAMES, frame_bytes), MIN_LIMIT_BYTES);
}

static size_t min_bytes(size_t frame_bytes)
{
    size_t short_frames_bytes = product_up_to(SHORT_FRAMES_BYTES, MIN_SHORT_FRAMES, frame_bytes);
    size_t frames_bytes = product_up_to(READ_QUANTUM_BYTES, MIN_FRAMES, frame_bytes);

    return larger(larger(short_frames_bytes, frames_bytes), MIN_BYTES);
}

size_t sp_pipe_read_quantum(const struct nn_pipe *self, size_t frame_bytes)
{
    size_t readable_pipes = self->socket->readable_pipes + (self->can_receive ? 0 : 1);
    size_t share = READ_QUANTUM_BYTES / readable_pipes;
    size_t limit = limit_bytes(frame_bytes);

    return larger(share < limit ? share : limit, min_bytes(frame_bytes));
}
