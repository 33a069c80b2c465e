/* Settling: what calls under a socket's lock only note is done when the lock is released. */
#ifndef SP_CORE_SOCKET_SETTLE_H
#define SP_CORE_SOCKET_SETTLE_H

#include "core/socket_state.h"

/* Releases the lock after doing what calls under it have left to do: flush, remove broken pipes, send what was
 * queued, wake waiting threads. Then runs the deferred tasks, without any lock. */
void sp_socket_unlock(struct sp_socket *self);

/* Defers the task until the lock is released: what concerns another socket, for example. */
void sp_socket_defer(struct sp_socket *self, struct sp_task *task);

/* Wakes threads that wait for one of these events, when the lock is released. */
void sp_socket_wake(struct sp_socket *self, int events);

/* Prepares the task by which the engine's thread passes on coalesced messages. */
void sp_socket_init_flush(struct sp_socket *self);

/* Drops what is still to be delivered, so that the socket closes for good. */
void sp_socket_abandon(struct sp_socket *self);

#endif
