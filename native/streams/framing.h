/* How messages are cut out of a byte stream, and how peers begin and end a connection. Functions of bytes: they see no
 * descriptor, and what they remember of a connection is their session. */
#ifndef SP_STREAMS_FRAMING_H
#define SP_STREAMS_FRAMING_H

#include "core/transport.h"

/* The longest prefix of any framing. */
#define SP_FRAME_PREFIX_LIMIT_BYTES 16
/* The handshake of SP over a byte stream, both ways. */
#define SP_HANDSHAKE_BYTES 8
/* The longest frame that a framing sends of its own: a WebSocket control frame with mask and 125 bytes. */
#define SP_CONTROL_LIMIT_BYTES 131
/* The longest handshake that we send: a WebSocket's request with a user's headers. Servers of libnanomsg read 4096. */
#define SP_REPLY_LIMIT_BYTES 4096
/* Encoded messages up to this length need no memory of their own. */
#define SP_ENCODE_SCRATCH_BYTES 4096

struct sp_frame {
    size_t prefix_bytes; /* before the body */
    size_t body_bytes;
};

/* What a complete frame is. */
enum sp_frame_kind {
    SP_FRAME_SERVICE,   /* no message: it is dealt with */
    SP_FRAME_MESSAGE,   /* its body is a message */
    SP_FRAME_COMPLETES, /* dealt with, and `finish` gives a message */
};

/* What a framing remembers of one connection: first in its own structure, zeroed at the beginning. */
struct sp_session {
    /* A frame to be sent between two messages; a newer one replaces one that the kernel does not take. */
    uint8_t control[SP_CONTROL_LIMIT_BYTES];
    uint8_t control_bytes;
    size_t held_bytes;    /* memory of a message that is put together, or waits to be taken */
    size_t arrived_bytes; /* how much of that message has come */
};

/* A handshake while it is under way. */
struct sp_handshake {
    struct nn_endpoint *endpoint;
    const uint8_t *received; /* everything so far */
    size_t received_bytes;
    size_t taken_bytes; /* set by `answer`: what follows are frames */
    uint8_t reply[SP_REPLY_LIMIT_BYTES];
    size_t reply_bytes;
    /* For the monitor; set by `answer`, valid until the next call: */
    struct nn_chunk *peer_headers; /* the fields of the peer's request; NULL: none */
    const char *problem;           /* why the peer is refused; NULL: as the errno says */
    size_t problem_bytes;
};

struct sp_framing {
    size_t session_bytes; /* 0: none, and `session` is NULL in all calls */
    size_t handshake_limit_bytes;
    int handshake_limit_ms;
    bool is_local;              /* within this machine: the system knows the peer's process */
    bool server_waits_for_peer; /* the peer begins the handshake; only then it is known whether it is welcome here */
    bool shuts_down_first; /* when close frames are exchanged, our side of the stream is shut down before the peer's */

    /* Begins: puts what we say first into the reply. Optional. */
    void (*begin)(struct sp_session *session, struct sp_handshake *handshake);
    /* Reads what the peer has said and puts what we say to it into the reply. Returns the protocol id of the peer; 0
     * when more bytes are needed, fewer than handshake_limit_bytes; -EXDEV when another endpoint is meant; another
     * -errno when the peer is refused (after the reply). */
    int (*answer)(struct sp_session *session, struct sp_handshake *handshake);

    /* Puts what a peer is told that the program does not admit into the reply. Optional. */
    void (*refuse)(struct sp_session *session, struct sp_handshake *handshake);

    /* Reads the prefix at the start of data. Returns 1 and fills frame (whose body need not be there yet); 0 when
     * more bytes are needed; -EMSGSIZE when the body is longer than limit_bytes; -EPROTO. */
    int (*parse)(const struct sp_session *session, const uint8_t *data, size_t available_bytes, size_t limit_bytes,
                 struct sp_frame *frame);
    /* Writes the prefix of a message and returns its length. */
    size_t (*write_prefix)(struct sp_session *session, uint8_t *prefix, const struct nn_message *message);
    size_t fragment_bytes; /* a longer message is sent in fragments of this length; 0: always in one frame */
    /* The same for one fragment of a message, which has the message's type. */
    size_t (*write_fragment_prefix)(struct sp_session *session, uint8_t *prefix, const struct nn_message *fragment,
                                    bool is_first, bool is_last);

    /* All below are optional. */

    /* Makes what goes behind the prefix instead of the message: in scratch, or in memory of its own. Returns 0 or
     * -ENOMEM. */
    int (*encode)(const uint8_t *prefix, size_t prefix_bytes, const struct nn_message *message,
                  uint8_t scratch[SP_ENCODE_SCRATCH_BYTES], struct nn_message *encoded);
    /* Called once for each complete frame, which begins at data and may be changed in place. Returns its kind;
     * -ESHUTDOWN when the peer closes the connection by a close frame; another -errno when it has broken the rules. */
    int (*use)(struct sp_session *session, uint8_t *data, const struct sp_frame *frame);
    /* Completes a message that is being received: marks the one at hand, or gives what has been put together. */
    void (*finish)(struct sp_session *session, enum sp_frame_kind kind, struct nn_message *message);
    /* Puts our last frame into session->control. reason: 0 when we close, or what `parse` or `use` returned. */
    void (*close_frame)(struct sp_session *session, int reason);
    void (*close)(struct sp_session *session);
};

/* tcp: a 64-bit length (sp-tcp-mapping-01). ipc: the same behind a type byte of 1. */
extern const struct sp_framing sp_tcp_framing;
extern const struct sp_framing sp_ipc_framing;

#endif
