/* Pipes: each an admitted peer, between its connection and the protocol. */
#ifndef SP_CORE_PIPE_H
#define SP_CORE_PIPE_H

#include "core/socket_state.h"
#include "core/transport.h"

struct sp_direct_poll;
struct sp_peer_info;

/* What connections of byte streams do besides; all under the socket's lock. */
struct sp_pipe_stream {
    /* Fills in what is known of the peer besides its address. */
    void (*describe_peer)(const struct nn_pipe *pipe, struct sp_peer_info *info);
    /* The process ends now: what the kernel has taken must reach the peer without it. */
    void (*finish)(struct nn_pipe *pipe);
};

/* What has gone through a pipe: bytes as on the wire, without framing. */
struct sp_pipe_counts {
    uint64_t messages_sent;
    uint64_t bytes_sent;
    uint64_t messages_received;
    uint64_t bytes_received;
    uint64_t messages_dropped;
    uint64_t bytes_dropped;
};

struct nn_pipe {
    union {
        struct {
            struct sp_list_item item;    /* in socket->pipes */
            struct sp_id_map_item by_id; /* likewise */
        };
        struct sp_task release; /* when it is removed */
    };
    struct sp_list_item broken_item;      /* in socket->broken */
    struct sp_list_item dirty_item;       /* in socket->dirty */
    struct sp_list_item send_closed_item; /* in socket->send_closed */
    struct sp_list_item read_item;        /* in socket->waiting_reads */
    struct sp_socket *socket;
    struct nn_endpoint *endpoint;
    const struct nn_pipe_operations *ops;
    void *connection;                    /* the transport's */
    const struct sp_pipe_stream *stream; /* NULL: its connection is of another kind */
    struct sp_direct_poll *direct_poll;  /* NULL: calls cannot poll the connection's descriptor */
    /* How much of what it has accepted is still to be passed on; NULL: it is not known. */
    size_t (*held_bytes)(const struct nn_pipe *pipe);
    struct sp_pipe_counts counts;
    sp_time_ns opened_ns;
    uint32_t id;
    uint8_t send_priority;
    uint8_t receive_priority;
    bool can_send;
    bool can_receive;
    bool is_send_closed;               /* nothing can be sent any more */
    bool is_slow;                      /* it takes none of what waits for it; see slow_peers.c */
    bool is_within_process;            /* only a thread of this process can take what is held */
    bool may_wait_for_read;            /* see waiting_reads.h */
    bool is_removed;                   /* closed: the protocol knows it no more */
    int error;                         /* why it breaks: negative errno; 0: this side closes it */
    struct sp_peer_info *peer_info;    /* for events; NULL: not asked for yet */
    _Alignas(16) unsigned char data[]; /* the protocol's private part */
};

/* Makes a pipe for a connection and asks the protocol to admit it. id: its number; 0: the next one. It
 * takes *info, which may be NULL: events then ask the connection. Returns NULL and sets *error to -ENOMEM or to the
 * protocol's refusal; the info stays with the caller. */
struct nn_pipe *sp_pipe_open(struct nn_endpoint *endpoint, const struct nn_pipe_operations *ops, void *connection,
                             uint32_t id, struct sp_peer_info **info, int *error);

/* The socket's pipe of that number, or NULL. */
struct nn_pipe *sp_socket_find_pipe(const struct sp_socket *socket, uint32_t id);

/* A number that neither a pipe of the socket has nor a peer that is held. */
uint32_t sp_pipe_next_id(const struct sp_socket *socket);

/* The transport has seen a change. */
void sp_pipe_set_readable(struct nn_pipe *pipe);
void sp_pipe_set_unreadable(struct nn_pipe *pipe);
void sp_pipe_set_writable(struct nn_pipe *pipe);

/* How many bytes the pipe's connection, whose last frame had frame_bytes, reads at a time. Pipes with unread messages
 * share what one alone would read: unread bytes stay within the caches, and short messages of many peers need little
 * more memory than those of a few. */
size_t sp_pipe_read_quantum(const struct nn_pipe *pipe, size_t frame_bytes);

/* The message that is received is the last one of the pipe's quantum: what follows it was read just now. Others have
 * their turn, and what lies together in memory is received together. */
void sp_pipe_end_quantum(struct nn_pipe *pipe);

/* The connection can carry nothing more; the pipe is removed before the lock is released, by ops->close. Of several
 * errors the first is the reason. */
void sp_pipe_break(struct nn_pipe *pipe, int error);

static inline bool sp_pipe_is_broken(const struct nn_pipe *pipe)
{
    return sp_list_is_linked(&pipe->broken_item);
}

/* Nothing can be sent any more; the protocol is notified before the lock is released. */
void sp_pipe_end_sending(struct nn_pipe *pipe);

/* Removes the pipe now: from the protocol, then from the transport. Not within a call into the protocol. */
void sp_pipe_close(struct nn_pipe *pipe, bool may_linger);

/* A message is lost that was for the peer, or from it. */
void sp_pipe_count_dropped(struct nn_pipe *pipe, size_t bytes);

/* How much of what the pipe has accepted is still to be passed on; 0 where that is not known. */
size_t sp_pipe_queued_bytes(const struct nn_pipe *pipe);

/* Asks for ops->flush before the lock is released. */
void sp_pipe_mark_dirty(struct nn_pipe *pipe);

/* The next pipe of the process gets the number behind this one. For tests of numbers that wrap. */
void sp_pipe_count_from(uint32_t last_id);

#endif
