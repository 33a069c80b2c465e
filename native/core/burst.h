/* Bursts: many small messages that a C program sends one right after the other, on a socket of the engine's own loop.
 *
 * The first ones leave at once, as a lone message does. Those that follow are gathered by their connections, and leave
 * together: when 64 KiB have gathered, when the engine's thread comes round, which is asked to at the first of them, or
 * when any other call leaves the socket's lock, whichever is first. No message waits for a time that was guessed. */
#ifndef SP_CORE_BURST_H
#define SP_CORE_BURST_H

#include <nanomsg/nn.h>

#include "loop/loop.h"

#include <stdbool.h>

struct sp_socket;

/* Guarded by the socket's lock. */
struct sp_burst {
    sp_time_ns last_ns; /* when the last send was done */
    bool has_streams;   /* the socket has had a pipe that can gather */
    unsigned length;    /* sends that have followed each other closely */
    bool is_held;       /* what gathers stays when the lock is left this time */
    bool is_asked;      /* the engine's thread is to pass it on */
    struct sp_task flush;
};

/* Before a send of so many bytes: decides whether what it sends is gathered and held. */
void sp_burst_begin(struct sp_socket *socket, size_t body_bytes);
/* After it. */
void sp_burst_continue(struct sp_socket *socket);

/* Before a call waits: what is held leaves with the lock. Who waits for messages is in a conversation, so that what it
 * sends next begins anew. */
static inline void sp_burst_wait(struct sp_burst *self, int events)
{
    self->is_held = false;
    if (events & NN_POLLIN)
        self->length = 0;
}

/* After a message was received without waiting: the engine's thread is under way, what is held may wait for it. */
static inline void sp_burst_receive(struct sp_burst *self)
{
    self->is_held = self->is_asked;
}

#endif
