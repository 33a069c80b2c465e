/* What the loop calls. */
#ifndef SP_STREAMS_CONNECTION_EVENTS_H
#define SP_STREAMS_CONNECTION_EVENTS_H

#include "streams/connection_state.h"

/* The stream can be read, or takes bytes; under the lock. ready: what the poller reports */
void sp_connection_readable(struct sp_connection *self, unsigned ready);
void sp_connection_writable(struct sp_connection *self);

void sp_connection_handle(struct sp_watch *watch, unsigned ready);
void sp_connection_handle_deadline(struct sp_timer *timer);

#endif
