/* Fan-out: one body, many pipes. */
#include "protocols/parts/distributor.h"

#include <errno.h>

void sp_distributor_init(struct sp_distributor *self)
{
    sp_list_init(&self->writable);
    sp_list_init(&self->full);
}

void sp_distributor_add(struct sp_distributor *self, struct sp_distributor_slot *slot, struct nn_pipe *pipe)
{
    slot->pipe = pipe;
    slot->is_writable = false;
    sp_list_append(&self->full, &slot->item);
}

void sp_distributor_remove(struct sp_distributor_slot *slot)
{
    if (sp_list_is_linked(&slot->item))
        sp_list_remove(&slot->item);
}

void sp_distributor_writable(struct sp_distributor *self, struct sp_distributor_slot *slot)
{
    if (slot->is_writable || !sp_list_is_linked(&slot->item))
        return;
    slot->is_writable = true;
    sp_list_remove(&slot->item);
    sp_list_append(&self->writable, &slot->item);
}

/* The pipe leaves until it is writable again. */
static void distributor_set_full(struct sp_distributor *self, struct sp_distributor_slot *slot)
{
    slot->is_writable = false;
    sp_list_remove(&slot->item);
    sp_list_append(&self->full, &slot->item);
}

/* The first pipe from `item` on that is to get the message, or NULL. */
static struct sp_distributor_slot *distributor_find(const struct sp_distributor *self, struct sp_list_item *item,
                                                    uint32_t except)
{
    while (item != NULL) {
        struct sp_distributor_slot *slot = SP_CONTAINER(item, struct sp_distributor_slot, item);
        if (except == 0 || nn_pipe_id(slot->pipe) != except)
            return slot;
        item = sp_list_next(&self->writable, item);
    }
    return NULL;
}

static struct sp_distributor_slot *distributor_next(const struct sp_distributor *self, struct sp_distributor_slot *slot,
                                                    uint32_t except)
{
    return distributor_find(self, sp_list_next(&self->writable, &slot->item), except);
}

/* Takes the message if the pipe does. */
static bool distributor_pass(struct sp_distributor *self, struct sp_distributor_slot *slot, struct nn_message *message)
{
    int rc = nn_pipe_send(slot->pipe, message);

    if (rc < 0)
        nn_pipe_count_dropped(slot->pipe, message);
    if (rc == -EAGAIN) {
        distributor_set_full(self, slot);
        nn_pipe_set_slow(slot->pipe);
    }
    return rc == 0;
}

/* Pipes that are full already miss the message. */
static void distributor_count_missed(const struct sp_distributor *self, const struct nn_message *message,
                                     uint32_t except)
{
    for (struct sp_list_item *item = sp_list_first(&self->full); item != NULL; item = sp_list_next(&self->full, item)) {
        struct nn_pipe *pipe = SP_CONTAINER(item, struct sp_distributor_slot, item)->pipe;
        if (except == 0 || nn_pipe_id(pipe) != except) {
            nn_pipe_count_dropped(pipe, message);
            nn_pipe_set_slow(pipe);
        }
    }
}

int sp_distributor_send(struct sp_distributor *self, struct nn_message *message, uint32_t except)
{
    struct sp_distributor_slot *slot = distributor_find(self, sp_list_first(&self->writable), except);
    struct sp_distributor_slot *next = slot != NULL ? distributor_next(self, slot, except) : NULL;

    if (next != NULL && nn_message_own(message) < 0)
        return -ENOMEM;
    distributor_count_missed(self, message, except);

    /* A copy that a pipe refused serves the next one. A pipe whose copy finds no memory misses the
     * message, as a full one does. The last pipe gets the message itself. */
    struct nn_message copy;
    bool has_copy = false;
    while (next != NULL) {
        if (!has_copy)
            has_copy = nn_message_share(&copy, message) == 0;
        if (!has_copy)
            nn_pipe_count_dropped(slot->pipe, message);
        else if (distributor_pass(self, slot, &copy))
            has_copy = false;
        slot = next;
        next = distributor_next(self, slot, except);
    }
    if (has_copy)
        nn_message_free(&copy);

    if (slot == NULL || !distributor_pass(self, slot, message))
        nn_message_free(message);
    return 0;
}
