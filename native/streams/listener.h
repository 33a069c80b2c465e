/* Accepts connections for a bound endpoint. All of it is guarded by the socket's lock. */
#ifndef SP_STREAMS_LISTENER_H
#define SP_STREAMS_LISTENER_H

#include "streams/connection.h"
#include "streams/descriptor.h"

struct sp_listener {
    struct sp_connection_owner owner;
    struct sp_watch watch;
    struct sp_timer pause; /* while the process is short of descriptors, or too many handshakes have just begun */
    bool is_crowded;       /* the latter */
};

/* Listens at the address. Returns 0, or -errno and nothing to undo. */
int sp_listener_open(struct sp_listener *self, struct nn_endpoint *endpoint, const struct sp_framing *framing,
                     struct sp_filter_source *filters, const struct sp_socket_address *address);
/* The same with a descriptor that listens already; takes it, and closes it on failure. */
int sp_listener_start(struct sp_listener *self, struct nn_endpoint *endpoint, const struct sp_framing *framing,
                      struct sp_filter_source *filters, int fd);
void sp_listener_close(struct sp_listener *self);

#endif
