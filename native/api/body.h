/* Bodies between the user's memory and messages: plain buffers, or memory of nn_allocmsg (a length of NN_MSG). */
#ifndef SP_API_BODY_H
#define SP_API_BODY_H

#include "message/message.h"

#include <nanomsg/nn.h>

/* Makes a message of the user's bytes without copying them: valid during the call. Memory of nn_allocmsg is viewed with
 * the user's own reference, and stays the user's unless the message is sent. Returns 0, -EFAULT, -ENOMEM (no such
 * length) or -EMSGSIZE (above INT_MAX). */
int nn_body_take(const void *buf, size_t len, struct nn_message *message);

/* The same for pieces, which are put together in memory of their own unless there is only one. Further errors: -EINVAL
 * (NN_MSG among several pieces, lengths that overflow); -EMSGSIZE also for a negative count. */
int nn_body_gather(const struct nn_iovec *pieces, int count, struct nn_message *message);

/* Gives back what sending has not taken: all but the user's own memory. */
void nn_body_return(struct nn_message *message, bool is_users);

/* Whether the one piece is memory of nn_allocmsg, or a place for it. */
static inline bool nn_body_is_message(const struct nn_iovec *pieces, int count)
{
    return count == 1 && pieces != NULL && pieces[0].iov_len == NN_MSG;
}

/* Gives the body to the user, and releases the message. Returns its full length, of which what does not fit is lost, or
 * -ENOMEM, or -EMSGSIZE above INT_MAX. */
int nn_body_give(struct nn_message *message, void *buf, size_t len);

/* Tells whether a body can be received into these pieces: 0, -EINVAL, -EMSGSIZE or -EFAULT. */
int nn_body_check_room(const struct nn_iovec *pieces, int count);

/* As nn_body_give; the pieces have been checked. */
int nn_body_scatter(struct nn_message *message, const struct nn_iovec *pieces, int count);

#endif
