/* The interface for owners of an event loop (libuv, libev, GLib, ...).
 *
 * A C program needs none of this: its sockets are served by a thread of the engine. A host that has a
 * loop of its own creates an nn_loop, watches one descriptor, and gets messages in batches, on its own
 * thread and without a hop. */
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

/* ---- Memory that messages are received into ---------------------------------------------------- */

/**
 * A source of receive slabs, so that small messages can be views on memory of the host. The functions are called on the
 * threads that run nn_loop_run, receive or send, while locks of the engine are held: they must not call into the engine
 * (nn_allocmsg and nn_freemsg excepted), nor run code of the host's user.
 *
 * acquire returns the start of a slab of size_bytes and sets *token, or returns NULL: then the engine takes memory of
 * its own. The memory must stay valid until release, which is called once no engine part refers to the slab.
 *
 * may_fill, which may be NULL, is called before each read into a slab in which messages lie already. If it returns
 * false, the engine continues with another slab.
 */
struct nn_slab_source {
    void *(*acquire)(void *context, size_t size_bytes, uint32_t *token);
    void (*release)(void *context, uint32_t token);
    void *context;
    bool (*may_fill)(void *context, uint32_t token);
};

/* ---- Loops ------------------------------------------------------------------------------------- */

/** Creates a loop without a thread; slabs may be NULL. Returns NULL and errno: EMFILE, ENOMEM. */
NN_EXPORT struct nn_loop *nn_loop_create(const struct nn_slab_source *slabs);

/** Closes what sockets of the loop are still open, without linger, and releases the loop. Messages and
 *  chunks that were received stay valid. */
NN_EXPORT void nn_loop_destroy(struct nn_loop *loop);

/** A descriptor that is readable (level-triggered) when nn_loop_run has work, deadlines included. */
NN_EXPORT int nn_loop_descriptor(const struct nn_loop *loop);

/**
 * Handles what is ready, at most about budget_events connections, and never blocks. What is left
 * keeps the descriptor readable.
 *
 * @return the number of sockets that wait to be asked with nn_loop_next_ready.
 */
NN_EXPORT int nn_loop_run(struct nn_loop *loop, int budget_events);

/**
 * The next socket whose readiness rose since it was last reported: a message came to a socket that had
 * none (NN_POLLIN), it can send again (NN_POLLOUT), events came to one that is monitored and had none (NN_LOOP_EVENTS),
 * it has closed for good (NN_LOOP_CLOSED). When its descriptor is closed, by whomever, it is both readable and writable:
 * calls fail with EBADF.
 *
 * That receiving a batch has made the socket writable (a REP can answer) is reported here, too, but does not make the
 * descriptor readable, unless a send was refused before.
 *
 * @return 1 and fills user (as given to nn_loop_socket) and events; 0 when there is none.
 */
NN_EXPORT int nn_loop_next_ready(struct nn_loop *loop, void **user, int *events);

#define NN_LOOP_CLOSED 4
#define NN_LOOP_EVENTS 8

/** True while a closed socket of this loop still delivers accepted messages (linger). Whoever runs the loop goes on until
 *  then: exit() delivers only what sockets of nn_socket() hold. */
NN_EXPORT bool nn_loop_is_lingering(struct nn_loop *loop);

/* ---- Sockets on a loop ------------------------------------------------------------------------- */

/** As nn_socket(), served by this loop. `user` comes back in nn_loop_next_ready, until
 *  NN_LOOP_CLOSED has been reported. */
NN_EXPORT int nn_loop_socket(struct nn_loop *loop, int domain, int protocol, void *user);

/**
 * A handle of a socket, for owners that other threads must not confuse by closing its number: every function that takes
 * the number of a socket takes its handle as well, and fails with EBADF once the socket is closed, also when another
 * socket has got the number since. The low 16 bits are the number.
 *
 * @return the handle (at least 65,536), or -1 and errno: EBADF.
 */
NN_EXPORT int nn_socket_handle(int s);

/** The address an endpoint is bound to, with the port the system chose. Returns its length (without
 *  the terminating NUL, which is written), or -1 and errno: EBADF, EINVAL (endpoint), EMSGSIZE. */
NN_EXPORT int nn_endpoint_address(int s, int endpoint, char *buffer, size_t size_bytes);

/* Conversations: on a socket of a type that asks (REQ, SURVEYOR) or answers (REP, RESPONDENT), any number of requests
 * or surveys can go on side by side. Each has a number other than 0, which is the caller's where the socket asks, and
 * the engine's where it answers. A request ends with its reply, a survey when it is forgotten; what is answered ends
 * with the answer. Number 0 is what nn_send and nn_recv do. */

/** One received message of a batch. The receiver owns one reference to the chunk. */
struct nn_received {
    struct nn_chunk *chunk; /* give it back with nn_chunk_release; NULL for an empty message */
    const uint8_t *body;
    size_t body_bytes;
    bool is_in_slab;
    uint32_t slab_token; /* the slab source's token; meaningful when is_in_slab */
    const void
        *slab_context;     /* the slab source's context: tokens of other sources mean other slabs; NULL: in no slab */
    uint32_t conversation; /* 0 unless it was received by nn_socket_receive_any */
    uint32_t pipe;         /* who has sent it, for nn_socket_peer: what events of connections call `pipe` */
};

/**
 * Receives up to `count` messages without blocking.
 *
 * @return their number (at least 1), or -1 and errno as nn_recv with NN_DONTWAIT.
 */
NN_EXPORT int nn_socket_receive_batch(int s, struct nn_received *received, int count);

/**
 * The same from all conversations, and from none: whoever has begun conversations receives with this.
 *
 * @return their number (at least 1), or -1 and errno: EAGAIN, EBADF, ENOTSUP (no type that has conversations), ENOMEM.
 */
NN_EXPORT int nn_socket_receive_any(int s, struct nn_received *received, int count);

/**
 * Makes a received message one of nn_allocmsg, without copying it: one that is alone in its memory and nobody else has.
 *
 * @return the body, which has taken the reference to the chunk; or NULL, and the message is what it was.
 */
NN_EXPORT void *nn_received_claim(const struct nn_received *received);

/** Ends a conversation; what still comes for it is dropped. Returns 0, or -1 and errno: EBADF, ENOTSUP. */
NN_EXPORT int nn_socket_forget(int s, uint32_t conversation);

/** A message to send: bytes to copy, or a chunk (from nn_allocmsg or nn_chunk_adopt) to hand over. */
struct nn_outgoing {
    const void *body;
    size_t body_bytes;
    struct nn_chunk *chunk; /* not NULL: body lies in this chunk and one reference is consumed */
    uint32_t conversation;
};

/**
 * Sends messages in order, without blocking, in as few system calls as possible.
 *
 * With queue_limit_bytes > 0, messages that no peer can take now are kept by the socket, and go before
 * all later ones, as long as fewer than queue_limit_bytes wait.
 *
 * @return the number of messages taken (the chunks of the others stay with the caller), or -1 and errno
 *         when the first one was not taken: EAGAIN, EFSM (also: there is no such conversation to answer), EEXIST
 *         (there is such a conversation already), ENOTSUP, EBADF, ENOMEM, EMSGSIZE.
 */
NN_EXPORT int nn_socket_send_batch(int s, const struct nn_outgoing *messages, int count, size_t queue_limit_bytes);

/** Bytes that wait in the socket's own queue, or -1 and errno EBADF. */
NN_EXPORT int64_t nn_socket_queued_bytes(int s);

/* ---- Events of connections ---------------------------------------------------------------------- */

/** A peer was admitted: messages can go to and fro. */
#define NN_EVENT_CONNECT 1
/** A peer that was admitted is gone, and what it had sent has been received. error: 0 when we closed the connection,
 *  ESHUTDOWN when the peer did; ECONNRESET, ETIMEDOUT, ... when it broke; EPROTO, EILSEQ or EMSGSIZE when the peer broke the
 *  rules or NN_RCVMAXSIZE. */
#define NN_EVENT_DISCONNECT 2
/** A connection has ended before its peer was admitted. error: EPROTOTYPE (the wrong type of socket), EPROTO (a bad
 *  greeting), EBUSY (a Pair has its peer already), ETIMEDOUT (the peer said nothing), EACCES (a certificate), ECONNRESET (it left, perhaps for
 *  such a reason), ECONNREFUSED (a WebSocket server said no), ... */
#define NN_EVENT_REJECT 3
/** An attempt to connect or to accept a connection has failed. */
#define NN_EVENT_FAILURE 4

#define NN_EVENT_ADDRESS_BYTES 160
/** So many events wait to be taken; when there are more, the oldest are dropped. */
#define NN_EVENTS_LIMIT 1024

struct nn_event {
    int type; /* NN_EVENT_... */
    int endpoint;
    int error;     /* errno, or 0 */
    int protocol;  /* the peer's type, such as NN_REP; 0: not known */
    uint32_t pipe; /* which connection, with CONNECT and DISCONNECT: a number that no other has at that time */
    bool is_bound; /* the endpoint's peers come to us; false: it connects */
    uint64_t lost; /* events before this one that were dropped */
    /* "tcp://127.0.0.1:5555", "ws://[fe80::1%eth0]:80/path"; empty where it is not known. That of the end that listens can
     * be connected to as it is. The two ends of inproc and ipc have the endpoint's address. */
    char address[NN_EVENT_ADDRESS_BYTES]; /* the endpoint's, as nn_endpoint_address tells it */
    char local_address[NN_EVENT_ADDRESS_BYTES];
    char remote_address[NN_EVENT_ADDRESS_BYTES]; /* with FAILURE: where it should have been connected to */
};

/** Switches the events of a socket on or off, which they are at first; off drops those that were not taken. Closing the
 *  socket ends them. Returns 0, or -1 and errno: EBADF, ENOMEM. */
NN_EXPORT int nn_socket_monitor(int s, bool is_on);

/** Who is at the other end of a connection, as NN_EVENT_CONNECT tells it; nobody has to monitor the socket for that.
 *  nn_socket_event_peer goes on from here, too. Returns 0, or -1 and errno: EBADF, ENOENT (the socket has no such
 *  connection, or no more), ENOMEM, EFAULT (event is NULL). */
NN_EXPORT int nn_socket_peer(int s, uint32_t pipe, struct nn_event *event);

/** Takes the oldest event. Returns 1; 0 when there is none; or -1 and errno: EBADF, EFAULT (event is NULL). */
NN_EXPORT int nn_socket_next_event(int s, struct nn_event *event);

/** What else is known of a peer: of its headers and problems where the socket was watched when the connection was made. */

/** struct nn_ipc_credentials of nanomsg/ipc.h: whose process it is, over ipc and other local sockets. */
#define NN_PEER_CREDENTIALS 0
/** Text, of WebSocket endpoints that are bound: the lines of the peer's request but for the first, each with "\r\n". */
#define NN_PEER_HEADERS 1
/** The peer's own certificate, in DER; none that was not accepted. Servers see one where they require it. */
#define NN_PEER_CERTIFICATE 2
/** Text, with REJECT and DISCONNECT: what was wrong, where there are better words for it than those of the errno, such as
 *  "certificate has expired" or "HTTP/1.1 404 Not Found". */
#define NN_PEER_PROBLEM 3

/** Tells that of the peer of the event that was taken last, or that nn_socket_peer has told. Copies at most *size bytes, and sets *size to how many there
 *  are. Returns 0; or -1 and errno: ENODATA (it is not known, or there is no such thing), EBADF, EFAULT (a pointer is NULL),
 *  EINVAL (there is no such `what`). */
NN_EXPORT int nn_socket_event_peer(int s, int what, void *value, size_t *size);

/* ---- Devices ---------------------------------------------------------------------------------- */

struct nn_forwarder;

/** What nn_device() does, without waiting: the owner of the loop calls nn_forwarder_run when one of the sockets is ready.
 *  Returns NULL and errno as nn_device(), or ENOMEM. */
NN_EXPORT struct nn_forwarder *nn_forwarder_create(int s1, int s2);

/**
 * Forwards what it can without blocking, and stops after about budget_messages.
 *
 * @param wait_ms  gets how long to wait for readiness before the next call, by NN_SNDTIMEO and NN_RCVTIMEO; -1: no limit
 * @return the number of messages forwarded (not less than the budget: there may be more), or -1 and errno, which ends
 *         the device: EBADF (a socket is closed), ETIMEDOUT, ...
 */
NN_EXPORT int nn_forwarder_run(struct nn_forwarder *forwarder, int budget_messages, int *wait_ms);

/** Releases the forwarder and a message that it could not pass on. The sockets stay open. */
NN_EXPORT void nn_forwarder_destroy(struct nn_forwarder *forwarder);

/* ---- Chunks ------------------------------------------------------------------------------------ */

/** Makes a chunk of foreign memory. release is called once, on any thread, when the last reference goes.
 *  Returns NULL and errno ENOMEM. */
NN_EXPORT struct nn_chunk *nn_chunk_adopt(void *bytes, size_t size_bytes, void (*release)(void *bytes, void *context),
                                          void *context);
/** The chunk behind memory of nn_allocmsg or of a message received with NN_MSG; NULL if it is none. */
NN_EXPORT struct nn_chunk *nn_chunk_of(void *message);
NN_EXPORT void nn_chunk_retain(struct nn_chunk *chunk);
NN_EXPORT void nn_chunk_release(struct nn_chunk *chunk);
/** Bytes of memory that the chunk holds. */
NN_EXPORT size_t nn_chunk_size_bytes(const struct nn_chunk *chunk);

#ifdef __cplusplus
}
#endif

#endif
