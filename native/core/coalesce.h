/* Send coalescing: many small messages that a C program sends one right after the other, on a socket of the engine's
 * own loop, leave in few system calls.
 *
 * The first messages leave at once, as a lone one does. Connections gather those that follow, and pass them on
 * together: when 64 KiB have gathered, when the engine's thread runs the flush that the first of them has posted, or
 * when any other call releases the socket's lock, whichever is first. No message waits for a timer.
 *
 * Gain: PUSH to PULL over tcp, 64 B, two C programs: 0.9 us a message instead of 13.6, receiver's CPU 0.13 us instead
 * of 0.24 (node scripts/bench/mechanisms.mjs coalescing). */
#ifndef SP_CORE_COALESCE_H
#define SP_CORE_COALESCE_H

#include <nanomsg/nn.h>

#include "loop/loop.h"

#include <stdbool.h>

struct sp_socket;

/* Guarded by the socket's lock. */
struct sp_coalescing {
    sp_time_ns last_ns; /* when the last send was done */
    bool has_streams;   /* the socket has had a pipe that can gather messages */
    unsigned streak;    /* sends without a longer pause */
    bool stays_corked;  /* gathered messages stay when the lock is released this time */
    bool flush_posted;  /* the engine's thread will pass them on */
    struct sp_task flush;
};

/* Before a send of body_bytes: decides whether the message is coalesced. */
void sp_coalesce_before_send(struct sp_socket *socket, size_t body_bytes);
/* After it. */
void sp_coalesce_after_send(struct sp_socket *socket);

/* Before a call waits: gathered messages leave when the lock is released. A caller that waits for messages exchanges
 * requests and replies: its next sends begin a new streak. */
static inline void sp_coalesce_before_wait(struct sp_coalescing *self, int events)
{
    self->stays_corked = false;
    if (events & NN_POLLIN)
        self->streak = 0;
}

/* After a message was received without waiting: gathered messages may wait for a flush that is posted already. */
static inline void sp_coalesce_after_receive(struct sp_coalescing *self)
{
    self->stays_corked = self->flush_posted;
}

#endif
