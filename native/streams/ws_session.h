/* What a WebSocket remembers: of its handshake, and of messages that come in fragments. */
#ifndef SP_STREAMS_WS_SESSION_H
#define SP_STREAMS_WS_SESSION_H

#include "streams/framing.h"

#define SP_WS_ACCEPT_LENGTH 28

struct sp_ws_session {
    struct sp_session base; /* first */
    bool is_client;
    uint8_t send_opcode;              /* of messages that do not say otherwise */
    uint8_t fragment_opcode;          /* of the message whose fragments are coming; 0: none */
    uint8_t message_opcode;           /* of the message that is complete */
    uint16_t close_code;              /* of the peer's close frame */
    bool attaches_headers;            /* messages bring the peer's headers along */
    struct nn_chunk *fragments;       /* those that have come */
    size_t checked_bytes;             /* of them, when they are text: whole characters */
    struct nn_chunk *peer_headers;    /* of the request; NULL: not requested */
    char accept[SP_WS_ACCEPT_LENGTH]; /* what the server has to answer; clients only */
};

static inline struct sp_ws_session *sp_ws_session_of(struct sp_session *base)
{
    return SP_CONTAINER(base, struct sp_ws_session, base);
}

#endif
