/* One pipe for each message. */
#include "protocols/parts/load_balancer.h"

#include <errno.h>

void sp_load_balancer_add(struct sp_priority_slot *slot, struct nn_pipe *pipe)
{
    sp_priority_slot_init(slot, pipe, nn_pipe_send_priority(pipe));
}

void sp_load_balancer_remove(struct sp_load_balancer *self, struct sp_priority_slot *slot)
{
    sp_priority_ring_remove(&self->writable, slot);
}

void sp_load_balancer_writable(struct sp_load_balancer *self, struct sp_priority_slot *slot)
{
    sp_priority_ring_insert(&self->writable, slot);
}

int sp_load_balancer_send_to(struct sp_load_balancer *self, struct sp_priority_slot *slot, struct nn_message *message)
{
    int rc = nn_pipe_send(slot->pipe, message);

    if (rc == 0)
        sp_priority_ring_advance(&self->writable, slot);
    else if (rc == -EAGAIN)
        sp_priority_ring_remove(&self->writable, slot);
    return rc;
}

int sp_load_balancer_send(struct sp_load_balancer *self, struct nn_message *message, struct nn_pipe **to)
{
    struct sp_priority_slot *slot;

    while ((slot = sp_priority_ring_first(&self->writable)) != NULL) {
        int rc = sp_load_balancer_send_to(self, slot, message);
        if (rc == 0 && to != NULL)
            *to = slot->pipe;
        if (rc != -EAGAIN)
            return rc;
    }
    return -EAGAIN;
}

int sp_load_balancer_priority(struct sp_load_balancer *self)
{
    struct sp_priority_slot *slot;

    while ((slot = sp_priority_ring_first(&self->writable)) != NULL) {
        if (nn_pipe_can_send(slot->pipe))
            return (int)slot->level + 1;
        sp_priority_ring_remove(&self->writable, slot);
    }
    return -1;
}
