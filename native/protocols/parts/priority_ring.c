/* Sixteen circular lists and a mask of those that are not empty. */
#include "protocols/parts/priority_ring.h"

void sp_priority_slot_init(struct sp_priority_slot *slot, struct nn_pipe *pipe, int priority)
{
    slot->next = NULL;
    slot->previous = NULL;
    slot->pipe = pipe;
    slot->level = (unsigned)(priority - 1) % SP_PRIORITIES;
}

void sp_priority_ring_insert(struct sp_priority_ring *self, struct sp_priority_slot *slot)
{
    if (slot->next != NULL)
        return;

    struct sp_priority_slot *turn = self->turn[slot->level];
    if (turn == NULL) {
        slot->next = slot;
        slot->previous = slot;
        self->turn[slot->level] = slot;
        self->occupied |= 1u << slot->level;
        return;
    }
    slot->next = turn;
    slot->previous = turn->previous;
    turn->previous->next = slot;
    turn->previous = slot;
}

void sp_priority_ring_remove(struct sp_priority_ring *self, struct sp_priority_slot *slot)
{
    if (slot->next == NULL)
        return;

    if (slot->next == slot) {
        self->turn[slot->level] = NULL;
        self->occupied &= ~(1u << slot->level);
    } else {
        slot->previous->next = slot->next;
        slot->next->previous = slot->previous;
        if (self->turn[slot->level] == slot)
            self->turn[slot->level] = slot->next;
    }
    slot->next = NULL;
    slot->previous = NULL;
}
