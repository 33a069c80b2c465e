/* One message from each pipe in turn, or a run of short ones. */
#include "protocols/parts/fair_queue.h"

#include <errno.h>

void sp_fair_queue_add(struct sp_priority_slot *slot, struct nn_pipe *pipe)
{
    sp_priority_slot_init(slot, pipe, nn_pipe_receive_priority(pipe));
}

void sp_fair_queue_remove(struct sp_fair_queue *self, struct sp_priority_slot *slot)
{
    sp_priority_ring_remove(&self->readable, slot);
}

void sp_fair_queue_readable(struct sp_fair_queue *self, struct sp_priority_slot *slot)
{
    sp_priority_ring_insert(&self->readable, slot);
}

int sp_fair_queue_receive(struct sp_fair_queue *self, struct nn_message *message, struct nn_pipe **from)
{
    struct sp_priority_slot *slot;

    while ((slot = sp_priority_ring_first(&self->readable)) != NULL) {
        int rc = nn_pipe_receive(slot->pipe, message);
        if (rc == 0) {
            if (!nn_pipe_has_quantum_left(slot->pipe))
                sp_priority_ring_advance(&self->readable, slot);
            if (from != NULL)
                *from = slot->pipe;
            return 0;
        }
        if (rc != -EAGAIN)
            return rc;
        sp_priority_ring_remove(&self->readable, slot);
    }
    return -EAGAIN;
}

bool sp_fair_queue_can_receive(struct sp_fair_queue *self)
{
    struct sp_priority_slot *slot;

    while ((slot = sp_priority_ring_first(&self->readable)) != NULL) {
        if (nn_pipe_can_receive(slot->pipe))
            return true;
        sp_priority_ring_remove(&self->readable, slot);
    }
    return false;
}
