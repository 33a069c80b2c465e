/* The endpoints of WebSocket. Several may be bound to one port, each to a path of its own, also by different sockets on
 * different loops: each watches the port by a descriptor of its own, whoever accepts a peer reads its request, and
 * hands it over when it is meant for another. */
#ifndef SP_STREAMS_WS_ENDPOINT_H
#define SP_STREAMS_WS_ENDPOINT_H

#include "streams/stream_endpoint.h"

struct sp_ws_endpoint {
    struct sp_stream_endpoint stream;      /* first */
    char host[NN_SOCKADDR_MAX + 1];        /* "host[:port]" as the user wrote it; connecting endpoints only */
    char path[NN_SOCKADDR_MAX + 1];        /* begins with a slash; empty (bound endpoints only): any */
    struct sp_list_item item;              /* among those that share ports; bound endpoints only */
    struct sp_socket_address port_address; /* as the kernel knows it; bound endpoints only */
};

static inline struct sp_ws_endpoint *sp_ws_endpoint_of(struct nn_endpoint *base)
{
    return nn_endpoint_data(base);
}

/* Listens at the address, or joins those that do so already. `path` is set. Returns 0, or -errno (-EADDRINUSE when the
 * path is taken as well) and nothing to undo. */
int sp_ws_endpoint_listen(struct sp_ws_endpoint *self, const struct sp_socket_address *address, int backlog);
void sp_ws_endpoint_stop_listening(struct sp_ws_endpoint *self);

enum sp_ws_place { SP_WS_HERE, SP_WS_ELSEWHERE, SP_WS_NOWHERE };

/* Whose path it is, among the endpoints on the same port. */
enum sp_ws_place sp_ws_endpoint_find(struct sp_ws_endpoint *self, const char *path, size_t path_bytes);

#endif
