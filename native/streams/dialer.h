/* Connects for an endpoint, and again after every loss: resolves the name, tries all addresses in turn, backs off.
 * All of it is guarded by the socket's lock. */
#ifndef SP_STREAMS_DIALER_H
#define SP_STREAMS_DIALER_H

#include "loop/resolver.h"
#include "streams/connection.h"
#include "streams/net_address.h"

#define SP_DIALER_ADDRESSES 16

enum sp_dialer_state {
    SP_DIALER_WAITING, /* for the next attempt */
    SP_DIALER_RESOLVING,
    SP_DIALER_CONNECTING,
    SP_DIALER_CONNECTED, /* a connection lives */
    SP_DIALER_CLOSED
};

struct sp_dialer {
    struct sp_connection_owner owner;
    struct sp_dialer_target target;
    enum sp_dialer_state state;
    struct sp_resolution *resolution;
    struct sp_socket_address addresses[SP_DIALER_ADDRESSES];
    int address_count;
    int address_next;
    struct sp_watch watch; /* of the descriptor that is connecting */
    struct sp_timer retry;
    unsigned failures; /* attempts since a connection lived */
    sp_time_ns admitted_ns;
};

/* Begins to connect. Returns 0, or -errno and nothing to undo. */
int sp_dialer_open(struct sp_dialer *self, struct nn_endpoint *endpoint, const struct sp_framing *framing,
                   struct sp_filter_source *filters, const struct sp_dialer_target *target);
void sp_dialer_close(struct sp_dialer *self);

#endif
