/* Pipes that are read when their turn comes. A pipe whose unread messages have all been received, and whose connection
 * has more in the kernel, is read on at once only while few pipes have unread messages. Otherwise it waits in the line
 * of the socket: what was read of a thousand peers at a time would leave the processor's caches before it is received.
 *
 * 64 B from 1,000 peers to one Pull that receives in batches: 0.24 -> 0.18 us of the receiver's CPU time for a message
 * (npm run bench -- --field --only 'fan-in 1000'). */
#ifndef SP_CORE_WAITING_READS_H
#define SP_CORE_WAITING_READS_H

#include "core/pipe.h"

/* The pipe may be left unread, and has a direct poll by which it is read. There is a line as long as this holds for all
 * pipes of the socket. It does not for one with a priority of its own: a better one would lose its turn. */
void sp_pipe_allow_waiting(struct nn_pipe *pipe);

/* The pipe is closed. */
void sp_pipe_end_waiting(struct nn_pipe *pipe);

/* Puts the pipe at the end of the line, if there is one. Returns false when it is to be read on now. */
bool sp_pipe_wait_read(struct nn_pipe *pipe);

bool sp_pipe_waits_for_read(const struct nn_pipe *pipe);

/* Takes the pipe out of the line, if it is there: it is read now, or has no direct poll any more, or its connection is
 * watched again. */
void sp_pipe_leave_reads(struct nn_pipe *pipe);

/* Whether the first pipe of the line is to be read now. */
bool sp_socket_has_due_reads(const struct sp_socket *socket);

/* Reads the pipes that are due; to be called before the lock is released. */
void sp_socket_read_due(struct sp_socket *socket);

#endif
