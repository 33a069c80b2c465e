/* Direct polling: a blocked receive on a socket with a single peer polls that peer's descriptor itself, and reads from
 * it, bypassing the loop's thread. Gain: REQ to REP over tcp, 64 B, two C programs: 1 context switch of the requester a
 * round trip instead of 2, CPU 21 us instead of 32, median 34 us instead of 51 (node scripts/bench/mechanisms.mjs
 * direct-poll). Afterwards the descriptor stays out of the loop for 2 ms, since the next call is
 * likely to do the same.
 *
 * The descriptor is in one of three states:
 *   attached   the loop watches it (socket->direct_poll is NULL);
 *   polled     a call polls it (socket->direct_poller is that call). When the connection ends meanwhile, the call
 *              closes the descriptor;
 *   detached   no call polls it, and the loop does not watch it yet (direct_poller is NULL). The timer, a second peer,
 *              or a call that depends on the loop (nn_poll, NN_RCVFD, NN_DONTWAIT, another blocked thread) reattaches
 *              it. */
#ifndef SP_CORE_DIRECT_POLL_H
#define SP_CORE_DIRECT_POLL_H

#include "loop/loop.h"

#include <stdbool.h>

struct sp_socket;

/* A blocked call; on its stack. */
struct sp_direct_poller {
    struct sp_parker *parker;
    int fd;          /* -1: it polls no descriptor directly */
    bool is_ready;   /* there is something to read */
    bool must_close; /* the connection has ended meanwhile: the call closes the descriptor */
};

/* A connection's part. Guarded by the socket's lock. */
struct sp_direct_poll {
    struct sp_watch *watch;
    struct sp_timer *timer; /* takes the descriptor back into the loop, by sp_direct_poll_expire */
    void (*read)(struct sp_direct_poll *self);
};

/* Before and after a call of the socket sleeps for messages. */
void sp_direct_poll_begin(struct sp_socket *socket, struct sp_direct_poller *poller);
void sp_direct_poll_finish(struct sp_socket *socket, struct sp_direct_poller *poller);

/* Lets the loop watch the descriptor again, unless a call polls it. */
void sp_direct_poll_reattach(struct sp_socket *socket);

/* The timer's deadline has passed. */
void sp_direct_poll_expire(struct sp_socket *socket);

/* The connection is about to close by itself: a call that polls is woken, and keeps the descriptor until it returns. */
void sp_direct_poll_interrupt(struct sp_socket *socket, struct sp_direct_poll *self);

/* The connection ends. Returns true when a call polls its descriptor and will close it. */
bool sp_direct_poll_drop(struct sp_socket *socket, struct sp_direct_poll *self);

#endif
