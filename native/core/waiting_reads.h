/* Pipes that are read when their turn comes. A pipe whose unread messages have all been received, and whose connection
 * has more in the kernel, is read on at once only while few pipes have unread messages. Otherwise it waits in the line
 * of the socket: what was read of a thousand peers at a time would leave the processor's caches before it is received.
 *
 * 64 B from 1,000 peers to one Pull that receives in batches: 0.24 -> 0.18 us of the receiver's CPU time for a message
 * (npm run bench -- --field --only 'fan-in 1000'). */
#ifndef SP_CORE_WAITING_READS_H
#define SP_CORE_WAITING_READS_H

#include "core/pipe.h"

/* A pipe is new. Where one has a priority of its own there is no line: a pipe of better priority would lose its turn
 * in it. */
void sp_socket_note_priority(struct sp_socket *socket, const struct nn_pipe *pipe);

/* Puts the pipe at the end of the line, if there is one. Returns false when it is to be read on now. The pipe has a
 * direct poll, by which it is read. */
bool sp_pipe_wait_read(struct nn_pipe *pipe);

bool sp_pipe_waits_for_read(const struct nn_pipe *pipe);

/* Takes the pipe out of the line, if it is there: it is read now, or closed, or its connection is watched again. */
void sp_pipe_leave_reads(struct nn_pipe *pipe);

/* Whether the first pipe of the line is to be read now. */
bool sp_socket_has_due_reads(const struct sp_socket *socket);

/* Reads the pipes that are due; to be called before the lock is released. */
void sp_socket_read_due(struct sp_socket *socket);

#endif
