/* A growing ring of messages. */
#include "message/message_queue.h"

#include "util/memory.h"

#include <errno.h>
#include <string.h>

static int message_queue_grow(struct sp_message_queue *self)
{
    size_t capacity = self->capacity > 0 ? self->capacity * 2 : 16;
    struct nn_message *messages = sp_alloc(capacity * sizeof *messages);

    if (messages == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < self->count; i++)
        messages[i] = self->messages[(self->first + i) & (self->capacity - 1)];
    sp_free(self->messages);
    self->messages = messages;
    self->capacity = capacity;
    self->first = 0;
    return 0;
}

int sp_message_queue_push(struct sp_message_queue *self, struct nn_message *message)
{
    if (self->count == self->capacity) {
        int rc = message_queue_grow(self);
        if (rc < 0)
            return rc;
    }
    self->messages[(self->first + self->count) & (self->capacity - 1)] = *message;
    self->count++;
    self->bytes += sp_message_bytes(message);
    nn_message_init(message);
    return 0;
}

struct nn_message *sp_message_queue_first(struct sp_message_queue *self)
{
    return self->count > 0 ? &self->messages[self->first] : NULL;
}

void sp_message_queue_forget_first(struct sp_message_queue *self, size_t bytes)
{
    self->first = (self->first + 1) & (self->capacity - 1);
    self->count--;
    self->bytes -= bytes;
}

void sp_message_queue_pop(struct sp_message_queue *self, struct nn_message *message)
{
    *message = self->messages[self->first];
    sp_message_queue_forget_first(self, sp_message_bytes(message));
}

void sp_message_queue_clear(struct sp_message_queue *self)
{
    struct nn_message message;

    while (self->count > 0) {
        sp_message_queue_pop(self, &message);
        nn_message_free(&message);
    }
    sp_free(self->messages);
    *self = (struct sp_message_queue){0};
}
