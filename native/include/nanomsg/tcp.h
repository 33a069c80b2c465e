/* tcp://interface:port for nn_bind, tcp://[interface;]host:port for nn_connect. The interface is `*`, an address, or a
 * name such as eth0. The host is a name or an address: IPv6 in brackets, link-local with its interface,
 * [fe80::1%eth0]. */
#ifndef TCP_H_INCLUDED
#define TCP_H_INCLUDED

#include <nanomsg/nn.h>

#define NN_TCP (-3)

/* Option of level NN_TCP: int, default 0. 1: small messages are sent without delay (TCP_NODELAY). */
#define NN_TCP_NODELAY 1

/* Options of level NN_TCP: int, default 0: as the system has it (often two hours). They hold for connections made
 * afterwards, also of ws and inside of TLS, on the side that sets them. A peer that is silent is asked whether it is
 * there after KEEP_IDLE ms, and then every KEEP_INTERVAL ms (both in whole seconds, rounded up); after KEEP_COUNT
 * questions without an answer the connection ends with ETIMEDOUT. When all three are set, it also ends when the peer
 * has not confirmed what was sent to it for KEEP_IDLE + KEEP_COUNT * KEEP_INTERVAL, rounded so as well (Linux). */
#define NN_TCP_KEEP_IDLE 16
#define NN_TCP_KEEP_INTERVAL 17
#define NN_TCP_KEEP_COUNT 18

#endif
