/* Receives from all pipes: each message from the next in turn among the readable ones of the best
 * priority. A pipe leaves when its turn comes and it has nothing, and rejoins at the tail. */
#ifndef SP_PROTOCOLS_PARTS_FAIR_QUEUE_H
#define SP_PROTOCOLS_PARTS_FAIR_QUEUE_H

#include "protocols/parts/priority_ring.h"

/* Valid when zeroed. */
struct sp_fair_queue {
    struct sp_priority_ring readable;
};

/* Prepares the slot of a new pipe, which has to become readable first. */
void sp_fair_queue_add(struct sp_priority_slot *slot, struct nn_pipe *pipe);
void sp_fair_queue_remove(struct sp_fair_queue *self, struct sp_priority_slot *slot);
void sp_fair_queue_readable(struct sp_fair_queue *self, struct sp_priority_slot *slot);

/* Gives the next message and the pipe it came from (`from` may be NULL); -EAGAIN when there is none. */
int sp_fair_queue_receive(struct sp_fair_queue *self, struct nn_message *message, struct nn_pipe **from);

bool sp_fair_queue_can_receive(struct sp_fair_queue *self);

#endif
