/* What a connection receives. */
#ifndef SP_STREAMS_CONNECTION_RECEIVING_H
#define SP_STREAMS_CONNECTION_RECEIVING_H

#include "streams/connection_state.h"

/* What the pipe does; see nanomsg/transport.h. */
int sp_connection_receive(struct nn_pipe *pipe, struct nn_message *message);

/* Reads once or twice. ready: what the poller reports, if it was asked. */
void sp_connection_read(struct sp_connection *self, unsigned ready);
/* Tells the protocol when what has come holds a message. */
void sp_connection_deliver(struct sp_connection *self);
/* Lets calls look after the connection's descriptor, now that it has a pipe. */
void sp_connection_allow_direct_poll(struct sp_connection *self);
/* Looks after what the filter has taken from the kernel already. */
void sp_connection_watch_filter(struct sp_connection *self);
/* Bytes have left: a filter that was choked goes on, if a message does not wait for the user anyway. */
void sp_connection_unchoke(struct sp_connection *self);

#endif
