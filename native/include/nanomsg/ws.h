/* ws://host:port/path: WebSocket. */
#ifndef WS_H_INCLUDED
#define WS_H_INCLUDED

#include <nanomsg/nn.h>

#define NN_WS (-4)

/* Option of level NN_WS and type of control data: the kind of frame that messages are sent in. */
#define NN_WS_MSG_TYPE 1

#define NN_WS_MSG_TYPE_TEXT 1
#define NN_WS_MSG_TYPE_BINARY 2

#endif
