/* Looks one accepted message ahead. */
#include "protocols/parts/inbox.h"

void sp_inbox_init(struct sp_inbox *self, sp_inbox_filter *accept)
{
    self->accept = accept;
    self->has_ahead = false;
}

void sp_inbox_forget(struct sp_inbox *self)
{
    if (self->has_ahead)
        nn_message_free(&self->ahead);
    self->has_ahead = false;
}

void sp_inbox_clear(struct sp_inbox *self)
{
    struct nn_message message;

    sp_inbox_forget(self);
    while (sp_fair_queue_receive(&self->pipes, &message, NULL) == 0)
        nn_message_free(&message);
}

/* Ends: pipes give only what has been read already. */
static int inbox_next(struct sp_inbox *self, struct nn_message *message)
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

int sp_inbox_receive(struct sp_inbox *self, struct nn_message *message)
{
    if (!self->has_ahead)
        return inbox_next(self, message);
    *message = self->ahead;
    self->has_ahead = false;
    return 0;
}

bool sp_inbox_can_receive(struct sp_inbox *self)
{
    if (!self->has_ahead)
        self->has_ahead = inbox_next(self, &self->ahead) == 0;
    return self->has_ahead;
}
