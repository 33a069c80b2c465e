/* The paths of WebSocket endpoints. Several endpoints may be bound to one port, each to a path of its own, also by
 * different sockets on different loops. */
#ifndef SP_STREAMS_WS_PATHS_H
#define SP_STREAMS_WS_PATHS_H

#include "streams/stream_endpoint.h"

struct sp_ws_endpoint {
    struct sp_stream_endpoint stream;      /* first */
    char host[NN_SOCKADDR_MAX + 1];        /* "host[:port]" as the user wrote it; connecting endpoints only */
    char path[NN_SOCKADDR_MAX + 1];        /* begins with a slash; empty (bound endpoints only): any */
    bool is_alone;                         /* on no port of ours: the program has its connections from elsewhere */
    struct sp_list_item item;              /* among those that share ports; bound endpoints only */
    struct sp_socket_address port_address; /* as the kernel knows it; bound endpoints only */
};

static inline struct sp_ws_endpoint *sp_ws_endpoint_of(struct nn_endpoint *base)
{
    return nn_endpoint_data(base);
}

enum sp_ws_place { SP_WS_HERE, SP_WS_ELSEWHERE, SP_WS_NOWHERE };

/* Which endpoint has the path, among those on the same port. */
enum sp_ws_place sp_ws_endpoint_find(struct sp_ws_endpoint *self, const char *path, size_t path_bytes);

/* ---- The bound endpoints of the process: under their lock ---- */

void sp_ws_paths_lock(void);
void sp_ws_paths_unlock(void);

/* One of the endpoints on the port; NULL: none. */
struct sp_ws_endpoint *sp_ws_paths_on_port(const struct sp_socket_address *address);
/* The endpoint that is bound to the port and the path; NULL: none. */
struct sp_ws_endpoint *sp_ws_paths_bound(const struct sp_socket_address *address, const char *path, size_t path_bytes);
/* The endpoint that serves a request: the one of that path, or else the one that serves any. */
struct sp_ws_endpoint *sp_ws_paths_serving(const struct sp_socket_address *address, const char *path,
                                           size_t path_bytes);

/* Of an endpoint whose port_address and path are set. */
void sp_ws_paths_add(struct sp_ws_endpoint *self);
void sp_ws_paths_remove(struct sp_ws_endpoint *self);

#endif
