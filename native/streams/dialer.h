/* Connects for an endpoint, and again after every loss: resolves the name, tries its addresses side by side as RFC 8305
 * has it, backs off. All of it is guarded by the socket's lock. */
#ifndef SP_STREAMS_DIALER_H
#define SP_STREAMS_DIALER_H

#include "loop/resolver.h"
#include "streams/dial_addresses.h"
#include "streams/connection.h"
#include "streams/net_address.h"

enum sp_dialer_state {
    SP_DIALER_WAITING, /* for the next attempt */
    SP_DIALER_RESOLVING,
    SP_DIALER_CONNECTING,
    SP_DIALER_CONNECTED, /* a connection lives */
    SP_DIALER_CLOSED
};

struct sp_dialer;

/* One attempt to connect, to the address of the same index. */
struct sp_dial_attempt {
    struct sp_dialer *dialer;
    struct sp_watch watch; /* of the descriptor that is connecting; wanted is 0 when there is none */
};

struct sp_dialer {
    struct sp_connection_owner owner;
    struct sp_dialer_target target;
    enum sp_dialer_state state;
    struct sp_resolution *resolution;
    struct sp_dial_addresses addresses;
    int address_next;   /* those before it have been tried */
    int address_failed; /* the one whose attempt has failed last; -1: none */
    struct sp_dial_attempt attempts[SP_DIAL_ADDRESSES];
    int attempts_active;
    /* While it waits: of the next attempt. While it connects: of the next address, or of the end. */
    struct sp_timer timer;
    unsigned failures; /* attempts since a connection lived */
    sp_time_ns admitted_ns;
};

/* Begins to connect. Returns 0, or -errno and nothing to undo. */
int sp_dialer_open(struct sp_dialer *self, struct nn_endpoint *endpoint, const struct sp_framing *framing,
                   struct sp_filter_source *filters, const struct sp_dialer_target *target);
void sp_dialer_close(struct sp_dialer *self);

#endif
