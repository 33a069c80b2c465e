/* tcp://interface:port for nn_bind, tcp://[interface;]host:port for nn_connect. The interface is `*`, an address, or a
 * name such as eth0. The host is a name or an address: IPv6 in brackets, link-local with its interface,
 * [fe80::1%eth0]. */
#ifndef TCP_H_INCLUDED
#define TCP_H_INCLUDED

#include <nanomsg/nn.h>

#define NN_TCP (-3)

/* Option of level NN_TCP: int, default 0. 1: small messages are sent without delay (TCP_NODELAY). */
#define NN_TCP_NODELAY 1

#endif
