/* Sends each message to every pipe that is writable; the others miss it. The body is shared, never copied
 * for each pipe. */
#ifndef SP_PROTOCOLS_PARTS_DISTRIBUTOR_H
#define SP_PROTOCOLS_PARTS_DISTRIBUTOR_H

#include <nanomsg/protocol.h>

#include "util/list.h"

/* A pipe's place; lives in the pipe's private part. */
struct sp_distributor_slot {
    struct sp_list_item item; /* in `writable` or `full` */
    struct nn_pipe *pipe;
    bool is_writable;
};

struct sp_distributor {
    struct sp_list writable;
    struct sp_list full; /* those that miss what is sent, which is counted */
};

void sp_distributor_init(struct sp_distributor *self);

/* Prepares the slot of a new pipe, which has to become writable first. */
void sp_distributor_add(struct sp_distributor *self, struct sp_distributor_slot *slot, struct nn_pipe *pipe);
/* The pipe is gone, or nothing can be sent to it any more. May be called again. */
void sp_distributor_remove(struct sp_distributor_slot *slot);
void sp_distributor_writable(struct sp_distributor *self, struct sp_distributor_slot *slot);

/* Sends to all writable pipes but the one with the id `except` (0: to all). Takes the message on 0, also
 * when there is no pipe; -ENOMEM leaves it with the caller, sent to no peer. */
int sp_distributor_send(struct sp_distributor *self, struct nn_message *message, uint32_t except);

#endif
