/* Where the bodies of small messages are copied to: many into one chunk, so that the thread that sends and the one that
 * receives do not meet in the allocator for each of them. Gain: PUSH to PULL over inproc, 64 B, two threads: CPU of
 * both 0.25 us a message instead of 0.47 (node scripts/bench/mechanisms.mjs body-arena). */
#ifndef SP_MESSAGE_BODY_ARENA_H
#define SP_MESSAGE_BODY_ARENA_H

#include <nanomsg/transport.h>

/* All zero: empty. */
struct sp_body_arena {
    struct nn_chunk *chunk; /* NULL: none */
    size_t used_bytes;
    unsigned references; /* to the chunk, taken beforehand for the messages to come, and one of the arena itself */
};

/* As nn_message_detach. */
int sp_body_arena_detach(struct sp_body_arena *self, struct nn_message *message);

void sp_body_arena_clear(struct sp_body_arena *self);

#endif
