/* The interface for owners of an event loop (libuv, libev, GLib, ...).
 *
 * A plain C program does not need this header: a thread of the engine serves its sockets. A program with an event loop,
 * called the host here, creates an nn_loop, polls one descriptor, and sends and receives batches of messages on its own
 * thread. */
#ifndef NANOMSG_LOOP_H
#define NANOMSG_LOOP_H

#include <nanomsg/nn.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct nn_loop;
struct nn_chunk;

/* ---- Receive memory ---------------------------------------------------------------------------- */

/**
 * Provides receive slabs: memory of the host that the engine receives small messages into, so that the host can use
 * them in place. The engine calls the functions with its locks held, on the threads that call nn_loop_run, receive or
 * send. They must not call the engine, except for nn_allocmsg and nn_freemsg, nor run code of the host's user.
 *
 * acquire: returns size_bytes of memory and sets *token, or returns NULL, and the engine allocates the slab itself. The
 * memory must stay valid until release is called with that token, once.
 *
 * may_fill: optional (NULL). The engine calls it before each read into a slab that already holds messages, and
 * continues with another slab if it returns false.
 */
struct nn_slab_source {
    void *(*acquire)(void *context, size_t size_bytes, uint32_t *token);
    void (*release)(void *context, uint32_t token);
    void *context;
    bool (*may_fill)(void *context, uint32_t token);
};

/* ---- Loops ------------------------------------------------------------------------------------- */

/** Creates a loop, which has no thread of its own. The engine copies *slabs, which may be NULL. Returns NULL and sets
 *  errno: EMFILE, ENOMEM. */
NN_EXPORT struct nn_loop *nn_loop_create(const struct nn_slab_source *slabs);

/** Closes the loop's open sockets without linger, and frees the loop. Received messages and chunks stay valid. */
NN_EXPORT void nn_loop_destroy(struct nn_loop *loop);

/** Returns a descriptor that is readable (level-triggered) while nn_loop_run has work to do, which includes expired
 *  timers. It belongs to the loop: do not close it. -1 where no descriptor can stand for that (Windows): wait by
 *  nn_loop_wait there. */
NN_EXPORT int nn_loop_descriptor(const struct nn_loop *loop);

/**
 * Waits until nn_loop_run has work to do, at most timeout_ms milliseconds (-1: no limit). It handles nothing, so a
 * thread of its own may wait for a host whose event loop can watch no descriptor, while the host's thread runs the
 * loop. May return early, as after nn_loop_wake.
 *
 * @return 1: there is work; 0: there is none yet.
 */
NN_EXPORT int nn_loop_wait(struct nn_loop *loop, int timeout_ms);

/** Gives the loop work that does nothing: a nn_loop_wait, now or the next one, returns. Thread-safe. */
NN_EXPORT void nn_loop_wake(struct nn_loop *loop);

/**
 * Handles pending events without blocking, for at most about budget_events connections. If events remain, the
 * descriptor stays readable.
 *
 * @return the number of sockets that nn_loop_next_ready will report.
 */
NN_EXPORT int nn_loop_run(struct nn_loop *loop, int budget_events);

/**
 * Reports the next socket that has become ready since it was last reported (edge-triggered). *events is a set of
 *
 * - NN_POLLIN: a message arrived at a socket that had none;
 * - NN_POLLOUT: the socket can send again;
 * - NN_LOOP_EVENTS: a connection event occurred on a monitored socket that had none pending, or a peer is held
 *   (nn_socket_next_candidate);
 * - NN_LOOP_CLOSED: the socket has finished closing, and *user is not reported again.
 *
 * A socket that any thread has closed is reported readable and writable; calls on it fail with EBADF.
 *
 * A call that receives can make the socket writable (a REP that may reply). This is reported here as well, but makes
 * the loop's descriptor readable only if a send was refused before.
 *
 * @return 1 with *user (the argument of nn_loop_socket) and *events set; 0 if no socket is left.
 */
NN_EXPORT int nn_loop_next_ready(struct nn_loop *loop, void **user, int *events);

#define NN_LOOP_CLOSED 4
#define NN_LOOP_EVENTS 8

/** Returns true while a closed socket of this loop still delivers accepted messages (linger). The host keeps running
 *  the loop until it returns false: exit() delivers only the messages of sockets that nn_socket() opened. */
NN_EXPORT bool nn_loop_is_lingering(struct nn_loop *loop);

/* ---- Sockets on a loop ------------------------------------------------------------------------- */

/** Opens a socket that this loop serves; otherwise as nn_socket(). nn_loop_next_ready reports it as `user`, until it
 *  has reported NN_LOOP_CLOSED. */
NN_EXPORT int nn_loop_socket(struct nn_loop *loop, int domain, int protocol, void *user);

/**
 * Returns a handle that identifies the socket for good. Every function that takes a socket number accepts its handle as
 * well, and fails with EBADF once that socket is closed, even when a new socket has the same number. A handle protects
 * its owner from other threads that close the number. The low 16 bits are the number.
 *
 * @return the handle (at least 65,536), or -1 with errno EBADF.
 */
NN_EXPORT int nn_socket_handle(int s);

/** Writes the address of an endpoint, with the port that the system chose, and a NUL. Returns its length without the
 *  NUL, or -1 and sets errno: EBADF, EINVAL (no such endpoint), EMSGSIZE (the buffer is too small). */
NN_EXPORT int nn_endpoint_address(int s, int endpoint, char *buffer, size_t size_bytes);

/* Contexts, as NNG calls them: a REQ, SURVEYOR, REP or RESPONDENT socket can run any number of requests or
 * surveys at the same time. A nonzero number identifies each. On REQ and SURVEYOR the caller chooses it; on REP and
 * RESPONDENT the engine does. A request ends with its reply, a survey with nn_socket_context_close; on REP and
 * RESPONDENT a context ends when its reply is sent. Number 0 stands for the one exchange at a time of nn_send and
 * nn_recv. */

/** One received message of a batch. The caller owns one reference to the chunk. */
struct nn_received {
    struct nn_chunk *chunk; /* to be released with nn_chunk_release; NULL for an empty message */
    const uint8_t *body;
    size_t body_bytes;
    bool is_in_slab;
    uint32_t slab_token;      /* of the slab source; valid if is_in_slab */
    const void *slab_context; /* of the slab source that the token belongs to; NULL if not in a slab */
    uint32_t context;         /* 0 unless received by nn_socket_context_receive */
    uint32_t pipe;            /* the connection that it arrived by, for nn_socket_peer; as in struct nn_event */
    uint32_t lost;            /* not 0: no message; the context's request has failed, see NN_REQ_CONTEXT_ATTEMPTS, and
                                 this is how many peers have gone away while they had it */
};

/**
 * Receives up to `count` messages without blocking.
 *
 * @return their number (at least 1), or -1 with errno set as by nn_recv with NN_DONTWAIT.
 */
NN_EXPORT int nn_socket_receive_batch(int s, struct nn_received *received, int count);

/**
 * Receives up to `count` messages of all contexts, number 0 included, without blocking; fewer when they are long, so
 * that there may be more. A caller that has started contexts receives with this function only.
 *
 * @return their number (at least 1), or -1 and sets errno: EAGAIN, EBADF, ENOTSUP (the type has no contexts),
 *         ENOMEM.
 */
NN_EXPORT int nn_socket_context_receive(int s, struct nn_received *received, int count);

/**
 * Turns a received message into one of nn_allocmsg without copying, if it has a chunk of its own that nothing else
 * refers to.
 *
 * @return the body, which takes over the caller's reference to the chunk; NULL if not possible, with nothing changed.
 */
NN_EXPORT void *nn_received_claim(const struct nn_received *received);

/** Ends a context: messages that still arrive for it are dropped. Returns 0, or -1 and sets errno: EBADF,
 *  ENOTSUP. */
NN_EXPORT int nn_socket_context_close(int s, uint32_t context);

/** Returns the number of times that the request of a context of a REQ was sent to a peer (0: it waits for one); context
 *  0 is the request of nn_send. Or returns -1 and sets errno: EBADF, EINVAL (no request of that context is on its way),
 *  ENOTSUP (the type sends no requests). */
NN_EXPORT int64_t nn_socket_context_sent(int s, uint32_t context);

/** A message to send: bytes that the engine copies if it must keep them, or a chunk (of nn_allocmsg or nn_chunk_adopt)
 *  whose reference it takes over. */
struct nn_outgoing {
    const void *body;
    size_t body_bytes;
    struct nn_chunk *chunk; /* NULL, or the chunk that contains the body: accepting the message consumes a reference */
    uint32_t context;
};

/**
 * Sends messages in order, without blocking, in as few system calls as possible.
 *
 * With queue_limit_bytes > 0, the socket keeps messages that no peer can accept now, while its queue holds less than
 * queue_limit_bytes. Queued messages are sent before all later ones.
 *
 * @return the number of accepted messages (the caller keeps the chunks of the others), or -1 if the first one was not
 *         accepted, and sets errno: EAGAIN, EFSM (the state does not allow it, or there is no such context to
 *         reply to), EEXIST (the context exists already), ENOTSUP, EBADF, ENOMEM, EMSGSIZE.
 */
NN_EXPORT int nn_socket_send_batch(int s, const struct nn_outgoing *messages, int count, size_t queue_limit_bytes);

/** Returns the number of bytes in the socket's own send queue, or -1 with errno EBADF. */
NN_EXPORT int64_t nn_socket_queued_bytes(int s);

/* ---- Connection events -------------------------------------------------------------------------- */

/** The socket has admitted a peer: messages can be exchanged. */
#define NN_EVENT_CONNECT 1
/** The connection to an admitted peer has ended, and its last message was received. error: 0 (closed by this side),
 *  ESHUTDOWN (closed by the peer), ECONNRESET, ETIMEDOUT, ... (the connection failed), EPROTO or EILSEQ (the peer
 *  violated the protocol), EMSGSIZE (it exceeded NN_RCVMAXSIZE), ENOBUFS (it was slow: NN_ON_SLOW). */
#define NN_EVENT_DISCONNECT 2
/** A connection has ended before its peer was admitted. error: EPROTOTYPE (wrong socket type), EPROTO (malformed
 *  handshake), EBUSY (a PAIR has a peer already), ETIMEDOUT (no handshake in time), EACCES (certificate not accepted),
 *  ECONNRESET (the peer closed, perhaps for one of these reasons), ECONNREFUSED (a WebSocket server refused), ... */
#define NN_EVENT_REJECT 3
/** An attempt to connect, or to accept a connection, has failed. The engine repeats it. */
#define NN_EVENT_FAILURE 4

/** A peer takes no more, and messages for it are dropped or, answers in contexts, kept back: PUB, BUS, SURVEYOR, REP,
 *  RESPONDENT. Once until it has taken all that waits for it (over inproc: until it takes more). (5 is
 *  NN_EVENT_CANDIDATE of nanomsg/admission.h.) */
#define NN_EVENT_SLOW 6

#define NN_EVENT_ADDRESS_BYTES 160
/** The number of pending events that a socket keeps; further events replace the oldest. */
#define NN_EVENTS_LIMIT 1024

struct nn_event {
    int type; /* NN_EVENT_... */
    int endpoint;
    int error;       /* an errno, or 0 */
    int protocol;    /* the peer's socket type, such as NN_REP; 0 if unknown */
    uint32_t pipe;   /* identifies the connection, with CONNECT, DISCONNECT and SLOW; unique among open connections */
    bool is_bound;   /* true: the endpoint accepts connections; false: it connects */
    uint64_t lost;   /* the number of events dropped before this one */
    uint64_t age_ms; /* of nn_socket_last_failure: the time since then */
    /* Addresses as "tcp://127.0.0.1:5555" or "ws://[fe80::1%eth0]:80/path", empty if unknown. The address of the
     * listening side is one to connect to. With inproc and ipc both sides have the address of the endpoint. */
    char address[NN_EVENT_ADDRESS_BYTES]; /* of the endpoint, as nn_endpoint_address returns it */
    char local_address[NN_EVENT_ADDRESS_BYTES];
    char remote_address[NN_EVENT_ADDRESS_BYTES]; /* with FAILURE: the target of the attempt */
    /* With SLOW, as in struct nn_pipe_statistics (nanomsg/statistics.h): of the connection, until then. */
    uint64_t messages_dropped;
    uint64_t bytes_dropped;
    uint64_t queued_bytes;
};

/** Turns the connection events of a socket on or off (initially off). Turning them off drops pending events; so does
 *  closing the socket. Returns 0, or -1 and sets errno: EBADF, ENOMEM. */
NN_EXPORT int nn_socket_monitor(int s, bool is_on);

/** Describes the peer of an open connection as NN_EVENT_CONNECT does; the socket need not be monitored. Afterwards
 *  nn_socket_event_peer reads properties of that peer. Returns 0, or -1 and sets errno: EBADF, ENOENT (no such
 *  connection), ENOMEM, EFAULT (event is NULL). */
NN_EXPORT int nn_socket_peer(int s, uint32_t pipe, struct nn_event *event);

/** Writes the numbers of at most `count` connections to admitted peers, for nn_socket_peer. Returns how many there are,
 *  which may be more; or -1 and sets errno: EBADF, EFAULT (pipes is NULL), EINVAL (count is negative). */
NN_EXPORT int nn_socket_pipes(int s, uint32_t *pipes, int count);

/** Takes the oldest pending event. Returns 1; 0 if there is none; or -1 and sets errno: EBADF, EFAULT (event is
 *  NULL). */
NN_EXPORT int nn_socket_next_event(int s, struct nn_event *event);

/** Describes the last FAILURE, REJECT or DISCONNECT with an error other than ESHUTDOWN, as its event does; the socket
 *  need not be monitored. A FAILURE or REJECT of an endpoint that connects is forgotten when it is connected or closed;
 *  peers that a bound endpoint turns away do not replace it. Afterwards nn_socket_event_peer reads its properties, in
 *  place of those of the event that was taken last. Returns 1; 0 if there is none; or -1 and sets errno: EBADF, ENOMEM,
 *  EFAULT (event is NULL). */
NN_EXPORT int nn_socket_last_failure(int s, struct nn_event *event);

/* Properties of a peer, for nn_socket_event_peer. Headers and problems are recorded only if the socket was monitored
 * when the connection was made. */

/** struct nn_ipc_credentials (nanomsg/ipc.h): the peer's process, with ipc and other local sockets. */
#define NN_PEER_CREDENTIALS 0
/** Text: the header lines of the peer's WebSocket request, each with "\r\n"; bound endpoints only. */
#define NN_PEER_HEADERS 1
/** The peer's own certificate, in DER, if it was accepted. Servers receive one only where they require it. */
#define NN_PEER_CERTIFICATE 2
/** Text, with REJECT and DISCONNECT: the reason, where it says more than the errno does, such as "certificate has
 *  expired" or "HTTP/1.1 404 Not Found". */
#define NN_PEER_PROBLEM 3

/** Reads a property of the peer in the last event returned by nn_socket_next_event or nn_socket_peer. Copies at most
 *  *size bytes to value, and sets *size to the full size. Returns 0, or -1 and sets errno: ENODATA (unknown, or not a
 *  property of such a peer), EBADF, EFAULT (a pointer is NULL), EINVAL (`what` is no NN_PEER_* number). */
NN_EXPORT int nn_socket_event_peer(int s, int what, void *value, size_t *size);

/* ---- Devices ---------------------------------------------------------------------------------- */

struct nn_forwarder;

/** Creates a device that never blocks: the host calls nn_forwarder_run when one of the two sockets is ready. Returns
 *  NULL and sets errno as nn_device(), or to ENOMEM. */
NN_EXPORT struct nn_forwarder *nn_forwarder_create(int s1, int s2);

/**
 * Forwards messages without blocking, about budget_messages at most.
 *
 * @param wait_ms  set to the longest time to wait for readiness before the next call, by NN_SNDTIMEO and NN_RCVTIMEO;
 *                 -1: no limit
 * @return the number of forwarded messages (if it reaches the budget, more may be pending), or -1 with errno set, which
 *         ends the device: EBADF (a socket was closed), ETIMEDOUT, ...
 */
NN_EXPORT int nn_forwarder_run(struct nn_forwarder *forwarder, int budget_messages, int *wait_ms);

/** Frees the forwarder, and with it a message that it could not forward. The sockets stay open. */
NN_EXPORT void nn_forwarder_destroy(struct nn_forwarder *forwarder);

/* ---- Chunks ------------------------------------------------------------------------------------ */

/** Creates a chunk of the caller's memory. The engine calls release once, on any thread, when the last reference is
 *  released. Returns the chunk with one reference, or NULL with errno ENOMEM. */
NN_EXPORT struct nn_chunk *nn_chunk_adopt(void *bytes, size_t size_bytes, void (*release)(void *bytes, void *context),
                                          void *context);
/** Returns the chunk of memory from nn_allocmsg or of a message received with NN_MSG; NULL for any other memory. Adds
 *  no reference. */
NN_EXPORT struct nn_chunk *nn_chunk_of(void *message);
/** Adds a reference. Any thread. */
NN_EXPORT void nn_chunk_retain(struct nn_chunk *chunk);
/** Releases a reference, and the memory with the last one. Any thread. */
NN_EXPORT void nn_chunk_release(struct nn_chunk *chunk);
/** Returns the size of the chunk's memory. */
NN_EXPORT size_t nn_chunk_size_bytes(const struct nn_chunk *chunk);

#ifdef __cplusplus
}
#endif

#endif
