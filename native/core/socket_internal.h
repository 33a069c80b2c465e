/* What the parts of the engine share about a socket: its structure, its lock, its pipes. */
#ifndef SP_CORE_SOCKET_INTERNAL_H
#define SP_CORE_SOCKET_INTERNAL_H

#include "core/attendance.h"
#include "core/burst.h"
#include "core/event_fd.h"
#include "core/leave.h"
#include "core/loop_host.h"
#include "message/message_queue.h"
#include "core/monitor.h"
#include "core/options.h"
#include "core/socket.h"
#include "core/transport.h"
#include "util/id_map.h"

#include <stdatomic.h>

enum sp_socket_state {
    SP_SOCKET_OPEN,
    SP_SOCKET_CLOSING, /* the descriptor is invalid; accepted messages are still being delivered */
    SP_SOCKET_CLOSED   /* nothing left but memory */
};

/* Counters in the order of their ids in nn.h. */
struct sp_statistics {
    uint64_t established_connections;
    uint64_t accepted_connections;
    uint64_t dropped_connections;
    uint64_t broken_connections;
    uint64_t connect_errors;
    uint64_t bind_errors;
    uint64_t accept_errors;
    uint64_t messages_sent;
    uint64_t messages_received;
    uint64_t bytes_sent;
    uint64_t bytes_received;
    uint64_t current_connections;
};

/* What one pipe has given without another between. */
struct sp_run {
    bool is_allowed; /* messages are taken many at a time */
    uint32_t pipe;
    unsigned messages;
    size_t bytes;
};

struct sp_socket {
    struct sp_mutex lock;   /* guards all below that is not marked otherwise */
    atomic_uint references; /* the descriptor's, each call's, each channel's */
    struct nn_loop *loop;
    const struct nn_protocol *protocol;
    struct nn_protocol_socket *instance; /* the protocol's own structure */
    int descriptor;                      /* constant, as is the generation; see socket_table.h */
    uint32_t generation;                 /* of the descriptor's number */
    enum sp_socket_state state;
    struct sp_options options;
    struct sp_statistics statistics;

    struct sp_list endpoints; /* struct nn_endpoint */
    int last_endpoint_id;
    struct sp_list pipes; /* struct nn_pipe, admitted */
    struct sp_id_map pipes_by_id;
    bool has_had_pipe;
    struct sp_list broken;    /* pipes to remove before the lock is left */
    struct sp_list mute;      /* pipes whose end of sending the protocol is to be told before that */
    struct sp_list dirty;     /* pipes to flush before the lock is left */
    bool is_corked;           /* pipes gather until then */
    struct sp_burst burst;    /* or even longer */
    struct sp_list lingering; /* struct sp_linger: closed connections that still have bytes to pass on */
    size_t remains_bytes;     /* what peers that are gone have left in memory for the user */

    struct sp_message_queue queue; /* accepted for later (batches); goes before all new messages */
    struct nn_chunk *spare_buffer; /* for the next connection that gathers; or NULL */

    int events;      /* as last computed: NN_POLLIN | NN_POLLOUT */
    bool is_refused; /* a send, since NN_POLLOUT rose last: the host wants to hear when it rises again */
    bool is_taking;  /* the host is receiving a batch */
    struct sp_run run;
    unsigned readable_pipes;          /* those that can_receive */
    struct sp_list waits;             /* struct sp_wait */
    struct sp_waiter *woken;          /* to be told when the lock is left; or NULL */
    struct sp_attendance *attendance; /* whose descriptor the loop does not watch; NULL: none */
    struct sp_event_fd receive_fd;
    struct sp_event_fd send_fd;
    struct sp_monitor *monitor;           /* NULL: nobody watches */
    struct sp_monitor_entry *taken_event; /* the last one; NULL: none yet */

    struct sp_timer protocol_timer;
    struct sp_timer linger_timer;
    struct sp_list errands; /* struct sp_task: to run when the lock is left */
    struct sp_task release;
    atomic_bool is_delivering; /* closed by its user, and not finished yet; read without the lock */
    bool is_finished;          /* CLOSED was reached and the socket's own reference is still to be dropped */

    struct sp_list_item loop_item; /* in loop->sockets; guarded by the loop's lock */
    struct sp_report report;       /* guarded by the loop's lock */
};

struct nn_pipe {
    struct sp_list_item item;        /* in socket->pipes */
    struct sp_id_map_item by_id;     /* likewise */
    struct sp_list_item broken_item; /* in socket->broken */
    struct sp_list_item dirty_item;  /* in socket->dirty */
    struct sp_list_item mute_item;   /* in socket->mute */
    struct sp_socket *socket;
    struct nn_endpoint *endpoint;
    const struct nn_pipe_operations *ops;
    void *connection; /* the transport's */
    /* Notes what is known of the peer besides its address; NULL: nothing is. */
    void (*tell)(const struct nn_pipe *pipe, struct sp_ends *ends);
    struct sp_attendance *attendance; /* NULL: calls cannot look after the connection's descriptor */
    const struct sp_leaving *leaving; /* NULL: nothing is known of what the connection holds */
    uint32_t id;
    uint8_t send_priority;
    uint8_t receive_priority;
    bool can_send;
    bool can_receive;
    bool is_mute;         /* nothing can be sent any more */
    bool is_removed;      /* closed: the protocol knows it no more */
    int error;            /* why it breaks: negative errno; 0: it is we who close it */
    struct sp_ends *ends; /* whom it connects, for events; NULL: nobody has asked */
    struct sp_task release;
    _Alignas(16) unsigned char data[]; /* the protocol's private part */
};

/* ---- Lock ---- */

static inline void sp_socket_lock(struct sp_socket *self)
{
    sp_mutex_lock(&self->lock);
}

/* Leaves the lock after doing what calls under it have left to do: flush, remove broken pipes, send what was
 * queued, tell waiters. Then runs the errands, without any lock. */
void sp_socket_unlock(struct sp_socket *self);

/* NN_POLLIN and NN_POLLOUT as they are now. */
static inline int sp_socket_current_events(struct sp_socket *self)
{
    int events = self->protocol->events(self->instance);

    return self->queue.count > 0 ? events & ~NN_POLLOUT : events;
}

/* Something to do when the lock is left, such as telling another socket. */
void sp_socket_add_errand(struct sp_socket *self, struct sp_task *errand);

void sp_socket_retain(struct sp_socket *self);
void sp_socket_release_reference(struct sp_socket *self);

/* Tells the owner of a hosted loop: NN_POLLIN, NN_POLLOUT, NN_LOOP_CLOSED, NN_LOOP_EVENTS. */
void sp_socket_report(struct sp_socket *self, int events);

/* ---- Pipes (core/pipe.c) ---- */

/* Makes a pipe for a connection and asks the protocol to admit it. It takes *ends, which may be NULL: events then ask the
 * connection. Returns NULL and sets *error to -ENOMEM or to the protocol's refusal; the ends stay with the caller. */
struct nn_pipe *sp_pipe_open(struct nn_endpoint *endpoint, const struct nn_pipe_operations *ops, void *connection,
                             struct sp_ends **ends, int *error);

/* The transport has seen a change. */
void sp_pipe_set_readable(struct nn_pipe *pipe);
void sp_pipe_set_unreadable(struct nn_pipe *pipe);
void sp_pipe_set_writable(struct nn_pipe *pipe);

/* How many bytes the pipe's connection, whose last frame had frame_bytes, reads at a time. Those whose messages wait to be
 * taken share what one alone would read: what comes is found in memory that is near, and short messages of many peers
 * need little more of it than those of a few. */
size_t sp_pipe_share(const struct nn_pipe *pipe, size_t frame_bytes);

/* The connection can carry nothing more; the pipe is removed before the lock is left, by ops->close. Of several errors
 * the first is the reason. */
void sp_pipe_break(struct nn_pipe *pipe, int error);

/* Nothing can be sent any more; the protocol is told before the lock is left. */
void sp_pipe_end_sending(struct nn_pipe *pipe);

/* Removes the pipe now: from the protocol, then from the transport. Not within a call into the protocol. */
void sp_pipe_close(struct nn_pipe *pipe, bool may_linger);

/* Asks for ops->flush before the lock is left. */
void sp_pipe_mark_dirty(struct nn_pipe *pipe);

/* Whether the protocol would refuse any peer now. */
static inline bool sp_socket_is_full(const struct sp_socket *self)
{
    return self->protocol->is_full != NULL && self->protocol->is_full(self->instance);
}

/* ---- Endpoints (core/endpoint.c) ---- */

int sp_endpoint_open(struct sp_socket *socket, const char *address, bool is_bound);
/* The same for a transport that no address names; the address is "scheme://...". */
int sp_endpoint_open_with(struct sp_socket *socket, const struct nn_transport *transport, const char *address,
                          bool is_bound);
struct nn_endpoint *sp_endpoint_find(struct sp_socket *socket, int id);
/* The next pipe of the process gets the number behind this one. For tests of numbers that wrap. */
void sp_pipe_count_from(uint32_t last_id);

/* Stops the endpoint and closes its pipes; what they accepted is delivered while linger lasts. */
void sp_endpoint_close(struct nn_endpoint *self);
/* A connection or a request has ended. */
void sp_endpoint_release(struct nn_endpoint *self);
/* Whether NN_PRINT_ERRORS asks for reports on stderr. */
bool sp_prints_errors(void);
/* The outcome of the last attempt, for statistics and NN_PRINT_ERRORS; 0: all is well. */
void sp_endpoint_report(struct nn_endpoint *self, int error);

/* The address with the port in use; returns its length or -EMSGSIZE. */
int sp_endpoint_write_address(const struct nn_endpoint *self, char *buffer, size_t size_bytes);

/* NN_SOCKET_NAME, which is the descriptor's number until it is set. Copies at most *size bytes, NUL included, and
 * sets *size to the name's length. */
void sp_socket_name(const struct sp_socket *self, char *buffer, size_t *size);

/* ---- Closing ---- */

/* As sp_socket_close, unless it is closed already. The caller has a reference. */
void sp_socket_close_this(struct sp_socket *self);

/* A connection whose pipe is closed while it has bytes to pass on. It links itself into socket->lingering and
 * out again when it is done; `abandon` makes it drop the rest and leave the list. */
struct sp_linger {
    struct sp_list_item item;
    void (*abandon)(struct sp_linger *self);
    /* How much is still to be passed on; NULL: nobody knows. */
    size_t (*held_bytes)(const struct sp_linger *self);
};

/* Drops what is still to be delivered, so that the socket closes for good. */
void sp_socket_abandon(struct sp_socket *self);

#endif
