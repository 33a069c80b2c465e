/* A connection that is not read, since its messages wait for the user. */
#ifndef SP_STREAMS_CONNECTION_HELD_H
#define SP_STREAMS_CONNECTION_HELD_H

#include "streams/connection_state.h"

/* Reading stops. ready: what the poller reports. */
void sp_connection_hold(struct sp_connection *self, unsigned ready);
/* Ends the connection unless it goes on meanwhile. */
void sp_connection_limit(struct sp_connection *self);
void sp_connection_handle_limit(struct sp_timer *timer);

#endif
