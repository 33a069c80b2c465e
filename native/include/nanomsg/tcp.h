/* tcp://interface:port and tcp://host:port. */
#ifndef TCP_H_INCLUDED
#define TCP_H_INCLUDED

#include <nanomsg/nn.h>

#define NN_TCP (-3)

/* Option of level NN_TCP: 1 sends small messages at once (int, default 0). */
#define NN_TCP_NODELAY 1

#endif
