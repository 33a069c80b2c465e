/* WebSocket (RFC 6455) under SP: one message of SP is one message of WebSocket, of one or several frames. */
#ifndef SP_STREAMS_WS_FRAMING_H
#define SP_STREAMS_WS_FRAMING_H

#include "streams/framing.h"

/* Longer messages are sent in fragments: NNG ends connections over frames above 1 MiB, whatever its limit of messages.
 * Shorter fragments cost the receiver more, which joins them: 256 KiB half as much again for a message of 1 MiB. */
#define SP_WS_FRAGMENT_BYTES ((size_t)1024 * 1024)

extern const struct sp_framing sp_ws_client_framing;
extern const struct sp_framing sp_ws_server_framing;

#endif
