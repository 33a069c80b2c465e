/* Pipes that are ready, in 16 strict priorities, each a round robin. The common ground of the load
 * balancer and the fair queue. Every operation takes the same time whatever the number of pipes. */
#ifndef SP_PROTOCOLS_PARTS_PRIORITY_RING_H
#define SP_PROTOCOLS_PARTS_PRIORITY_RING_H

#include <nanomsg/protocol.h>

#define SP_PRIORITIES 16

/* A pipe's place in a ring; lives in the pipe's private part. */
struct sp_priority_slot {
    struct sp_priority_slot *next; /* NULL: not in the ring */
    struct sp_priority_slot *previous;
    struct nn_pipe *pipe;
    unsigned level; /* priority - 1 */
};

/* Valid when zeroed. */
struct sp_priority_ring {
    uint32_t occupied;                            /* bit n: level n has a pipe */
    struct sp_priority_slot *turn[SP_PRIORITIES]; /* whose turn it is; NULL: the level is empty */
};

/* Priority is 1 (served first) to 16. The slot is in no ring yet. */
void sp_priority_slot_init(struct sp_priority_slot *slot, struct nn_pipe *pipe, int priority);

/* Puts the slot at the tail: all others of its priority have their turn first. Does nothing when it is in
 * the ring already. */
void sp_priority_ring_insert(struct sp_priority_ring *self, struct sp_priority_slot *slot);

/* Takes the slot out; does nothing when it is not in the ring. */
void sp_priority_ring_remove(struct sp_priority_ring *self, struct sp_priority_slot *slot);

/* The slot whose turn it is, or NULL when the ring is empty. */
static inline struct sp_priority_slot *sp_priority_ring_first(const struct sp_priority_ring *self)
{
    if (self->occupied == 0)
        return NULL;
    return self->turn[__builtin_ctz(self->occupied)];
}

/* Gives the turn to the slot behind this one, which is in the ring. */
static inline void sp_priority_ring_advance(struct sp_priority_ring *self, const struct sp_priority_slot *slot)
{
    self->turn[slot->level] = slot->next;
}

#endif
