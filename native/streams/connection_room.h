/* What a connection's unfinished message takes of the socket's room. */
#ifndef SP_STREAMS_CONNECTION_ROOM_H
#define SP_STREAMS_CONNECTION_ROOM_H

#include "streams/connection_state.h"

/* Whether the message that has come, or has come in part, needs room, or one before it has left some. Most messages
 * lie in a slab: that costs these two or three comparisons. */
static inline bool sp_connection_concerns_room(const struct sp_connection *self)
{
    return self->received.partial != NULL || has_room(self) || session_held_bytes(self) > 0;
}

/* After received bytes were looked at: takes what the message needs, and gives back what it does not. Where there is no
 * room, reading stops until there is. is_whole: the message waits for the user. Returns 0 or -ENOMEM. */
int sp_connection_change_room(struct sp_connection *self, bool is_whole);

/* The poller has reported a connection that waits. */
void sp_connection_wait_for_room(struct sp_connection *self, unsigned ready);

/* Reading goes on when there is room again. */
static inline bool sp_connection_waits_for_room(const struct sp_connection *self)
{
    return self->room != NULL && sp_room_is_waiting(&self->room->share);
}

#endif
