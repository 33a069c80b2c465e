/* ws://host:port/path: WebSocket. */
#ifndef WS_H_INCLUDED
#define WS_H_INCLUDED

#include <nanomsg/nn.h>

#define NN_WS (-4)

/* Option of level NN_WS and type of control data: the kind of frame that messages are sent in. */
#define NN_WS_MSG_TYPE 1

#define NN_WS_MSG_TYPE_TEXT 1
#define NN_WS_MSG_TYPE_BINARY 2

/* Text of level NN_WS for who connects: lines "Name: value\r\n" that are added to the request of endpoints made later, at
 * most NN_WS_REQUEST_HEADERS_MAX bytes. An empty text takes them back. Lines that are no fields of HTTP are EINVAL, and so
 * are those that the request has anyway, or that say how it is transferred: Host, Upgrade, Connection, Sec-WebSocket-*,
 * Content-Length, Transfer-Encoding, TE, Trailer, Expect, Keep-Alive, Proxy-Connection. */
#define NN_WS_REQUEST_HEADERS 16
#define NN_WS_REQUEST_HEADERS_MAX 3072

/* Option of level NN_WS for who binds: int, 0 (default) or 1; and type of control data. With 1, nn_recvmsg() gives a record
 * of this level and type with each message of peers that come from now on: the lines of their request but for the first,
 * each with its "\r\n", and a NUL behind the last. */
#define NN_WS_PEER_HEADERS 17

#endif
