/* PUB and SUB: distribution to subscribers, by the prefix of a message. */
#ifndef PUBSUB_H_INCLUDED
#define PUBSUB_H_INCLUDED

#include <nanomsg/nn.h>

#define NN_PROTO_PUBSUB 2

#define NN_PUB (NN_PROTO_PUBSUB * 16 + 0)
#define NN_SUB (NN_PROTO_PUBSUB * 16 + 1)

/* Options of level NN_SUB: the bytes of a prefix; the empty one matches everything. */
#define NN_SUB_SUBSCRIBE 1
#define NN_SUB_UNSUBSCRIBE 2

/* Option of level NN_SUB, read only: int, the number of subscriptions. Those that were added twice count twice. Without
 * any, the socket receives nothing. */
#define NN_SUB_SUBSCRIPTIONS 16

#endif
