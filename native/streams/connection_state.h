/* What all parts of a connection know: its structure, its owner, its peer, its end. */
#ifndef SP_STREAMS_CONNECTION_STATE_H
#define SP_STREAMS_CONNECTION_STATE_H

#include "core/admission.h"
#include "core/connection_limits.h"
#include "core/direct_poll.h"
#include "core/pipe.h"
#include "core/receive_room.h"
#include "core/socket_settle.h"
#include "streams/connection.h"
#include "streams/receive_buffer.h"
#include "streams/remains.h"
#include "streams/send_queue.h"
#include "streams/stream_peer_info.h"

enum connection_state {
    CONNECTION_SECURING, /* the filter agrees with the peer's */
    CONNECTION_HANDSHAKING,
    CONNECTION_HELD,      /* until the program has decided whether the peer is admitted */
    CONNECTION_OPEN,      /* has a pipe */
    CONNECTION_ENDED,     /* the descriptor is closed; the pipe stays while it has complete messages */
    CONNECTION_LINGERING, /* the pipe is closed; accepted bytes and the close frame are still passed on */
    CONNECTION_CLOSED
};

/* What a connection has until it has a pipe: most connections spend their life without. */
struct sp_connection_handshake {
    struct sp_connection *connection;
    struct sp_list_item item; /* in owner->handshaking */
    struct sp_limits_handshake limits;
    struct sp_candidate candidate;
    struct sp_peer_info *peer_info; /* NULL: it is not wanted */
    int peer_id;                    /* what the peer says it is; 0: nothing yet */
    bool is_welcome;                /* the program has admitted the peer */
    size_t received_bytes;
    uint8_t received[]; /* what the peer has said so far */
};

/* What the unfinished message and the session take of the socket's room. It is made for the first message that needs
 * some, and kept for the next ones. */
struct sp_connection_room {
    struct sp_connection *connection;
    struct sp_room_share share;
};

/* An idle server has many of these: what few connections need, or all for a short time, has memory of its own. What
 * each message needs comes first. */
struct sp_connection {
    struct sp_stream stream;
    struct sp_watch watch; /* of its descriptor */
    struct sp_socket *socket;
    struct sp_connection_owner *owner;
    struct nn_endpoint *endpoint;
    struct nn_pipe *pipe; /* NULL: not admitted yet, or closed */
    enum connection_state state : 8;
    enum sp_frame_kind found : 8;
    bool is_hosted;      /* its stream is: there is no descriptor */
    bool is_send_broken; /* nothing can be sent any more */
    bool has_progressed; /* since the limit was set: messages were taken, or bytes sent */
    bool has_credentials;
    bool has_sent_close_frame; /* our close frame is queued or sent: we wait for the peer to end */
    struct sp_receive_buffer received;
    struct sp_connection_room *room; /* NULL: no message has needed any */
    struct nn_chunk *certificate;    /* the peer's, for received messages; NULL: not requested */
    uint64_t last_turn;              /* how far the user was when reading went on, see connection_read_on; or 0 */
    struct sp_send_queue queue;
    size_t queue_limit_bytes;              /* the pipe is full when the queue holds this many */
    struct nn_ipc_credentials credentials; /* of the peer, within this machine */
    int error;                             /* why it is ending */
    struct sp_direct_poll direct_poll;
    struct sp_timer timer;        /* of the handshake, then of the filter or of direct polling, of lingering at last */
    struct sp_timer limit;        /* of a peer that has finished, or cannot be sent to */
    struct sp_limits_place place; /* among the connections of the socket that peers have made */
    struct sp_connection_handshake *handshake; /* NULL once it is admitted */
    struct sp_remains *remains;                /* read after the last frame in `received`; in ENDED; or NULL */
    size_t remains_bytes;                      /* this connection's part of the socket's */
    union {
        struct sp_linger linger; /* in LINGERING */
        struct sp_task release;  /* in CLOSED */
    };
    _Alignas(16) unsigned char session[]; /* the framing's */
};

static inline struct sp_connection *connection_of(const struct nn_pipe *pipe)
{
    return pipe->connection;
}

static inline const struct sp_framing *framing_of(const struct sp_connection *self)
{
    return self->owner->framing;
}

static inline struct sp_session *session_of(struct sp_connection *self)
{
    return framing_of(self)->session_bytes > 0 ? (struct sp_session *)self->session : NULL;
}

/* The connection's message takes of the socket's room, or waits for some. */
static inline bool has_room(const struct sp_connection *self)
{
    return self->room != NULL && self->room->share.is_used;
}

static inline void leave_room(struct sp_connection *self)
{
    if (self->room != NULL)
        sp_room_leave(self->socket, &self->room->share);
}

/* The memory of the message that the framing puts together. */
static inline size_t session_held_bytes(const struct sp_connection *self)
{
    return framing_of(self)->session_bytes > 0 ? ((const struct sp_session *)self->session)->held_bytes : 0;
}

static inline bool is_buffering(const struct sp_connection *self)
{
    return self->socket->protocol->flags & NN_PROTOCOL_BUFFERS;
}

/* A call that waits for messages looks after the descriptor, or has done a moment ago. */
static inline bool is_polled_directly(const struct sp_connection *self)
{
    return self->socket->direct_poll == &self->direct_poll;
}

static inline void want(struct sp_connection *self, unsigned wanted)
{
    /* A failure means that the kernel is out of memory for the watch: the next event or deadline ends us. */
    sp_stream_want(&self->stream, &self->watch, wanted);
}

/* Whether peers of the endpoint are held until the program has decided. */
static inline bool sp_connection_asks(const struct sp_connection *self)
{
    return self->endpoint->is_bound && self->endpoint->options.admission_timeout_ms != 0;
}

/* ---- Memory ---- */

/* Returns NULL when memory is short. */
struct sp_connection *sp_connection_create(struct sp_connection_owner *owner);
/* For one that has not been opened. */
void sp_connection_free(struct sp_connection *self);
/* It has a pipe, and what it needed before is freed. */
void sp_connection_end_handshake(struct sp_connection *self);
/* Nothing refers to the connection any more but events of the current batch. */
void sp_connection_release(struct sp_connection *self);

/* ---- The peer ---- */

/* Keeps the addresses for the monitor: the kernel forgets those of a connection that was reset. */
void sp_connection_remember_peer(struct sp_connection *self);
/* The same without a monitor where this side has connected: its failure is remembered. */
void sp_connection_remember_server(struct sp_connection *self);
/* The peer's process, which only local connections have: others need no call for it. */
bool sp_connection_credentials(const struct sp_connection *self, struct nn_ipc_credentials *credentials);
/* Notes what is known of the peer besides its address. ends: NULL where there is no monitor. */
void sp_connection_peer_info(const struct sp_connection *self, struct sp_peer_info *ends);
void sp_connection_report_rejected(struct sp_connection *self, int error);
/* Notes for the monitor what the errno does not say. */
void sp_connection_note_problem(struct sp_connection *self, const char *problem);
/* Counts a connection that a peer has made. peer: NULL: it has no address. Returns as sp_limits_count. */
int sp_connection_count(struct sp_connection *self, const struct sp_socket_address *peer, const char **problem);
/* The pipe's describe_peer. */
void sp_connection_describe_peer(const struct nn_pipe *pipe, struct sp_peer_info *ends);
void sp_connection_addresses(struct nn_pipe *pipe, char *local, char *remote);

/* ---- The end ---- */

void sp_connection_close_stream(struct sp_connection *self);
/* Counts the message as dropped that has broken the rules, or whose rest will not come (-ESHUTDOWN), if there is one.
 * There is no other. */
void sp_connection_count_unfinished(struct sp_connection *self, int error);
/* What has come and is in memory, with the memory of the connection. */
size_t sp_connection_kept_bytes(struct sp_connection *self);
/* The peer is gone (-ESHUTDOWN: it has closed), or has broken the rules. What it had sent in full before is still
 * delivered. */
void sp_connection_end(struct sp_connection *self, int error);

#endif
