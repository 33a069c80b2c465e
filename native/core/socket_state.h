/* What a socket is: its structure, its lock, its references. What happens when its lock is released is in
 * socket_settle.h, its pipes are in pipe.h, its endpoints in endpoint.h, and what users call is in socket.h. */
#ifndef SP_CORE_SOCKET_STATE_H
#define SP_CORE_SOCKET_STATE_H

#include <nanomsg/protocol.h>

#include "core/batch_quantum.h"
#include "core/coalesce.h"
#include "core/connection_limits.h"
#include "core/event_fd.h"
#include "core/loop_state.h"
#include "core/options.h"
#include "core/receive_room.h"
#include "message/message_queue.h"
#include "platform/thread.h"
#include "util/id_map.h"
#include "util/list.h"

#include <stdatomic.h>

struct sp_direct_poll;
struct sp_direct_poller;
struct sp_monitor;
struct sp_monitor_entry;
struct sp_parker;

enum sp_socket_state {
    SP_SOCKET_OPEN,
    SP_SOCKET_CLOSING, /* the descriptor is invalid; accepted messages are still being delivered */
    SP_SOCKET_CLOSED   /* nothing left but memory */
};

/* What a socket counts. Guarded by its lock. */
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
    uint64_t rejected_connections; /* by limits */
    uint64_t refused_peers;        /* by the program, or for their origin */
    uint64_t messages_dropped;
    uint64_t bytes_dropped;
    uint64_t slow_peers;
    uint64_t slow_disconnects;
    uint64_t failed_handshakes; /* connections that ended before their peer was admitted, for any reason */
    uint64_t wrong_protocols;   /* of them, for the reasons that follow */
    uint64_t malformed_handshakes;
    uint64_t tls_failures;
    uint64_t handshake_timeouts;
    uint64_t refused_origins;
};

/* A batch of requests or answers ends when it has as many bytes: its messages are answered before the loop turns, and
 * other peers wait meanwhile. */
#define SP_CONTEXT_BATCH_BYTES ((size_t)256 * 1024)

struct sp_socket {
    struct sp_mutex lock;   /* guards all below that is not marked otherwise */
    atomic_uint references; /* the descriptor's, each call's, each channel's */
    struct nn_loop *loop;
    const struct nn_protocol *protocol;
    int domain;                          /* AF_SP or AF_SP_RAW: a protocol may serve both */
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
    struct sp_list broken;           /* pipes to remove before the lock is released */
    struct sp_list send_closed;      /* pipes that cannot send any more: the protocol is notified before that */
    struct sp_list dirty;            /* pipes to flush before the lock is released */
    struct sp_list waiting_reads;    /* pipes that are read when fewer others have unread messages */
    uint64_t pipes_that_may_wait;    /* for that */
    bool is_corked;                  /* pipes gather messages until then */
    struct sp_coalescing coalescing; /* or longer */
    struct sp_list lingering;        /* struct sp_linger: closed connections that still have bytes to pass on */
    size_t remains_bytes;            /* what peers that are gone have left in memory for the user */
    struct sp_receive_room room;     /* of unfinished messages */
    struct sp_connection_limits limits;
    struct sp_id_map candidates;   /* struct sp_candidate: peers that are held */
    struct sp_list new_candidates; /* those that the program has not taken yet */

    struct sp_message_queue queue; /* accepted for later (batches); goes before all new messages */
    struct nn_chunk *spare_buffer; /* for the next connection that gathers; or NULL */

    int events;      /* as last computed: NN_POLLIN | NN_POLLOUT */
    bool is_refused; /* a send, since NN_POLLOUT rose last: the host is woken when it rises again */
    bool is_taking;  /* the host is receiving a batch */
    struct sp_batch_quantum batch_quantum;
    unsigned readable_pipes;                /* those that can_receive */
    struct sp_list waits;                   /* struct sp_wait */
    struct sp_parker *woken;                /* to be woken after the lock is released; or NULL */
    struct sp_direct_poll *direct_poll;     /* whose descriptor the loop does not watch; NULL: none */
    struct sp_direct_poller *direct_poller; /* the call that polls it now; NULL: none */
    sp_time_ns direct_released_ns;          /* when the last poll ended */
    struct sp_event_fd receive_fd;
    struct sp_event_fd send_fd;
    struct sp_monitor *monitor;           /* NULL: the socket is not monitored */
    struct sp_monitor_entry *taken_event; /* the last one; NULL: none yet */
    struct sp_monitor_entry *failure;     /* the last one that no admitted peer has made old; NULL: none */

    struct sp_timer protocol_timer;
    struct sp_timer linger_timer;
    struct sp_list deferred; /* struct sp_task: run after the lock is released */
    struct sp_task release;
    atomic_bool is_delivering; /* closed by its user, and not finished yet; read without the lock */
    bool is_finished;          /* CLOSED was reached and the socket's own reference is still to be dropped */

    struct sp_list_item loop_item;     /* in loop->sockets; guarded by the loop's lock */
    struct sp_ready_event ready_event; /* guarded by the loop's lock */
};

/* A connection whose pipe is closed while it has bytes to pass on. It links itself into socket->lingering and
 * out again when it is done; `abandon` makes it drop the rest and leave the list. */
struct sp_linger {
    struct sp_list_item item;
    void (*abandon)(struct sp_linger *self);
    /* How much is still to be passed on; NULL: not known. */
    size_t (*held_bytes)(const struct sp_linger *self);
};

/* ---- Lock: released by sp_socket_unlock (core/socket_settle.h) ---- */

static inline void sp_socket_lock(struct sp_socket *self)
{
    sp_mutex_lock(&self->lock);
}

/* NN_POLLIN and NN_POLLOUT as they are now. */
static inline int sp_socket_current_events(struct sp_socket *self)
{
    int events = self->protocol->events(self->instance);

    return self->queue.count > 0 ? events & ~NN_POLLOUT : events;
}

/* Whether the protocol would refuse any peer now. */
static inline bool sp_socket_is_full(const struct sp_socket *self)
{
    return self->protocol->is_full != NULL && self->protocol->is_full(self->instance);
}

/* ---- References ---- */

void sp_socket_retain(struct sp_socket *self);
void sp_socket_release_reference(struct sp_socket *self);

/* The loop's sockets in turn, with a reference for the caller; NULL: it has none. */
struct sp_socket *sp_loop_next_socket(struct nn_loop *loop);

/* ---- Name ---- */

/* NN_SOCKET_NAME, which is the descriptor's number until it is set. Copies at most *size bytes, NUL included, and
 * sets *size to the name's length. */
void sp_socket_name(const struct sp_socket *self, char *buffer, size_t *size);

#endif
