/* The interface between the engine and a protocol (pair, req, pub, ...).
 *
 * A protocol is one constant table, registered once per process with nn_protocol_register(). The
 * built-in protocols use nothing but this header. All functions of a table run under the lock of
 * their socket: they never block, never take another lock, never see a descriptor, and are never
 * entered twice at the same time for one socket.
 *
 * Flow control is one word: -EAGAIN, "I cannot take (or give) a message now". */
#ifndef NANOMSG_PROTOCOL_H
#define NANOMSG_PROTOCOL_H

#include <nanomsg/ipc.h>
#include <nanomsg/nn.h>
#include <nanomsg/statistics.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Version of struct nn_protocol. Tables only grow at their end; an older table keeps working. */
#define NN_PROTOCOL_VERSION 4

/* ---- Messages --------------------------------------------------------------------------------- */

/** Reference-counted memory; see nn_allocmsg(). */
struct nn_chunk;

/** Header bytes that fit into a message itself: nine hops of a backtrace and an id. */
#define NN_MESSAGE_INLINE_HEADER_BYTES 40

/**
 * One message: a header (request ids, backtraces; invisible to cooked users) and a body.
 *
 * A value: assigning it moves it, after which the source must be forgotten or reset with
 * nn_message_init(). The body is read-only, because others may share it. Either `chunk` keeps the
 * body alive, or it is NULL and the body is borrowed: valid only until the current call returns.
 */
struct nn_message {
    const uint8_t *body;
    size_t body_bytes;
    struct nn_chunk *chunk;
    uint32_t header_bytes;
    uint16_t type;         /* a transport's own mark, such as the ws opcode; 0: none */
    uint8_t is_from_known; /* whose process sent it stands in `sender` */
    uint8_t has_peer_info; /* `peer` is valid: properties of the peer that sent it */
    uint32_t pipe;         /* the id of the pipe that it was received from; 0: none */
    union {
        struct nn_ipc_credentials sender;
        struct {
            struct nn_chunk *headers;     /* how it asked for the connection: text, a reference; or NULL */
            struct nn_chunk *certificate; /* DER, a reference; or NULL */
        } peer;
    };
    union {
        uint8_t bytes[NN_MESSAGE_INLINE_HEADER_BYTES];
        struct {
            uint8_t *bytes;
            size_t capacity_bytes;
        } heap; /* when header_bytes is larger than the inline space */
    } header;
};

/** Makes an empty message. */
NN_EXPORT void nn_message_init(struct nn_message *message);

/** Releases body and header and leaves an empty message. */
NN_EXPORT void nn_message_free(struct nn_message *message);

/** Makes `to` a message of the same content that shares the body. `from` must own its body
 *  (nn_message_own). Returns 0 or -ENOMEM, with `to` empty. */
NN_EXPORT int nn_message_share(struct nn_message *to, const struct nn_message *from);

/** Makes a borrowed body owned by copying it; does nothing to an owned one. To be called before a
 *  message is kept after the call that brought it. Returns 0 or -ENOMEM, with nothing changed. */
NN_EXPORT int nn_message_own(struct nn_message *message);

/** The header's bytes, valid until the header changes. */
NN_EXPORT const uint8_t *nn_message_header(const struct nn_message *message);

/** Empties the header. */
NN_EXPORT void nn_message_header_clear(struct nn_message *message);

/** Adds bytes behind (append) or before (prepend) the header. Returns 0 or -ENOMEM, unchanged. */
NN_EXPORT int nn_message_header_append(struct nn_message *message, const void *bytes, size_t count);
NN_EXPORT int nn_message_header_prepend(struct nn_message *message, const void *bytes, size_t count);

/** Gives `to` the header of `from`, which has none then. `to` must have none before. */
NN_EXPORT void nn_message_header_move(struct nn_message *to, struct nn_message *from);

/** Removes the first `count` bytes of the header; count must not exceed its length. */
NN_EXPORT void nn_message_header_trim(struct nn_message *message, size_t count);

/** Moves the first `count` bytes of the body to the end of the header; count must not exceed the
 *  body's length. Returns 0 or -ENOMEM, unchanged. */
NN_EXPORT int nn_message_header_pull(struct nn_message *message, size_t count);

/* ---- Pipes ------------------------------------------------------------------------------------ */

/** One established connection to one peer that the protocol has admitted. */
struct nn_pipe;

/** The protocol's private part: pipe_bytes of zeroed memory that lives as long as the pipe. */
NN_EXPORT void *nn_pipe_data(struct nn_pipe *pipe);

/** The pipe whose private part this is. */
NN_EXPORT struct nn_pipe *nn_pipe_of_data(void *data);

/** An id that no other pipe of this process has now: 31 bits, never 0. */
NN_EXPORT uint32_t nn_pipe_id(const struct nn_pipe *pipe);

/** NN_SNDPRIO and NN_RCVPRIO of the endpoint that made the pipe, 1 (first) to 16. */
NN_EXPORT int nn_pipe_send_priority(const struct nn_pipe *pipe);
NN_EXPORT int nn_pipe_receive_priority(const struct nn_pipe *pipe);

/** Whether a message could be sent now. Turns false without notice when the pipe breaks. */
NN_EXPORT bool nn_pipe_can_send(const struct nn_pipe *pipe);

/** Whether a complete message waits to be received. */
NN_EXPORT bool nn_pipe_can_receive(const struct nn_pipe *pipe);

/** Returns true if the pipe that has given the last message gives the next one, too, before the other pipes have their
 *  turn. When messages are received one by one, it returns false. In a batch, each pipe gives a quantum of short
 *  messages: the receiver gets them together anyway, and switching pipes costs more than a short message. */
NN_EXPORT bool nn_pipe_has_quantum_left(const struct nn_pipe *pipe);

/** Hands a message to the peer. Takes it and returns 0, or the message stays with the caller: -EAGAIN
 *  until the pipe is writable again, -ENOMEM at any time. A body that is not yet on its way is copied if it is
 *  borrowed, shared if it is owned. */
NN_EXPORT int nn_pipe_send(struct nn_pipe *pipe, struct nn_message *message);

/** Takes the next complete message; its body is owned and everything the peer sent stands in it,
 *  with an empty header. Returns 0, or -EAGAIN with an empty message. */
NN_EXPORT int nn_pipe_receive(struct nn_pipe *pipe, struct nn_message *message);

/** Gives the peer up, as after a violation of the protocol. pipe_removed follows, after the current
 *  call into the protocol has returned. */
NN_EXPORT void nn_pipe_reject(struct nn_pipe *pipe);

/** Counts a message as dropped (NN_STAT_MESSAGES_DROPPED): one that this peer does not get, or one of its own that no
 *  user gets. The message stays with the caller. */
NN_EXPORT void nn_pipe_count_dropped(struct nn_pipe *pipe, const struct nn_message *message);

/** Reports that the peer gets a message late or, after nn_pipe_count_dropped, never, since it takes none now: it is
 *  slow until it has taken what waits for it. The first call is an event (NN_EVENT_SLOW); others, until then, are
 *  nothing. */
NN_EXPORT void nn_pipe_set_slow(struct nn_pipe *pipe);

/* ---- Sockets ---------------------------------------------------------------------------------- */

struct sp_socket;
struct nn_protocol;

/** First member of every protocol's own socket structure. Filled by the engine. */
struct nn_protocol_socket {
    struct sp_socket *socket;
    const struct nn_protocol *protocol;
};

/** Gets from a member back to the structure that holds it. */
#define NN_CONTAINER(pointer, type, member) ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

/** (Re)starts the socket's one protocol timer: `timer` of the table is called once, not before
 *  delay_ms milliseconds (>= 0) have passed. */
NN_EXPORT void nn_protocol_timer_start(struct nn_protocol_socket *self, int delay_ms);
NN_EXPORT void nn_protocol_timer_stop(struct nn_protocol_socket *self);

/** The same for a message whose peer is gone. */
NN_EXPORT void nn_protocol_count_dropped(struct nn_protocol_socket *self, const struct nn_message *message);

/** NN_MAXTTL of the socket, 1 to 255. */
NN_EXPORT int nn_protocol_max_ttl(const struct nn_protocol_socket *self);

/** Milliseconds of the monotonic clock. */
NN_EXPORT uint64_t nn_protocol_now_ms(void);

/** 32 random bits, for ids that must differ between processes, and that a peer must not guess from those it has
 *  seen. */
NN_EXPORT uint32_t nn_protocol_random(void);

/* Flags of a protocol. */
#define NN_PROTOCOL_SENDS 1    /* nn_send is allowed; ENOTSUP otherwise */
#define NN_PROTOCOL_RECEIVES 2 /* nn_recv is allowed; ENOTSUP otherwise */
#define NN_PROTOCOL_BUFFERS                                                                                            \
    4 /* its pipes hold up to NN_SNDBUF bytes that the kernel refused, because
                                  the protocol drops what a pipe does not take (pub, rep, ...) */
#define NN_PROTOCOL_TAKES_TURNS                                                                                        \
    8 /* it receives from all readable pipes in turn, as long as there is one, and keeps none back (pull, sub): of many
                                  peers that have sent, the engine then reads a few at a time */

struct nn_protocol {
    int version; /* NN_PROTOCOL_VERSION */
    const char *name;
    int domain;  /* AF_SP or AF_SP_RAW; AF_SP | AF_SP_RAW where one table serves both */
    int id;      /* the socket type and wire id, such as NN_REQ: family * 16 + role */
    int peer_id; /* the only type that a peer may have */
    unsigned flags;
    size_t socket_bytes; /* the structure that begins with struct nn_protocol_socket */
    size_t pipe_bytes;

    /** The socket's structure is zeroed but for its base. Optional. Returns 0 or -errno. */
    int (*open)(struct nn_protocol_socket *self);
    /** Releases what the protocol holds; all pipes are removed already. Optional. */
    void (*close)(struct nn_protocol_socket *self);

    /** A peer's connection is ready. Returns 0, or -errno to refuse it (pipe_removed is then not
     *  called). pipe_writable and pipe_readable follow as soon as they are true. */
    int (*pipe_added)(struct nn_protocol_socket *self, struct nn_pipe *pipe);
    /** The pipe is gone when this returns. */
    void (*pipe_removed)(struct nn_protocol_socket *self, struct nn_pipe *pipe);
    /** The pipe had no complete message and has one now. It stays readable until nn_pipe_receive has
     *  taken the last one. */
    void (*pipe_readable)(struct nn_protocol_socket *self, struct nn_pipe *pipe);
    /** The pipe took no message and takes some now. It stays writable until nn_pipe_can_send says
     *  otherwise. */
    void (*pipe_writable)(struct nn_protocol_socket *self, struct nn_pipe *pipe);

    /** Takes the user's message and returns 0; -EAGAIN (the caller may wait for a change), -EFSM or
     *  -EINVAL leave it with the caller. NULL where the protocol does not send. */
    int (*send)(struct nn_protocol_socket *self, struct nn_message *message);
    /** Gives the next message, or -EAGAIN, -EFSM, -ETIMEDOUT. NULL where it does not receive. */
    int (*receive)(struct nn_protocol_socket *self, struct nn_message *message);
    /** NN_POLLIN | NN_POLLOUT: what nn_poll() reports. */
    int (*events)(struct nn_protocol_socket *self);

    /** The protocol timer has run out. Optional. */
    void (*timer)(struct nn_protocol_socket *self);

    /** Options of the level `id`. Return 0, -ENOPROTOOPT, -EINVAL or -ENOMEM. get copies at most
     *  *size bytes, or refuses less than all with -EINVAL, and sets *size to the option's full size. Optional. */
    int (*set_option)(struct nn_protocol_socket *self, int option, const void *value, size_t size);
    int (*get_option)(struct nn_protocol_socket *self, int option, void *value, size_t *size);

    /** The priority at which the next message would leave, or -1: NN_STAT_CURRENT_SND_PRIORITY.
     *  Optional. */
    int (*send_priority)(struct nn_protocol_socket *self);

    /** Whether pipe_added would refuse any peer now. Lets the engine turn a peer away before the handshake, so
     *  that it never believes to be connected. Optional. */
    bool (*is_full)(struct nn_protocol_socket *self);

    /* Contexts: requests, surveys or replies that proceed independently on one socket. A number other than 0
     * identifies each. Optional: all three, or none. See nn_socket_send_batch. */

    /** As send, in a context: where the protocol sends requests, this opens the context (-EEXIST: it exists
     *  already); where it sends replies, this closes it (-EFSM: it does not exist). */
    int (*context_send)(struct nn_protocol_socket *self, struct nn_message *message, uint32_t number);
    /** As receive, from any context, and sets its number; 0: a message outside all contexts, as `receive` would
     *  return it. Never -EFSM or -ETIMEDOUT. -ECONNRESET: the request of this context has failed, since
     *  message->pipe peers have gone away while they had it; the message is empty. */
    int (*context_receive)(struct nn_protocol_socket *self, struct nn_message *message, uint32_t *number);
    /** Closes a context, if it exists: messages that arrive for it later are dropped. */
    void (*context_close)(struct nn_protocol_socket *self, uint32_t number);

    /* Since version 2: */

    /** Nothing can be sent to this pipe any more, for good. Messages that have come can still be received, and
     *  pipe_removed follows when the last one is taken. A protocol that keeps a pipe's messages back until it is
     *  writable goes on taking them. Optional. */
    void (*pipe_sending_ended)(struct nn_protocol_socket *self, struct nn_pipe *pipe);

    /* Since version 3: */

    /** The number of times that the request of a context (0: the one outside all contexts) was sent to a peer; -EINVAL:
     *  there is none on its way. Optional. */
    int64_t (*context_sent)(struct nn_protocol_socket *self, uint32_t number);

    /* Since version 4: */

    /** NN_STAT_REQUESTS_IN_FLIGHT and NN_STAT_RESENDS (nanomsg/statistics.h); 0 where there is nothing of the kind.
     *  Optional. */
    uint64_t (*statistic)(struct nn_protocol_socket *self, int statistic);
};

/**
 * Makes a protocol known to nn_socket().
 *
 * The table must stay valid for the life of the process. Safe to call from any thread.
 *
 * @return 0, or -1 and errno: EINVAL (version, sizes or a mandatory function is wrong), EEXIST (domain
 *         and id are taken), ENOMEM.
 */
NN_EXPORT int nn_protocol_register(const struct nn_protocol *protocol);

#ifdef __cplusplus
}
#endif

#endif
