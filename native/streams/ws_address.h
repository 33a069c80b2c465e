/* The parts of a WebSocket's address: "[interface;]host[:port][/path]". */
#ifndef SP_STREAMS_WS_ADDRESS_H
#define SP_STREAMS_WS_ADDRESS_H

#include "core/transport.h"

#include <stdbool.h>

struct sp_ws_address {
    char place[NN_SOCKADDR_MAX + 1]; /* "[interface;]host[:port]" */
    const char *host;                /* the part of `place` behind the interface */
    const char *path;                /* of the text that was parsed; empty: none is given */
    bool has_port;
};

/* Returns 0, or -EINVAL: the host or the path cannot stand in a request. */
int sp_ws_address_parse(struct sp_ws_address *self, const char *text, bool is_bound);

/* Writes "host[:port]" as a request says it, in at most NN_SOCKADDR_MAX + 1 bytes. */
void sp_ws_address_write_host(const struct sp_ws_address *self, char *to);

/* The path that a client asks for. */
static inline const char *sp_ws_address_asked_path(const struct sp_ws_address *self)
{
    return *self->path != '\0' ? self->path : "/";
}

#endif
