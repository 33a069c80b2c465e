/* Connections over streams of the program: byte streams that the engine knows nothing of, such as a TLS implementation
 * of the program's own, or the input and output of a process. The bytes on the stream are those of tcp: SP's handshake,
 * then each message behind its length (sp-tcp-mapping-01). With an address of ws:// or wss:// they are those of a
 * WebSocket, which begins with the client's HTTP request. The engine does the handshake, checks limits and deadlines,
 * and runs the protocol, as for its own connections.
 *
 * The program feeds the engine what arrives from the peer, and drains from it what is to be sent to the peer, when
 * nn_loop_next_ready (nanomsg/loop.h) reports the `user` of a stream:
 *
 * - NN_POLLIN: there are bytes to drain, where there were none before.
 * - NN_POLLOUT: nn_stream_feed, which has not taken all bytes, can be called again with the rest.
 * - NN_STREAM_FINISHED: the connection sends nothing more. End the writable half of the stream when all is drained; the
 *   engine waits for the end of the readable half. Only connections of WebSockets report it.
 * - NN_LOOP_CLOSED: the engine is done with the stream, except for bytes that can still be drained. It is the last
 *   event.
 *
 * The functions may be called from any thread until nn_stream_release is called, but not from two threads at a time;
 * nn_stream_release must not be called while another thread is in nn_loop_next_ready, which may have taken an event of
 * the stream. */
#ifndef NANOMSG_STREAM_H
#define NANOMSG_STREAM_H

#include <nanomsg/loop.h>

#ifdef __cplusplus
extern "C" {
#endif

struct nn_stream;

#define NN_STREAM_FINISHED 16

/**
 * Opens a connection of a socket whose loop the program drives (a hosted loop). It has an endpoint of its own, and
 * begins the handshake.
 *
 * @param address  "scheme://...", which events and statistics of the connection show. "ws://host/path": the client asks
 *                 for the path at that host, the server takes requests for the path only (without one: for any)
 * @param is_bound whether the peer has connected to us
 * @return NULL and errno: EBADF, EINVAL (the address has no scheme, no request can name its host or path, or the
 *         socket is of no hosted loop), ENAMETOOLONG, ENOMEM.
 */
NN_EXPORT struct nn_stream *nn_stream_attach(int s, const char *address, bool is_bound, void *user);

/**
 * Passes bytes from the peer to the engine. They are copied once, to where messages are received from.
 *
 * @return the number of bytes taken; where it is less than size_bytes, feed the rest after NN_POLLOUT. -1 and errno
 *         EPIPE: the engine takes no more.
 */
NN_EXPORT int64_t nn_stream_feed(struct nn_stream *stream, const void *bytes, size_t size_bytes);

/** The stream has ended (is_broken: before its time). Messages that were fed before are still received; nothing more is
 *  sent. */
NN_EXPORT void nn_stream_end(struct nn_stream *stream, bool is_broken);

/** The stream takes no more bytes: the connection sends nothing more, and bytes that were not drained are dropped.
 *  Bytes from the peer can still be fed, until nn_stream_end. */
NN_EXPORT void nn_stream_close_write(struct nn_stream *stream);

/** Bytes for the peer. The caller of nn_stream_drain owns a reference to the chunk: see nn_chunk_release. */
struct nn_stream_piece {
    struct nn_chunk *chunk;
    const uint8_t *bytes;
    size_t size_bytes;
};

/** Takes at most `count` pieces, in the order in which they are to be sent, and returns their number. When it is less
 *  than `count`, there are no more until NN_POLLIN is reported. A body that the socket owns, as one of nn_allocmsg, is
 *  not copied; another one has been copied once. */
NN_EXPORT int nn_stream_drain(struct nn_stream *stream, struct nn_stream_piece *pieces, int count);

/** As nn_shutdown() of the connection's endpoint: what was accepted can be drained as long as the socket lingers. */
NN_EXPORT void nn_stream_close(struct nn_stream *stream);

/** Releases the stream, whose connection ends at once if it has not ended yet. To be called before nn_loop_destroy. */
NN_EXPORT void nn_stream_release(struct nn_stream *stream);

#ifdef __cplusplus
}
#endif

#endif
