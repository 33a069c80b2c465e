/* How much of a batch comes from one pipe before the next one has its turn. It amortises the cache misses of switching
 * pipes, and is short enough that no pipe waits long. */
#ifndef SP_CORE_BATCH_QUANTUM_H
#define SP_CORE_BATCH_QUANTUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In messages. Requests and answers are fewer: what the user does with each of them costs far more than such a miss. */
#define SP_BATCH_QUANTUM_MESSAGES 128
#define SP_CONTEXT_QUANTUM_MESSAGES 8

/* In bytes. */
#define SP_BATCH_QUANTUM_BYTES ((size_t)8 * 1024)

struct sp_batch_quantum {
    unsigned limit_messages; /* 0: messages are taken one at a time */
    uint32_t pipe;
    uint64_t end_messages; /* of what the pipe has given in all */
    uint64_t end_bytes;
    bool is_over; /* memory of the pipe was used up */
};

/* Whether a pipe that has given these messages and bytes in all may give another one. */
static inline bool sp_batch_quantum_is_left(const struct sp_batch_quantum *self, uint32_t pipe, uint64_t messages,
                                            uint64_t bytes)
{
    return self->pipe == pipe && messages < self->end_messages && bytes < self->end_bytes;
}

/* The pipe gives a message, which messages and bytes do not count yet. */
static inline void sp_batch_quantum_use(struct sp_batch_quantum *self, uint32_t pipe, uint64_t messages, uint64_t bytes)
{
    if (self->limit_messages == 0 || self->is_over) {
        self->pipe = 0; /* the next batch, or message, begins another quantum */
        self->is_over = false;
        return;
    }
    if (sp_batch_quantum_is_left(self, pipe, messages, bytes))
        return;
    self->pipe = pipe;
    self->end_messages = messages + self->limit_messages;
    self->end_bytes = bytes + SP_BATCH_QUANTUM_BYTES;
}

#endif
