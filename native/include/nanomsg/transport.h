/* The interface between the engine and a transport (tcp, ipc, inproc, ...), which establishes connections and carries
 * messages. docs/extending.md is the manual; examples/transport is a complete transport.
 *
 * A transport is one constant table, registered once per process with nn_transport_register(). An endpoint is the
 * result of one nn_bind() or nn_connect(); it opens pipes, each an established connection to one peer. The engine does
 * no I/O of its own: it calls a pipe's send and receive while the transport has marked the pipe writable or readable.
 *
 * Locks: the engine calls every function of a table, and every handler of a watch, timer or signal, with the lock of
 * the endpoint's socket held; they must not block. The transport calls every function of this header with that lock
 * held, except for nn_transport_register(), nn_signal_raise() and the functions marked "Constant".
 *
 * Threads: calls come from the thread of the socket's loop and from the threads that use the socket, never two at
 * once. */
#ifndef NANOMSG_TRANSPORT_H
#define NANOMSG_TRANSPORT_H

#include <nanomsg/protocol.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Version of struct nn_transport. New versions add members at the end; tables of older versions keep working. */
#define NN_TRANSPORT_VERSION 1

struct nn_endpoint;

/* ---- Tables ----------------------------------------------------------------------------------- */

/** The operations of a transport's pipes. */
struct nn_pipe_operations {
    /** Sends a message; called only while the pipe is writable. Returns 0 and takes the message over, or leaves it with
     *  the caller and returns -EAGAIN (the pipe is no longer writable) or -ENOMEM (it still is); it calls
     *  nn_pipe_count_refused then. To keep the message, or the rest of it, beyond this call, use nn_message_own. */
    int (*send)(struct nn_pipe *pipe, struct nn_message *message);
    /** Receives the next message; called only while the pipe is readable, so it always returns 0. When it returns the
     *  last one, it marks the pipe as not readable. The message owns its body and has an empty header. */
    int (*receive)(struct nn_pipe *pipe, struct nn_message *message);
    /** Writes messages that send has buffered; see nn_pipe_flush_later. Optional. */
    void (*flush)(struct nn_pipe *pipe);
    /** Releases the connection; the protocol has removed the pipe already. With may_linger, the transport may go on
     *  delivering accepted messages (nn_linger_begin). The pipe is freed when this returns. */
    void (*close)(struct nn_pipe *pipe, bool may_linger);
    /** Writes the addresses of both ends of the connection, for connection events, to buffers of NN_EVENT_ADDRESS_BYTES
     *  (nanomsg/loop.h): as "scheme://address", or "" if unknown. Optional; the default for both is the endpoint's
     *  address. */
    void (*addresses)(struct nn_pipe *pipe, char *local, char *remote);
};

struct nn_transport {
    int version;           /* NN_TRANSPORT_VERSION */
    const char *scheme;    /* of "scheme://address": letters, digits, '+', '-' and '.' */
    size_t endpoint_bytes; /* size of an endpoint's private data, which the engine zeroes */

    /** Start the endpoint. `address` is the text after "scheme://" and stays valid as long as the endpoint. After bind
     *  has returned, peers can connect; connect only starts to connect, and the endpoint retries until it is closed.
     *  Return 0, or -errno, which nn_bind and nn_connect report; nothing must remain to be undone then. */
    int (*bind)(struct nn_endpoint *endpoint, const char *address);
    int (*connect)(struct nn_endpoint *endpoint, const char *address);
    /** Stops the endpoint: it opens no more pipes, and its watches, timers and signals are closed. The engine closes
     *  its pipes afterwards. */
    void (*close)(struct nn_endpoint *endpoint);
    /** Writes the actual address, for example with the port that the system chose, to a buffer of NN_SOCKADDR_MAX + 1
     *  bytes. Optional. */
    void (*address)(const struct nn_endpoint *endpoint, char *buffer);

    const struct nn_pipe_operations *pipe;

    /** Connections that the endpoint makes or accepts from now on follow the socket's options of level NN_TLS as they
     *  are now; those that there are stay. Returns 0, or -errno, and nothing has changed. Optional: -ENOTSUP. */
    int (*renew)(struct nn_endpoint *endpoint);
};

/**
 * Registers a transport with nn_bind() and nn_connect(). Any thread.
 *
 * The table must stay valid until the process ends.
 *
 * @return 0, or -1 and sets errno: EINVAL (invalid version or scheme, or a mandatory function is missing), EEXIST (the
 *         scheme is registered already), ENOMEM.
 */
NN_EXPORT int nn_transport_register(const struct nn_transport *transport);

/* ---- Endpoints -------------------------------------------------------------------------------- */

/** Returns the transport's private data: endpoint_bytes, initially zero. The engine frees it when the endpoint and all
 *  its pipes, watches, timers, signals and lingers are closed. Constant. */
NN_EXPORT void *nn_endpoint_data(const struct nn_endpoint *endpoint);

/** Returns the endpoint that the private data belongs to. Constant. */
NN_EXPORT struct nn_endpoint *nn_endpoint_of_data(const void *data);

/** Returns true if nn_bind() made the endpoint, false if nn_connect() did. Constant. */
NN_EXPORT bool nn_endpoint_is_bound(const struct nn_endpoint *endpoint);

/** Return the socket's own type, such as NN_REQ, and the only type that its peers may have. Handshakes exchange and
 *  check these. Constant. */
NN_EXPORT int nn_endpoint_protocol(const struct nn_endpoint *endpoint);
NN_EXPORT int nn_endpoint_peer_protocol(const struct nn_endpoint *endpoint);

/** Reads an option of type int, such as NN_RECONNECT_IVL of level NN_SOL_SOCKET, as it was when the endpoint was made.
 *  Returns 0 or -ENOPROTOOPT. Constant. */
NN_EXPORT int nn_endpoint_option(const struct nn_endpoint *endpoint, int level, int option, int *value);

/** Returns true if the program had set that option before the endpoint was made, even to its default; if not, the
 *  transport may choose. Constant. */
NN_EXPORT bool nn_endpoint_option_is_set(const struct nn_endpoint *endpoint, int level, int option);

/** Returns true if the socket would refuse any peer now, as a PAIR that has one. A transport can then refuse a peer
 *  during the handshake, so that the peer does not consider itself connected. */
NN_EXPORT bool nn_endpoint_is_full(const struct nn_endpoint *endpoint);

/** Report to the statistics: whether the endpoint is trying to connect, and the result of its last attempt (0 or
 *  -errno, which NN_PRINT_ERRORS prints). */
NN_EXPORT void nn_endpoint_set_connecting(struct nn_endpoint *endpoint, bool is_connecting);
NN_EXPORT void nn_endpoint_set_error(struct nn_endpoint *endpoint, int error);

/** Reports to the statistics a connection that ended before it had a pipe, for example because its handshake failed.
 *  The engine counts connections that have a pipe. */
NN_EXPORT void nn_endpoint_count_broken(struct nn_endpoint *endpoint);

/** Reports to the socket's connection events (nn_socket_monitor in nanomsg/loop.h) a peer that was rejected before it
 *  had a pipe. protocol: the socket type that it claims, or 0; error: -errno. The engine reports peers that
 *  nn_pipe_open refuses. */
NN_EXPORT void nn_endpoint_report_rejected(struct nn_endpoint *endpoint, int protocol, int error);

/* ---- Pipes ------------------------------------------------------------------------------------ */

/** Opens a pipe for a connection whose peer has the right socket type, if the socket's protocol admits the peer.
 *  `connection` is opaque to the engine. The new pipe is neither readable nor writable. Returns 0, -ENOMEM, or the
 *  protocol's -errno; on failure the caller keeps the connection. Not to be called from a pipe's operations. */
NN_EXPORT int nn_pipe_open(struct nn_endpoint *endpoint, void *connection, struct nn_pipe **pipe);

/** Return the connection and the endpoint of the pipe, as given to nn_pipe_open. */
NN_EXPORT void *nn_pipe_connection(const struct nn_pipe *pipe);
NN_EXPORT struct nn_endpoint *nn_pipe_endpoint(const struct nn_pipe *pipe);

/** Returns the current NN_RCVMAXSIZE in bytes, SIZE_MAX for no limit. The transport must not receive longer
 *  messages. */
NN_EXPORT size_t nn_pipe_receive_limit(const struct nn_pipe *pipe);

/** Mark the pipe: whether it accepts a message, and whether it has one. A change to true notifies the protocol, which
 *  may send or receive before the call returns. Within `send` and `receive` only false is allowed. */
NN_EXPORT void nn_pipe_set_writable(struct nn_pipe *pipe, bool is_writable);
NN_EXPORT void nn_pipe_set_readable(struct nn_pipe *pipe, bool is_readable);

/** Marks the send side as ended for good, while received messages can still be taken. The pipe is no longer writable;
 *  the protocol is notified before the lock is released. */
NN_EXPORT void nn_pipe_end_sending(struct nn_pipe *pipe);

/** Ends the pipe: the engine calls its `close` before the lock is released. Received messages that were not taken are
 *  lost: while the pipe is readable, call this only after `receive` has returned the last one. */
NN_EXPORT void nn_pipe_end(struct nn_pipe *pipe);

/** Has exit() wait for what the connection holds, within the limits of `NN_LINGER` and one second.
 *
 *  A pipe without this function counts as holding something while it is not writable.
 *
 *  @param held_bytes returns the number of bytes that the connection has accepted and not passed on yet; it is called
 *                    under the lock.
 *  @param is_within_process true: only a thread of this process can take the bytes, and exit() of a program without
 *                           other threads does not wait. */
NN_EXPORT void nn_pipe_set_held_bytes(struct nn_pipe *pipe, size_t (*held_bytes)(const struct nn_pipe *pipe),
                                      bool is_within_process);

/** Takes back that a message counts as sent (nn_socket_pipe_statistics): each one does that `send` is called with. */
NN_EXPORT void nn_pipe_count_refused(struct nn_pipe *pipe, const struct nn_message *message);

/** Requests a call of `flush` before the lock is released, so that all messages of one call of the program can be
 *  written together. */
NN_EXPORT void nn_pipe_flush_later(struct nn_pipe *pipe);

/* ---- Messages --------------------------------------------------------------------------------- */

/** Creates a message with a body of body_bytes, which the caller fills at *body. Returns 0, or -ENOMEM with an empty
 *  message. */
NN_EXPORT int nn_message_create(struct nn_message *message, size_t body_bytes, uint8_t **body);

/** Prepares a message for delivery to another socket: header and body in one allocation that does not keep a larger one
 *  alive, and no information about its sender. Copies only if needed. Returns 0, or -ENOMEM with the message unchanged.
 *  After a copy, memory that the sender had handed over is released: the transport must then accept the message. */
NN_EXPORT int nn_message_detach(struct nn_message *message);

/* ---- Watches, timers and signals: the events of an endpoint -------------------------------------- */

/** Watches a descriptor in the socket's loop. `handle` gets the requested events that are pending: NN_POLLIN,
 *  NN_POLLOUT or both; a hang-up counts as both. Initially no event is requested. Returns NULL if memory is short. */
struct nn_watch;
NN_EXPORT struct nn_watch *nn_watch_open(struct nn_endpoint *endpoint, int fd,
                                         void (*handle)(void *context, int events), void *context);
/** Sets the requested events. Returns 0 or -errno. */
NN_EXPORT int nn_watch_want(struct nn_watch *watch, int events);
/** Closes the watch: the handler is not called again. The descriptor stays open; the caller closes it afterwards. */
NN_EXPORT void nn_watch_close(struct nn_watch *watch);

/** A one-shot timer. Starting it again replaces the delay; delay_ms < 0 means never. nn_timer_open returns NULL if
 *  memory is short. */
struct nn_timer;
NN_EXPORT struct nn_timer *nn_timer_open(struct nn_endpoint *endpoint, void (*handle)(void *context), void *context);
NN_EXPORT void nn_timer_start(struct nn_timer *timer, int delay_ms);
NN_EXPORT void nn_timer_stop(struct nn_timer *timer);
NN_EXPORT void nn_timer_close(struct nn_timer *timer);

/** Notifies an endpoint from another thread, or from another socket, whose lock must not be taken while holding one.
 *  nn_signal_open returns NULL if memory is short. */
struct nn_signal;
NN_EXPORT struct nn_signal *nn_signal_open(struct nn_endpoint *endpoint, void (*handle)(void *context), void *context);
/** Schedules a call of the handler, with the lock of the signal's socket held. Raising it again before the call has no
 *  effect. Any thread, with any locks held; the signal must not be closed at the same time.
 *
 *  @param from an endpoint whose socket's lock the caller holds: the handler is called on this thread when that lock is
 *         released, which saves waking another thread. NULL: it is called on the thread of its loop. */
NN_EXPORT void nn_signal_raise(struct nn_signal *signal, struct nn_endpoint *from);
/** Closes the signal: the handler is not called again. */
NN_EXPORT void nn_signal_close(struct nn_signal *signal);

/* ---- Linger ----------------------------------------------------------------------------------- */

/** Keeps a closing socket alive while the transport delivers accepted messages. To be called from `close` of a pipe,
 *  with may_linger. When NN_LINGER has expired, the engine calls `abandon` once: the transport drops the rest, and the
 *  linger is over. Returns NULL if memory is short. */
struct nn_linger;
NN_EXPORT struct nn_linger *nn_linger_begin(struct nn_endpoint *endpoint, void (*abandon)(void *context),
                                            void *context);
/** Ends the linger: all messages are delivered. */
NN_EXPORT void nn_linger_end(struct nn_linger *linger);

#ifdef __cplusplus
}
#endif

#endif
