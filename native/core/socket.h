/* A socket: its protocol, endpoints and pipes, the calls that may block, readiness, closing.
 *
 * What other layers do with a socket is here; what the parts of the engine share about it is in
 * socket_state.h. All functions lock by themselves. */
#ifndef SP_CORE_SOCKET_H
#define SP_CORE_SOCKET_H

#include <nanomsg/loop.h>
#include <nanomsg/protocol.h>
#include <nanomsg/statistics.h>

#include "platform/thread.h"
#include "util/list.h"
#include "util/parker.h"

struct sp_socket;

/* ---- Descriptors ---- */

/* Opens a socket on `loop`, or on a thread of the engine when loop is NULL. Returns its descriptor (>= 0)
 * or -EAFNOSUPPORT, -EINVAL (unknown protocol), -EMFILE, -ENOMEM, -ETERM. */
int sp_socket_open(struct nn_loop *loop, int domain, int protocol, void *user);

/* What names this socket and no later one that gets its descriptor. Returns it or -EBADF. */
int sp_socket_handle(int s);

/* Looks a descriptor or a handle up and keeps the socket alive until sp_socket_release. Returns 0 or -EBADF. */
int sp_socket_acquire(int s, struct sp_socket **out);
void sp_socket_release(struct sp_socket *self);

/* Makes the descriptor invalid, wakes the calls that wait on it (EBADF), and lets accepted messages be delivered for
 * up to NN_LINGER ms. Returns 0 or -EBADF. */
int sp_socket_close(int s);

/* The same for a socket of which the caller has a reference, unless it is closed already. */
void sp_socket_close_this(struct sp_socket *self);

/* ---- Endpoints ---- */

/* Return the endpoint's id (>= 1) or -errno. */
int sp_socket_bind(struct sp_socket *self, const char *address);
int sp_socket_connect(struct sp_socket *self, const char *address);
/* Returns 0 or -EINVAL (no such endpoint). */
int sp_socket_shutdown(struct sp_socket *self, int endpoint);
/* Returns 0, -EINVAL (no such endpoint), -ENOTSUP, or what is wrong with the options of TLS. */
int sp_socket_renew_tls(struct sp_socket *self, int endpoint);
/* Writes the endpoint's address with the port in use; returns its length, -EINVAL or -EMSGSIZE. */
int sp_socket_endpoint_address(struct sp_socket *self, int endpoint, char *buffer, size_t size_bytes);

/* ---- Messages ---- */

/* Waits for at most NN_SNDTIMEO unless flags has NN_DONTWAIT. Takes the message on 0; otherwise
 * -EAGAIN, -ETIMEDOUT, -EFSM, -ENOTSUP, -EINTR, -EBADF, -ENOMEM, -EINVAL and it stays with the caller. */
int sp_socket_send(struct sp_socket *self, struct nn_message *message, int flags);

/* The same with NN_RCVTIMEO; the message is filled on 0 and empty otherwise. */
int sp_socket_receive(struct sp_socket *self, struct nn_message *message, int flags);

/* The batches of nanomsg/loop.h: the number of messages, or -errno. */
int sp_socket_send_batch(struct sp_socket *self, const struct nn_outgoing *messages, int count,
                         size_t queue_limit_bytes);
int sp_socket_receive_batch(struct sp_socket *self, struct nn_received *received, int count);
int sp_socket_context_receive(struct sp_socket *self, struct nn_received *received, int count);
int sp_socket_context_close(struct sp_socket *self, uint32_t context);
/* Returns the number, -EINVAL, -ENOTSUP or -EBADF. */
int64_t sp_socket_context_sent(struct sp_socket *self, uint32_t context);
int64_t sp_socket_queued_bytes(struct sp_socket *self);

/* ---- Events of connections ---- */

/* Returns 0, -EBADF or -ENOMEM. */
int sp_socket_monitor(struct sp_socket *self, bool is_on);
/* Returns 1 and fills the event, 0 when there is none, or -EBADF. */
int sp_socket_next_event(struct sp_socket *self, struct nn_event *event);
/* Returns 0 and fills the event, -ENOENT when there is no such pipe, or -EBADF. */
int sp_socket_peer(struct sp_socket *self, uint32_t pipe_id, struct nn_event *event);
/* Writes the ids of at most `count` pipes, and returns how many there are, or -EBADF. */
int sp_socket_pipes(struct sp_socket *self, uint32_t *pipes, int count);
/* Returns 1 and fills the event, 0 when there is none, -EBADF or -ENOMEM. */
int sp_socket_last_failure(struct sp_socket *self, struct nn_event *event);
int sp_socket_event_peer(struct sp_socket *self, int what, void *value, size_t *size);

/* ---- Options, statistics, state ---- */

int sp_socket_set_option(struct sp_socket *self, int level, int option, const void *value, size_t size);
int sp_socket_get_option(struct sp_socket *self, int level, int option, void *value, size_t *size);
/* Returns 0 or -EINVAL (no such statistic). */
int sp_socket_statistic(struct sp_socket *self, int statistic, uint64_t *value);
/* Returns 0, -EBADF, or -ENOENT (no such pipe). */
int sp_socket_pipe_statistics(struct sp_socket *self, uint32_t pipe, struct nn_pipe_statistics *statistics);
/* These never change: they are known of a socket that another thread has closed as well. */
const struct nn_protocol *sp_socket_protocol(const struct sp_socket *self);
int sp_socket_domain(const struct sp_socket *self);

/* ---- Readiness ---- */

/* A thread that waits for one socket: it is woken when any of `events` rises or the socket closes. */
struct sp_wait {
    struct sp_list_item item;
    struct sp_parker *parker;
    int events; /* NN_POLLIN | NN_POLLOUT | NN_LOOP_CLOSED */
};

/* NN_POLLIN | NN_POLLOUT as they are now, or -EBADF when the socket is closing. */
int sp_socket_events(struct sp_socket *self);
void sp_socket_watch(struct sp_socket *self, struct sp_wait *wait);
void sp_socket_unwatch(struct sp_socket *self, struct sp_wait *wait);

#endif
