/* What the loop calls. */
#ifndef SP_STREAMS_CONNECTION_EVENTS_H
#define SP_STREAMS_CONNECTION_EVENTS_H

#include "streams/connection_state.h"

void sp_connection_handle(struct sp_watch *watch, unsigned ready);
void sp_connection_handle_deadline(struct sp_timer *timer);

#endif
