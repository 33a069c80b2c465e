/* What a connection's unfinished message takes of the socket's room. */
#ifndef SP_STREAMS_CONNECTION_ROOM_H
#define SP_STREAMS_CONNECTION_ROOM_H

#include "streams/connection_state.h"

/* The same as sp_connection_settle_room(), for a message that may need room. */
void sp_connection_change_room(struct sp_connection *self, bool is_whole);

/* After received bytes were looked at: takes what the message needs. Where there is no room, reading stops until there
 * is. is_whole: the message waits for the user. Most messages lie in a slab and need none, which a look at three fields
 * says. */
static inline void sp_connection_settle_room(struct sp_connection *self, bool is_whole)
{
    if (self->received.partial != NULL || framing_of(self)->held_bytes != NULL || !sp_room_is_unused_by(&self->room))
        sp_connection_change_room(self, is_whole);
}

/* The poller has reported a connection that waits. */
void sp_connection_wait_for_room(struct sp_connection *self, unsigned ready);

/* Reading goes on when there is room again. */
static inline bool sp_connection_waits_for_room(const struct sp_connection *self)
{
    return sp_room_is_waiting(&self->room);
}

#endif
