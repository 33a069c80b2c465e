/* The interface between the engine and a transport (tcp, ipc, inproc, ...), which makes connections and carries
 * messages. docs/extending.md tells it in prose; examples/transport is a whole one.
 *
 * A transport is one constant table, registered once per process with nn_transport_register(). An endpoint is one
 * nn_bind() or nn_connect() of a socket; it makes pipes, each an established connection to one peer. The engine reads and
 * writes nothing itself: it asks a pipe to send and to receive, and is told when it can.
 *
 * Locks: every function of a table, and every handler of a watch, a timer or a signal, is called under the lock of the
 * endpoint's socket, and must not block. Every function here is called under that lock too, but for
 * nn_transport_register(), nn_signal_raise() and those that read constants, which are marked.
 *
 * Threads: calls come from the thread of the socket's loop and from those of the socket's users, in turn. */
#ifndef NANOMSG_TRANSPORT_H
#define NANOMSG_TRANSPORT_H

#include <nanomsg/protocol.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Version of struct nn_transport. Tables only grow at their end; an older table keeps working. */
#define NN_TRANSPORT_VERSION 1

struct nn_endpoint;

/* ---- Tables ----------------------------------------------------------------------------------- */

/** What a transport does with a pipe. */
struct nn_pipe_operations {
    /** Called only while the pipe is writable. Takes the message and returns 0, or leaves it with the caller: -EAGAIN, and
     *  the pipe is not writable any more, or -ENOMEM, and it still is. Where the bytes do not leave at once, keep the message
     *  (nn_message_own), or what is left of it. */
    int (*send)(struct nn_pipe *pipe, struct nn_message *message);
    /** Called only while the pipe is readable, and therefore succeeds: gives the next message and returns 0. With the last
     *  one the pipe is not readable any more. The message's body is owned and its header empty. */
    int (*receive)(struct nn_pipe *pipe, struct nn_message *message);
    /** Passes on what was gathered; see nn_pipe_flush_later. Optional. */
    void (*flush)(struct nn_pipe *pipe);
    /** The protocol knows the pipe no more: release the connection. With may_linger, what was accepted may still be
     *  delivered (nn_linger_begin). The pipe is gone when this returns. */
    void (*close)(struct nn_pipe *pipe, bool may_linger);
    /** Writes where our end of the connection is, and the peer's, into buffers of NN_EVENT_ADDRESS_BYTES (nanomsg/loop.h)
     *  for who is told of the socket's events: as "scheme://address", or "" where that is not known. Optional: both are
     *  the endpoint's address otherwise. */
    void (*addresses)(struct nn_pipe *pipe, char *local, char *remote);
};

struct nn_transport {
    int version;           /* NN_TRANSPORT_VERSION */
    const char *scheme;    /* of "scheme://address": letters, digits, '+', '-' and '.' */
    size_t endpoint_bytes; /* an endpoint's private part, zeroed */

    /** `address` is what follows "scheme://", valid as long as the endpoint. Return 0, or -errno, which nn_bind and
     *  nn_connect report, with nothing left to undo. bind is ready to be connected to when it returns; connect begins,
     *  and goes on trying for as long as the endpoint lives. */
    int (*bind)(struct nn_endpoint *endpoint, const char *address);
    int (*connect)(struct nn_endpoint *endpoint, const char *address);
    /** The user has shut the endpoint down: make no pipes any more, and close its watches, timers and signals. Its pipes are
     *  closed afterwards. */
    void (*close)(struct nn_endpoint *endpoint);
    /** Writes the address in use, as with a port that the system has chosen, into a buffer of NN_SOCKADDR_MAX + 1 bytes.
     *  Optional. */
    void (*address)(const struct nn_endpoint *endpoint, char *buffer);

    const struct nn_pipe_operations *pipe;
};

/**
 * Makes a transport known to nn_bind() and nn_connect().
 *
 * The table must stay valid for the life of the process. Safe to call from any thread.
 *
 * @return 0, or -1 and errno: EINVAL (version, scheme or a mandatory function is wrong), EEXIST (the scheme is taken),
 *         ENOMEM.
 */
NN_EXPORT int nn_transport_register(const struct nn_transport *transport);

/* ---- Endpoints -------------------------------------------------------------------------------- */

/** The transport's private part: endpoint_bytes of zeroed memory, gone when the endpoint is closed and all its pipes,
 *  watches, timers, signals and lingers are. Constant. */
NN_EXPORT void *nn_endpoint_data(const struct nn_endpoint *endpoint);

/** The endpoint whose private part this is. Constant. */
NN_EXPORT struct nn_endpoint *nn_endpoint_of_data(const void *data);

/** Whether it was made by nn_bind(). Constant. */
NN_EXPORT bool nn_endpoint_is_bound(const struct nn_endpoint *endpoint);

/** The socket's own type, such as NN_REQ, and the only one that its peers may have: what greetings are about. Constant. */
NN_EXPORT int nn_endpoint_protocol(const struct nn_endpoint *endpoint);
NN_EXPORT int nn_endpoint_peer_protocol(const struct nn_endpoint *endpoint);

/** An option that is an int, such as NN_SOL_SOCKET, NN_RECONNECT_IVL, as it was when the endpoint was made. Returns 0 or
 *  -ENOPROTOOPT. Constant. */
NN_EXPORT int nn_endpoint_option(const struct nn_endpoint *endpoint, int level, int option, int *value);

/** Whether somebody had set such an option by then, if only to what it was: else a transport may choose. Constant. */
NN_EXPORT bool nn_endpoint_option_is_set(const struct nn_endpoint *endpoint, int level, int option);

/** Whether the socket would refuse any peer now, as a PAIR does that has one. Lets a transport turn peers away before
 *  they believe to be connected. */
NN_EXPORT bool nn_endpoint_is_full(const struct nn_endpoint *endpoint);

/** For the statistics: whether the endpoint is trying to connect, and how the last attempt ended (0 or -errno, which
 *  NN_PRINT_ERRORS prints). */
NN_EXPORT void nn_endpoint_set_connecting(struct nn_endpoint *endpoint, bool is_connecting);
NN_EXPORT void nn_endpoint_report(struct nn_endpoint *endpoint, int error);

/** For the statistics, too: a connection has ended before it had a pipe, as in a greeting that failed. Those with a pipe
 *  are counted by the engine. */
NN_EXPORT void nn_endpoint_count_broken(struct nn_endpoint *endpoint);

/** For who is told of the socket's events (nn_socket_monitor in nanomsg/loop.h): a peer is turned away before it has a
 *  pipe. protocol: what it says it is, or 0; error: -errno. Peers that nn_pipe_open refuses are told by the engine. */
NN_EXPORT void nn_endpoint_tell_rejected(struct nn_endpoint *endpoint, int protocol, int error);

/* ---- Pipes ------------------------------------------------------------------------------------ */

/** Asks the socket's protocol to admit a peer whose type is right. `connection` is the transport's own. The new pipe is
 *  neither readable nor writable. Returns 0, or -ENOMEM, or the protocol's refusal; the connection stays with the caller
 *  then. Not within a call of a pipe's operations. */
NN_EXPORT int nn_pipe_open(struct nn_endpoint *endpoint, void *connection, struct nn_pipe **pipe);

NN_EXPORT void *nn_pipe_connection(const struct nn_pipe *pipe);
NN_EXPORT struct nn_endpoint *nn_pipe_endpoint(const struct nn_pipe *pipe);

/** NN_RCVMAXSIZE as it is now, SIZE_MAX for none: longer messages are not to be received. */
NN_EXPORT size_t nn_pipe_receive_limit(const struct nn_pipe *pipe);

/** Tell whether the pipe takes a message, and whether it has one. What turns true is news for the protocol, which may send
 *  and receive at once; within `send` and `receive` only false is allowed. */
NN_EXPORT void nn_pipe_set_writable(struct nn_pipe *pipe, bool is_writable);
NN_EXPORT void nn_pipe_set_readable(struct nn_pipe *pipe, bool is_readable);

/** Nothing can be sent any more, for good, while messages that have come are still to be received: the protocol is told
 *  before the lock is left. The pipe is not writable any more. */
NN_EXPORT void nn_pipe_end_sending(struct nn_pipe *pipe);

/** The connection has ended: `close` of the pipe follows before the lock is left. Messages that have come and are not
 *  taken would be lost: while the pipe is readable, wait until `receive` has given the last one. */
NN_EXPORT void nn_pipe_end(struct nn_pipe *pipe);

/** Asks for `flush` before the lock is left: all that the user sends with one call can leave together. */
NN_EXPORT void nn_pipe_flush_later(struct nn_pipe *pipe);

/* ---- Messages --------------------------------------------------------------------------------- */

/** Makes a message with a body of its own, to be filled at *body. Returns 0 or -ENOMEM, with an empty message. */
NN_EXPORT int nn_message_create(struct nn_message *message, size_t body_bytes, uint8_t **body);

/** Makes a message fit for being received by another socket: header and body in one piece of memory that keeps no larger
 *  one alive. Copies nothing where that is so already. Whose process it came from is forgotten. Returns 0 or -ENOMEM, with
 *  nothing else changed. Where it has copied, what the sender handed over is gone: take the message then. */
NN_EXPORT int nn_message_detach(struct nn_message *message);

/* ---- Watches, timers, signals: what an endpoint waits for --------------------------------------- */

/** A descriptor in the socket's loop. `events` is what it is ready for: NN_POLLIN, NN_POLLOUT or both; a hang-up is both,
 *  as far as they are wanted. At first nothing is wanted. */
struct nn_watch;
NN_EXPORT struct nn_watch *nn_watch_open(struct nn_endpoint *endpoint, int fd,
                                         void (*handle)(void *context, int events), void *context);
/** Returns 0 or -errno. */
NN_EXPORT int nn_watch_want(struct nn_watch *watch, int events);
/** The handler is not called any more. The descriptor stays open: close it afterwards. */
NN_EXPORT void nn_watch_close(struct nn_watch *watch);

/** A deadline; starting it again moves it. delay_ms < 0: never. */
struct nn_timer;
NN_EXPORT struct nn_timer *nn_timer_open(struct nn_endpoint *endpoint, void (*handle)(void *context), void *context);
NN_EXPORT void nn_timer_start(struct nn_timer *timer, int delay_ms);
NN_EXPORT void nn_timer_stop(struct nn_timer *timer);
NN_EXPORT void nn_timer_close(struct nn_timer *timer);

/** News from elsewhere: another thread, or another socket, whose lock nobody may take while holding one. */
struct nn_signal;
NN_EXPORT struct nn_signal *nn_signal_open(struct nn_endpoint *endpoint, void (*handle)(void *context), void *context);
/** Has the handler called soon, under the lock of the signal's socket; once for several that are raised before. From any
 *  thread, and under any lock, as long as the signal is not closed meanwhile.
 *
 *  @param from an endpoint whose socket's lock the caller holds: the handler is called on this thread, when that lock is
 *         left, which costs no other thread's wake-up. NULL: the handler is called on the thread of its loop. */
NN_EXPORT void nn_signal_raise(struct nn_signal *signal, struct nn_endpoint *from);
/** The handler is not called any more. */
NN_EXPORT void nn_signal_close(struct nn_signal *signal);

/* ---- Linger ----------------------------------------------------------------------------------- */

/** Keeps a socket that is being closed until what it accepted is delivered. To be begun in `close` of a pipe with
 *  may_linger. When NN_LINGER has passed, `abandon` is called once: drop the rest; the linger is over then. Returns NULL
 *  when memory is short. */
struct nn_linger;
NN_EXPORT struct nn_linger *nn_linger_begin(struct nn_endpoint *endpoint, void (*abandon)(void *context),
                                            void *context);
/** All is delivered. */
NN_EXPORT void nn_linger_end(struct nn_linger *linger);

#ifdef __cplusplus
}
#endif

#endif
