/* A connection whose pipe is closed, or shall be. */
#ifndef SP_STREAMS_CONNECTION_CLOSING_H
#define SP_STREAMS_CONNECTION_CLOSING_H

#include "streams/connection_state.h"

/* How long a peer may take to answer our close frame. */
#define SP_CLOSE_HANDSHAKE_LIMIT_MS 1000

/* What the pipe does; see nanomsg/transport.h and core/pipe.h. */
void sp_connection_close(struct nn_pipe *pipe, bool may_linger);
size_t sp_connection_held_bytes(const struct nn_pipe *pipe);
void sp_connection_finish(struct nn_pipe *pipe);

/* Queues a close frame behind what is queued already, where the framing has one; the connection then lingers.
 * Returns false when none can be sent. */
bool sp_connection_send_close_frame(struct sp_connection *self, int reason, int limit_ms);
/* Of a connection that lingers: everything is passed on, or can no longer be. */
void sp_connection_linger_written(struct sp_connection *self);
void sp_connection_end_lingering(struct sp_connection *self);

#endif
