/* When sends become a burst, and who passes on what has gathered. */
#include "core/burst.h"

#include "core/socket_state.h"

/* So many sends leave one by one before the next ones are held: a question to a few peers, or a reply, never waits for
 * the engine's thread. */
#define SINGLE_SENDS 16
/* A burst ends when its sender pauses for longer. */
#define MAX_PAUSE_NS 20000u
/* Longer bodies leave at once. A connection copies what it holds, up to 4 KiB. */
#define MAX_HELD_BYTES ((size_t)2 * 1024)

void sp_burst_begin(struct sp_socket *socket, size_t body_bytes)
{
    struct sp_burst *self = &socket->burst;

    if (!self->has_streams || socket->loop->is_hosted)
        return;            /* hosts hand over batches */
    if (!self->is_asked) { /* or else it joins those that wait for the engine's thread: no need to look at the clock */
        sp_time_ns now_ns = sp_now_ns();
        self->length = now_ns - self->last_ns <= MAX_PAUSE_NS ? self->length + 1 : 0;
        self->last_ns = now_ns;
    }
    self->is_held = self->length >= SINGLE_SENDS && body_bytes <= MAX_HELD_BYTES;
    socket->is_corked = self->is_held;
}

void sp_burst_continue(struct sp_socket *socket)
{
    /* A call into the kernel is no pause. */
    if (socket->burst.has_streams && !socket->loop->is_hosted && !socket->burst.is_held)
        socket->burst.last_ns = sp_now_ns();
}
