/* ws://host:port/path: WebSocket. */
#ifndef WS_H_INCLUDED
#define WS_H_INCLUDED

#include <nanomsg/nn.h>

#define NN_WS (-4)

/* Option of level NN_WS and type of control data: the type of frame that messages are sent in. */
#define NN_WS_MSG_TYPE 1

#define NN_WS_MSG_TYPE_TEXT 1
#define NN_WS_MSG_TYPE_BINARY 2

/* Text option of level NN_WS: header lines "Name: value\r\n" that endpoints that connect, made afterwards, add to their
 * request; at most NN_WS_REQUEST_HEADERS_MAX bytes. An empty text resets it. EINVAL: lines that are no HTTP fields, and
 * fields that the engine writes or that concern the transfer: Host, Upgrade, Connection, Sec-WebSocket-*,
 * Content-Length, Transfer-Encoding, TE, Trailer, Expect, Keep-Alive, Proxy-Connection. */
#define NN_WS_REQUEST_HEADERS 16
#define NN_WS_REQUEST_HEADERS_MAX 3072

/* Option of level NN_WS: int, 0 (default) or 1; also a type of control data. With 1, nn_recvmsg() adds a record of this
 * level and type to each message that arrives at an endpoint that binds, from peers that connect from now on: the
 * header lines of the peer's request, each with its "\r\n", and a final NUL. */
#define NN_WS_PEER_HEADERS 17

/* Text option of level NN_WS: which web pages may connect to endpoints that bind, made afterwards. Empty (default):
 * all, as in libnanomsg and NNG. Otherwise a request that says in Origin where its page is from is refused with 403
 * unless the list admits it, and one without Origin, which comes from no page, is accepted. The list has single spaces
 * between origins such as "https://example.org:8443", "self" (the host and port are those of the Host header), "null"
 * (a page without origin, such as a file) and "*" (all); at most NN_WS_ORIGINS_MAX bytes. EINVAL: anything else. */
#define NN_WS_ORIGINS 18
#define NN_WS_ORIGINS_MAX 65536

#endif
