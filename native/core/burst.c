/* When sends become a burst, and who passes on what has gathered. */
#include "core/burst.h"

#include "core/socket_internal.h"

/* So many sends leave one by one before the next ones are held: a question to a few peers, or a reply, never waits for
 * the engine's thread. */
#define SINGLE_SENDS 16
/* A burst ends when its sender pauses for longer. */
#define LONGEST_PAUSE_NS 20000u
/* Longer bodies leave at once. A connection copies what it holds, up to 4 KiB. */
#define LONGEST_HELD_BYTES ((size_t)2 * 1024)

static void burst_flush(struct sp_task *task)
{
    struct sp_socket *socket = SP_CONTAINER(task, struct sp_socket, burst.flush);

    sp_socket_lock(socket);
    socket->burst.is_asked = false;
    socket->burst.last_ns = sp_now_ns(); /* a sender that goes on finds its burst as it was */
    sp_socket_unlock(socket);
    sp_socket_release_reference(socket);
}

void sp_burst_init(struct sp_burst *self)
{
    self->flush.run = burst_flush;
}

void sp_burst_begin(struct sp_socket *socket, size_t body_bytes)
{
    struct sp_burst *self = &socket->burst;

    if (!self->has_streams || socket->loop->is_hosted)
        return;            /* hosts hand over batches */
    if (!self->is_asked) { /* or else it joins those that wait for the engine's thread: no need to look at the clock */
        sp_time_ns now_ns = sp_now_ns();
        self->length = now_ns - self->last_ns <= LONGEST_PAUSE_NS ? self->length + 1 : 0;
        self->last_ns = now_ns;
    }
    self->is_held = self->length >= SINGLE_SENDS && body_bytes <= LONGEST_HELD_BYTES;
    socket->is_corked = self->is_held;
}

void sp_burst_continue(struct sp_socket *socket)
{
    /* A call into the kernel is no pause. */
    if (socket->burst.has_streams && !socket->loop->is_hosted && !socket->burst.is_held)
        socket->burst.last_ns = sp_now_ns();
}

void sp_burst_ask(struct sp_socket *socket)
{
    if (socket->burst.is_asked)
        return;
    socket->burst.is_asked = true;
    sp_socket_retain(socket); /* until it is done */
    sp_loop_post(&socket->loop->base, &socket->burst.flush);
}

/* ---- At the program's end ---- */

/* So long a lock is waited for: the thread that has it may be the one that ends the program. */
#define LOCK_LIMIT_MS 100
/* So long peers are waited for at most, also where NN_LINGER says more. */
#define LEAVE_LIMIT_MS 1000

static void pause_1_ms(void)
{
    struct timespec pause = {.tv_nsec = SP_NS_PER_MS};

    nanosleep(&pause, NULL);
}

static bool lock_patiently(struct sp_socket *socket)
{
    sp_time_ns deadline_ns = sp_deadline_after_ms(LOCK_LIMIT_MS);

    while (!sp_mutex_try_lock(&socket->lock)) {
        if (sp_now_ns() >= deadline_ns)
            return false;
        pause_1_ms();
    }
    return true;
}

static bool has_full_pipe(const struct sp_socket *socket)
{
    for (struct sp_list_item *item = sp_list_first(&socket->pipes); item != NULL;
         item = sp_list_next(&socket->pipes, item)) {
        if (!SP_CONTAINER(item, struct nn_pipe, item)->can_send)
            return true;
    }
    return false;
}

/* The engine's thread goes on meanwhile, and passes on what a slow peer takes. */
static void burst_leave(struct sp_socket *socket)
{
    sp_time_ns deadline_ns = 0;
    bool is_left = false;

    while (!is_left && lock_patiently(socket)) {
        bool is_burst = socket->state == SP_SOCKET_OPEN && socket->burst.length >= SINGLE_SENDS;
        int linger_ms = socket->options.linger_ms;
        bool is_first = deadline_ns == 0;
        if (is_first)
            deadline_ns =
                sp_deadline_after_ms(linger_ms < 0 || linger_ms > LEAVE_LIMIT_MS ? LEAVE_LIMIT_MS : linger_ms);
        is_left = !is_burst || (!is_first && !has_full_pipe(socket)) || sp_now_ns() >= deadline_ns;
        sp_socket_unlock(socket);
        if (!is_left && !is_first)
            pause_1_ms();
    }
}

static int count_sockets(struct nn_loop *loop)
{
    int count = 0;

    sp_mutex_lock(&loop->base.lock);
    for (struct sp_list_item *item = sp_list_first(&loop->sockets); item != NULL;
         item = sp_list_next(&loop->sockets, item))
        count++;
    sp_mutex_unlock(&loop->base.lock);
    return count;
}

void sp_bursts_leave(struct nn_loop *loop)
{
    struct sp_socket *socket;

    for (int i = count_sockets(loop); i > 0 && (socket = sp_loop_next_socket(loop)) != NULL; i--) {
        burst_leave(socket);
        sp_socket_release_reference(socket);
    }
}
