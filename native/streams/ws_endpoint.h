/* Listening at a port that WebSocket endpoints share: each watches it by a descriptor of its own. The one that accepts
 * a peer reads its request, and hands the connection over when it is meant for another. */
#ifndef SP_STREAMS_WS_ENDPOINT_H
#define SP_STREAMS_WS_ENDPOINT_H

#include "streams/ws_paths.h"

/* Listens at the address, or joins those that do so already. `path` is set. Returns 0, or -errno (-EADDRINUSE when the
 * path is taken as well) and nothing to undo. */
int sp_ws_endpoint_listen(struct sp_ws_endpoint *self, const struct sp_socket_address *address);
void sp_ws_endpoint_stop_listening(struct sp_ws_endpoint *self);

#endif
