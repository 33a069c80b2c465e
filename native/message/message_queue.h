/* A growing ring of messages, first in, first out. */
#ifndef SP_MESSAGE_MESSAGE_QUEUE_H
#define SP_MESSAGE_MESSAGE_QUEUE_H

#include "message/message.h"

struct sp_message_queue {
    struct nn_message *messages;
    size_t capacity; /* a power of two, or 0 */
    size_t first;
    size_t count;
    size_t bytes; /* headers and bodies of all */
};

/* Takes the message, whose body must be owned. Returns 0 or -ENOMEM, with nothing changed. */
int sp_message_queue_push(struct sp_message_queue *self, struct nn_message *message);

/* The first message, to be moved out or left; NULL when there is none. */
struct nn_message *sp_message_queue_first(struct sp_message_queue *self);

/* Forgets the first message, which the caller has moved out. `bytes` is its length when it was pushed. */
void sp_message_queue_forget_first(struct sp_message_queue *self, size_t bytes);

/* Moves the first message out. There must be one. */
void sp_message_queue_pop(struct sp_message_queue *self, struct nn_message *message);

/* Releases all messages and the ring. */
void sp_message_queue_clear(struct sp_message_queue *self);

#endif
