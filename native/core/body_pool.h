/* Where the bodies of small messages are copied to: many into one chunk, so that the thread that sends and the one that
 * receives do not meet in the allocator for each of them. */
#ifndef SP_CORE_BODY_POOL_H
#define SP_CORE_BODY_POOL_H

#include <nanomsg/transport.h>

/* All zero: empty. */
struct sp_body_pool {
    struct nn_chunk *chunk; /* NULL: none */
    size_t used_bytes;
    unsigned references; /* to the chunk, taken beforehand for the messages to come, and one of the pool itself */
};

/* As nn_message_detach. */
int sp_body_pool_detach(struct sp_body_pool *self, struct nn_message *message);

void sp_body_pool_clear(struct sp_body_pool *self);

#endif
