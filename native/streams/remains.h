/* Unread messages of a peer that is gone: read from the kernel into memory, so that the descriptor can be closed before
 * the user receives them. */
#ifndef SP_STREAMS_REMAINS_H
#define SP_STREAMS_REMAINS_H

#include "streams/stream.h"

struct nn_chunk;

/* Made when there are some: most connections never have any. */
struct sp_remains {
    struct nn_chunk *chunk;
    size_t taken_bytes;
    struct sp_stream stream; /* gives the bytes once more, and then its end */
};

/* How many bytes the kernel holds of the stream. */
size_t sp_remains_held_bytes(const struct sp_stream *from);

/* Reads the stream to its end, or to limit_bytes. Returns 0 at the end of the stream, or -errno: of a stream that is
 * broken, -EAGAIN where there is nothing more to read, -ENOMEM. What was read before is kept. *remains: NULL: none yet.
 */
int sp_remains_gather(struct sp_remains **remains, struct sp_stream *from, size_t limit_bytes);

/* Both may be called with NULL. */
size_t sp_remains_bytes(const struct sp_remains *self);
void sp_remains_destroy(struct sp_remains *self);

#endif
