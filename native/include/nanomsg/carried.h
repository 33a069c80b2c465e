/* Connections whose bytes the owner of a loop carries itself: over a stream that the engine knows nothing of, such as TLS
 * of its own, or the input and output of a program. What goes over it is what goes over tcp: SP's greeting, and each
 * message behind its length (sp-tcp-mapping-01). Greeting, limits, deadlines and protocols stay with the engine.
 *
 * The owner gives the engine what comes from the peer, and takes from it what is for the peer, when nn_loop_next_ready
 * (nanomsg/loop.h) reports the `user` of a connection:
 *
 * - NN_POLLIN: there are bytes for the peer, and were none before.
 * - NN_POLLOUT: nn_carried_give, which has left some bytes from the peer, can be called again with them.
 * - NN_LOOP_CLOSED: the engine is done with the stream, but for what is left to be taken. Nothing more is reported.
 *
 * Functions may be called from any thread until nn_carried_release is called, but not from two at a time; and
 * nn_carried_release not while another thread is in nn_loop_next_ready, which may have taken a last report. */
#ifndef NANOMSG_CARRIED_H
#define NANOMSG_CARRIED_H

#include <nanomsg/loop.h>

#ifdef __cplusplus
extern "C" {
#endif

struct nn_carried;

/**
 * Begins a connection of a socket that a host's loop serves: it has an endpoint of its own, and greets the peer.
 *
 * @param address  "scheme://...", for those who ask for it and for events of the connection
 * @param is_bound whether the peer has come to us, for statistics and events
 * @return NULL and errno: EBADF, EINVAL (the address has no scheme, or no host serves the socket), ENAMETOOLONG, ENOMEM.
 */
NN_EXPORT struct nn_carried *nn_carried_open(int s, const char *address, bool is_bound, void *user);

/**
 * Gives bytes that came from the peer. They are copied once, to where messages are received from.
 *
 * @return how many were taken; where they are fewer than size_bytes, the others are to be given after NN_POLLOUT. -1 and
 *         errno EPIPE: the engine takes no more.
 */
NN_EXPORT int64_t nn_carried_give(struct nn_carried *carried, const void *bytes, size_t size_bytes);

/** The stream has ended (is_broken: before its time). What was given before is received; nothing more can be taken. */
NN_EXPORT void nn_carried_end(struct nn_carried *carried, bool is_broken);

/** The stream takes nothing more: nothing is sent to the peer by this connection any more, and what was to be taken is
 *  dropped. What comes from the peer can still be given, up to nn_carried_end. */
NN_EXPORT void nn_carried_mute(struct nn_carried *carried);

/** Bytes for the peer. Whoever takes them owns a reference to the chunk, which nn_chunk_release gives back. */
struct nn_carried_piece {
    struct nn_chunk *chunk;
    const uint8_t *bytes;
    size_t size_bytes;
};

/** Takes at most `count` pieces, in the order in which they are to be sent. When they are fewer, there are no more until
 *  NN_POLLIN is reported. A body that the socket owns, as one of nn_allocmsg, is not copied; another was, once. Returns
 *  their number. */
NN_EXPORT int nn_carried_take(struct nn_carried *carried, struct nn_carried_piece *pieces, int count);

/** As nn_shutdown() of the connection's endpoint: what was accepted can be taken as long as the socket lingers. */
NN_EXPORT void nn_carried_close(struct nn_carried *carried);

/** Gives the connection back, which ends at once if it has not ended yet. To be called before nn_loop_destroy. */
NN_EXPORT void nn_carried_release(struct nn_carried *carried);

#ifdef __cplusplus
}
#endif

#endif
