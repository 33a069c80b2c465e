/* A connection before it has a pipe. */
#ifndef SP_STREAMS_CONNECTION_HANDSHAKE_H
#define SP_STREAMS_CONNECTION_HANDSHAKE_H

#include "streams/connection_state.h"

/* Goes on with the filter's agreement, begins the handshake, goes on with it. */
void sp_connection_secure(struct sp_connection *self);
int sp_connection_begin_handshake(struct sp_connection *self);
void sp_connection_read_handshake(struct sp_connection *self);
/* Looks at what the peer has said so far. */
void sp_connection_answer(struct sp_connection *self);

#endif
