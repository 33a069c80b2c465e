/* One connection that carries SP messages over a byte stream: tcp, ipc, ws, or a stream of the host. It does the
 * handshake, asks the protocol to admit a pipe, reads into slabs and finds frames in place, and writes vectors. It
 * knows no protocol and no address. All of it is guarded by the socket's lock.
 *
 * Its life by files: connection.c (it is opened), connection_handshake.c (until it has a pipe), connection_receiving.c
 * and connection_sending.c, connection_held.c (its messages wait, and its peer may be gone), connection_closing.c (its
 * pipe is closed, and what was accepted leaves). connection_events.c is called by the loop; connection_state.h is what
 * all know. */
#ifndef SP_STREAMS_CONNECTION_H
#define SP_STREAMS_CONNECTION_H

#include "core/transport.h"
#include "streams/framing.h"
#include "streams/stream.h"

struct sp_connection;

/* The maker of connections (a dialer, a listener), which is notified of their end. */
struct sp_connection_owner {
    struct nn_endpoint *endpoint;
    const struct sp_framing *framing;
    struct sp_filter_source *filters; /* NULL: bytes travel as they are */
    struct sp_list handshaking;       /* connections that have no pipe yet */
    /* The connection has a pipe now. Optional. */
    void (*admitted)(struct sp_connection_owner *self);
    /* The descriptor is closed; the pipe may still hold received messages. error: 0 when we closed it, or why it
     * ended (negative errno). */
    void (*ended)(struct sp_connection_owner *self, bool was_admitted, int error);
    /* Nothing refers to the connection any more. Optional. */
    void (*released)(struct sp_connection_owner *self);
    /* The peer's handshake is meant for another endpoint: takes the stream, borrows the bytes. Not for framings whose
     * `answer` never finds that. */
    void (*hand_over)(struct sp_connection_owner *self, const struct sp_stream *stream, const uint8_t *handshake,
                      size_t handshake_bytes);
};

void sp_connection_owner_init(struct sp_connection_owner *self, struct nn_endpoint *endpoint,
                              const struct sp_framing *framing, struct sp_filter_source *filters,
                              void (*admitted)(struct sp_connection_owner *),
                              void (*ended)(struct sp_connection_owner *, bool, int));

/* Takes a connected, non-blocking descriptor and begins the handshake, after the filter's if the owner has one. Returns
 * 0; or -errno with the descriptor closed and nothing else done (ended is not called). peer: where it comes from, when
 * it was accepted; or NULL. */
int sp_connection_open(struct sp_connection_owner *owner, int fd, const struct sp_socket_address *peer);

/* The same with a stream that was handed over, and the start of the peer's handshake; at most handshake_limit_bytes of
 * it. */
int sp_connection_open_handed_over(struct sp_connection_owner *owner, struct sp_stream *stream,
                                   const uint8_t *handshake, size_t handshake_bytes);

/* The same with a stream that the host of the loop carries (sp_stream_is_hosted). *opened is set before the first
 * function of the stream is called, but for `close` when there is no connection. */
int sp_connection_open_hosted(struct sp_connection_owner *owner, struct sp_stream *stream,
                              struct sp_connection **opened);

/* Closes the connections that have no pipe yet; ended is not called. */
void sp_connection_owner_abandon(struct sp_connection_owner *self);

#endif
