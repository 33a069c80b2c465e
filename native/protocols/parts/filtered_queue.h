/* A fair queue behind a filter, for protocols to which not every message that comes is a message: sub,
 * and all that parse a header. It looks one message ahead, so that "can receive" means what it says. */
#ifndef SP_PROTOCOLS_PARTS_FILTERED_QUEUE_H
#define SP_PROTOCOLS_PARTS_FILTERED_QUEUE_H

#include "protocols/parts/fair_queue.h"

struct sp_filtered_queue;

/* Decides about a message that came from a pipe, and may move bytes of its body to its header. A message
 * that is not accepted is dropped. */
typedef bool sp_filtered_queue_filter(struct sp_filtered_queue *self, struct nn_message *message, struct nn_pipe *from);

struct sp_filtered_queue {
    struct sp_fair_queue pipes;
    sp_filtered_queue_filter *accept;
    struct nn_message ahead; /* accepted, not yet given to the user; stays when its pipe goes */
    bool has_ahead;
};

void sp_filtered_queue_init(struct sp_filtered_queue *self, sp_filtered_queue_filter *accept);

/* Drops the message it has looked at ahead; others stay in their pipes. */
void sp_filtered_queue_forget(struct sp_filtered_queue *self);

/* Drops everything that has come, and counts it. */
void sp_filtered_queue_clear(struct sp_filtered_queue *self, struct nn_protocol_socket *socket);

/* For filters whose messages are lost when they are not accepted: counts those, and returns is_accepted. */
static inline bool sp_filtered_queue_count(bool is_accepted, const struct nn_message *message, struct nn_pipe *from)
{
    if (!is_accepted)
        nn_pipe_count_dropped(from, message);
    return is_accepted;
}

/* Gives the next accepted message, or -EAGAIN. */
int sp_filtered_queue_receive(struct sp_filtered_queue *self, struct nn_message *message);

bool sp_filtered_queue_can_receive(struct sp_filtered_queue *self);

#endif
