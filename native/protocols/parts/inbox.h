/* A fair queue behind a filter, for protocols to which not every message that comes is a message: sub,
 * and all that parse a header. It looks one message ahead, so that "can receive" means what it says. */
#ifndef SP_PROTOCOLS_PARTS_INBOX_H
#define SP_PROTOCOLS_PARTS_INBOX_H

#include "protocols/parts/fair_queue.h"

struct sp_inbox;

/* Decides about a message that came from a pipe, and may move bytes of its body to its header. A message
 * that is not accepted is dropped. */
typedef bool sp_inbox_filter(struct sp_inbox *self, struct nn_message *message, struct nn_pipe *from);

struct sp_inbox {
    struct sp_fair_queue pipes;
    sp_inbox_filter *accept;
    struct nn_message ahead; /* accepted, not yet given to the user; stays when its pipe goes */
    bool has_ahead;
};

void sp_inbox_init(struct sp_inbox *self, sp_inbox_filter *accept);

/* Drops the message it has looked at ahead; others stay in their pipes. */
void sp_inbox_forget(struct sp_inbox *self);

/* Drops everything that has come. */
void sp_inbox_clear(struct sp_inbox *self);

/* Gives the next accepted message, or -EAGAIN. */
int sp_inbox_receive(struct sp_inbox *self, struct nn_message *message);

bool sp_inbox_can_receive(struct sp_inbox *self);

#endif
