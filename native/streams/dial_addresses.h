/* The addresses of a name, in the order in which they are tried. */
#ifndef SP_STREAMS_DIAL_ADDRESSES_H
#define SP_STREAMS_DIAL_ADDRESSES_H

#include "streams/net_address.h"

struct addrinfo;

#define SP_DIAL_ADDRESSES 16

struct sp_dial_addresses {
    struct sp_socket_address list[SP_DIAL_ADDRESSES];
    int count;
};

/* Takes those that the resolver has found, in its order, but families alternate (RFC 8305, section 4): so one family
 * that leads nowhere costs one attempt before the other has its turn. */
void sp_dial_addresses_take(struct sp_dial_addresses *self, const struct addrinfo *found, uint16_t port);

#endif
