/* Sends each message to one pipe: the next in turn among the writable ones of the best priority.
 *
 * A pipe that turns out to take nothing leaves, and rejoins at the tail when it is writable again. That
 * is noticed when its turn comes, so that the steady path asks a pipe nothing but to send. */
#ifndef SP_PROTOCOLS_PARTS_LOAD_BALANCER_H
#define SP_PROTOCOLS_PARTS_LOAD_BALANCER_H

#include "protocols/parts/priority_ring.h"

/* Valid when zeroed. */
struct sp_load_balancer {
    struct sp_priority_ring writable;
};

/* Prepares the slot of a new pipe, which has to become writable first. */
void sp_load_balancer_add(struct sp_priority_slot *slot, struct nn_pipe *pipe);
void sp_load_balancer_remove(struct sp_load_balancer *self, struct sp_priority_slot *slot);
void sp_load_balancer_writable(struct sp_load_balancer *self, struct sp_priority_slot *slot);

/* Takes the message on 0 and sets *to, if not NULL, to the pipe it went to; -EAGAIN when no pipe takes it. */
int sp_load_balancer_send(struct sp_load_balancer *self, struct nn_message *message, struct nn_pipe **to);

/* The same for a slot of the caller's choice among those of the best priority: the turn goes on behind it. On -EAGAIN
 * it has left. */
int sp_load_balancer_send_to(struct sp_load_balancer *self, struct sp_priority_slot *slot, struct nn_message *message);

/* The priority at which the next message would leave, or -1. */
int sp_load_balancer_priority(struct sp_load_balancer *self);

static inline bool sp_load_balancer_can_send(struct sp_load_balancer *self)
{
    return sp_load_balancer_priority(self) != -1;
}

#endif
