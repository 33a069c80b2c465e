/* Control data: what a message carries besides its body, as records that users read and write. */
#ifndef SP_API_CONTROL_DATA_H
#define SP_API_CONTROL_DATA_H

#include "message/message.h"

#include <nanomsg/nn.h>

/* Gives the message the header (PROTO_SP, SP_HDR) and the type of frame (NN_WS, NN_WS_MSG_TYPE) that the user's records
 * hold. Records that are not understood are passed over. Returns 0, -EFAULT (no message where msg_controllen says
 * NN_MSG) or -ENOMEM. */
int nn_control_take(const struct nn_msghdr *from, struct nn_message *message);

/* Releases the user's records when they are memory of nn_allocmsg. */
void nn_control_release(const struct nn_msghdr *from);

/* Writes the records of a message as far as there is room, or into memory of nn_allocmsg that the user gets. Returns 0
 * or -ENOMEM. */
int nn_control_give(const struct nn_message *message, struct nn_msghdr *to);

#endif
