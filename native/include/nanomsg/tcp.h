/* tcp://interface:port to bind, tcp://[interface;]host:port to connect. An interface is `*`, an address or a name such as
 * eth0; hosts are names or addresses, IPv6 in brackets, link-local ones with their interface: [fe80::1%eth0]. */
#ifndef TCP_H_INCLUDED
#define TCP_H_INCLUDED

#include <nanomsg/nn.h>

#define NN_TCP (-3)

/* Option of level NN_TCP: 1 sends small messages at once (int, default 0). */
#define NN_TCP_NODELAY 1

#endif
