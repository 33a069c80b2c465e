/* What a connection sends: messages of the pipe, frames of the framing. */
#ifndef SP_STREAMS_CONNECTION_SENDING_H
#define SP_STREAMS_CONNECTION_SENDING_H

#include "streams/connection_state.h"

/* What the pipe does; see nanomsg/transport.h. */
int sp_connection_send(struct nn_pipe *pipe, struct nn_message *message);
void sp_connection_flush(struct nn_pipe *pipe);

/* Nothing is sent any more; what comes from the peer is still received. */
void sp_connection_end_sending(struct sp_connection *self);
void sp_connection_set_queue_limit(struct sp_connection *self);
/* Whether the pipe accepts more although the queue is not empty yet. */
bool sp_connection_has_room_again(const struct sp_connection *self);
/* Passes on what is queued until the kernel refuses. Returns true when nothing is left. */
bool sp_connection_write(struct sp_connection *self);
/* Queues the framing's own frame, or sends it in answer to what was read. */
void sp_connection_queue_control(struct sp_connection *self);
void sp_connection_answer_control(struct sp_connection *self);
/* The filter holds bytes that the kernel has refused. */
void sp_connection_watch_unsent(struct sp_connection *self);
/* Returns what is taken, 0 when the kernel is full, or -errno. */
ssize_t sp_send_vectors(struct sp_connection *self, struct iovec *vectors, int count);

#endif
