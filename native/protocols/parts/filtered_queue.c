/* Looks one accepted message ahead. */
#include "protocols/parts/filtered_queue.h"

void sp_filtered_queue_init(struct sp_filtered_queue *self, sp_filtered_queue_filter *accept)
{
    self->accept = accept;
    self->has_ahead = false;
}

void sp_filtered_queue_forget(struct sp_filtered_queue *self)
{
    if (self->has_ahead)
        nn_message_free(&self->ahead);
    self->has_ahead = false;
}

void sp_filtered_queue_clear(struct sp_filtered_queue *self, struct nn_protocol_socket *socket)
{
    struct nn_message message;
    struct nn_pipe *from;

    if (self->has_ahead)
        nn_protocol_count_dropped(socket, &self->ahead);
    sp_filtered_queue_forget(self);
    while (sp_fair_queue_receive(&self->pipes, &message, &from) == 0) {
        nn_pipe_count_dropped(from, &message);
        nn_message_free(&message);
    }
}

/* Ends: pipes give only what has been read already. */
static int filtered_queue_next(struct sp_filtered_queue *self, struct nn_message *message)
{
    struct nn_pipe *from;
    int rc;

    while ((rc = sp_fair_queue_receive(&self->pipes, message, &from)) == 0) {
        if (self->accept(self, message, from))
            return 0;
        nn_message_free(message);
    }
    return rc;
}

int sp_filtered_queue_receive(struct sp_filtered_queue *self, struct nn_message *message)
{
    if (!self->has_ahead)
        return filtered_queue_next(self, message);
    *message = self->ahead;
    self->has_ahead = false;
    return 0;
}

bool sp_filtered_queue_can_receive(struct sp_filtered_queue *self)
{
    if (!self->has_ahead)
        self->has_ahead = filtered_queue_next(self, &self->ahead) == 0;
    return self->has_ahead;
}
