/* How a WebSocket is opened: an HTTP request to upgrade, and its answer (RFC 6455, section 4). SP peers tell by the
 * sub-protocol what they are: it names the type of the server's socket, as in "rep.sp.nanomsg.org". */
#ifndef SP_STREAMS_WS_HANDSHAKE_H
#define SP_STREAMS_WS_HANDSHAKE_H

#include "streams/framing.h"
#include "util/http_head.h"

/* The longest request and the longest response that is read. */
#define SP_WS_HEAD_LIMIT_BYTES 16384
/* As long as libnanomsg waits. */
#define SP_WS_HANDSHAKE_LIMIT_MS 5000

/* The client's part: see struct sp_framing. */
void sp_ws_request(struct sp_session *session, struct sp_handshake *handshake);
int sp_ws_read_response(struct sp_session *session, struct sp_handshake *handshake);

/* The server's. */
int sp_ws_respond(struct sp_session *session, struct sp_handshake *handshake);
void sp_ws_refuse(struct sp_session *session, struct sp_handshake *handshake);

/* The path of a request that sp_ws_respond has found to be one, without the query. */
struct sp_text sp_ws_requested_path(const uint8_t *request, size_t count);

#endif
