/* Events of a socket's connections. A socket that is not monitored has no monitor, and remembers only its last failure.
 * All of it is guarded by the socket's lock. */
#ifndef SP_CORE_MONITOR_H
#define SP_CORE_MONITOR_H

#include <nanomsg/loop.h>

#include <stdbool.h>
#include <stddef.h>

struct nn_pipe;
struct nn_endpoint;
struct sp_candidate;
struct sp_peer_info;
struct sp_socket;

/* Returns 0 or -ENOMEM. Switching off drops pending events. */
int sp_monitor_switch(struct sp_socket *socket, bool is_on);
/* Returns 1 and fills the oldest event, or 0. */
int sp_monitor_next(struct sp_socket *socket, struct nn_event *event);
/* As nn_socket_event_peer; returns 0 or -errno. */
int sp_monitor_peer(const struct sp_socket *socket, int what, void *value, size_t *size);

/* Returns 1 and fills in the last failure as if it had been taken, 0 when there is none, or -ENOMEM. */
int sp_monitor_last_failure(struct sp_socket *socket, struct nn_event *event);
/* The socket is closing: nothing is known any more, and nothing that fails is remembered. */
void sp_monitor_end(struct sp_socket *socket);

/* Fills in the event that describes the pipe's peer, as if it had been taken. Returns 0 or -ENOMEM. */
int sp_monitor_describe(struct nn_pipe *pipe, struct nn_event *event);

/* The same for a peer that is held. */
int sp_monitor_describe_candidate(struct sp_socket *socket, const struct sp_candidate *candidate,
                                  struct nn_event *event);

/* What happens. Errors are negative errnos. */
void sp_monitor_connected(struct nn_pipe *pipe);
void sp_monitor_endpoint_closed(const struct nn_endpoint *endpoint);
void sp_monitor_disconnected(struct nn_pipe *pipe);
void sp_monitor_slow(struct nn_pipe *pipe, size_t queued_bytes);
/* info: NULL where peers have no address but the endpoint's; protocol: the peer's, or 0. */
void sp_monitor_rejected(struct nn_endpoint *endpoint, const struct sp_peer_info *info, int protocol, int error);
/* remote: where to, or "" */
void sp_monitor_failed(struct nn_endpoint *endpoint, const char *remote, int error);

#endif
