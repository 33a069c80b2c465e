/* Decides which sends are coalesced. */
#include "core/coalesce.h"

#include "core/socket_state.h"

/* How many sends in a row leave one by one before the next ones are coalesced: a request to a few peers, or a reply,
 * never waits for the engine's thread. */
#define MIN_STREAK 16
/* A streak of sends ends when the sender pauses for longer. */
#define MAX_PAUSE_NS 20000u
/* Longer bodies leave at once: a connection copies what it gathers, up to 4 KiB. */
#define MAX_COALESCED_BYTES ((size_t)2 * 1024)

void sp_coalesce_before_send(struct sp_socket *socket, size_t body_bytes)
{
    struct sp_coalescing *self = &socket->coalescing;

    if (!self->has_streams || socket->loop->is_hosted)
        return;                /* hosts hand over batches */
    if (!self->flush_posted) { /* else it joins the messages that wait for the engine's thread: no clock needed */
        sp_time_ns now_ns = sp_now_ns();
        self->streak = now_ns - self->last_ns <= MAX_PAUSE_NS ? self->streak + 1 : 0;
        self->last_ns = now_ns;
    }
    self->stays_corked = self->streak >= MIN_STREAK && body_bytes <= MAX_COALESCED_BYTES;
    socket->is_corked = self->stays_corked;
}

void sp_coalesce_after_send(struct sp_socket *socket)
{
    /* A call into the kernel is no pause. */
    if (socket->coalescing.has_streams && !socket->loop->is_hosted && !socket->coalescing.stays_corked)
        socket->coalescing.last_ns = sp_now_ns();
}
