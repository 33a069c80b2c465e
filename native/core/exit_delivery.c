/* What the sockets of the engine's own loop hold when the program ends. */
#include "core/exit_delivery.h"

#include "core/error_log.h"
#include "core/loop_state.h"
#include "core/pipe.h"
#include "core/socket_settle.h"
#include "core/socket_state.h"
#include "platform/thread.h"

#include <stdio.h>

/* A lock is waited for no longer: the thread that has it may be the one that ends the program. */
#define LOCK_LIMIT_MS 100
/* Peers are waited for no longer, also where NN_LINGER says more. */
#define DELIVERY_LIMIT_MS 1000

/* One look at all sockets. */
struct survey {
    sp_time_ns began_ns;    /* when the program began to end */
    bool has_other_threads; /* which could take what waits inside the process */
    uint64_t awaited_bytes; /* what it makes sense to wait for */
    uint64_t held_bytes;    /* all, also of sockets whose time is over */
};

static bool lock_within_limit(struct sp_mutex *lock)
{
    sp_time_ns deadline_ns = sp_deadline_after_ms(LOCK_LIMIT_MS);

    while (!sp_mutex_try_lock(lock)) {
        if (sp_now_ns() >= deadline_ns)
            return false;
        sp_pause_1_ms();
    }
    return true;
}

/* ---- What is held ---- */

static uint64_t pipe_held_bytes(const struct nn_pipe *pipe, const struct survey *survey)
{
    if (pipe->held_bytes == NULL)
        return pipe->can_send ? 0 : 1; /* it may hold messages that it does not count */
    if (pipe->is_within_process && !survey->has_other_threads)
        return 0; /* only this thread could take it */
    return pipe->held_bytes(pipe);
}

static uint64_t socket_held_bytes(struct sp_socket *socket, const struct survey *survey)
{
    uint64_t bytes = socket->queue.bytes + socket->queue.count;

    for (struct sp_list_item *item = sp_list_first(&socket->pipes); item != NULL;
         item = sp_list_next(&socket->pipes, item))
        bytes += pipe_held_bytes(SP_CONTAINER(item, struct nn_pipe, item), survey);
    for (struct sp_list_item *item = sp_list_first(&socket->lingering); item != NULL;
         item = sp_list_next(&socket->lingering, item)) {
        const struct sp_linger *linger = SP_CONTAINER(item, struct sp_linger, item);
        bytes += linger->held_bytes != NULL ? linger->held_bytes(linger) : 1;
    }
    return bytes;
}

static sp_time_ns socket_deadline(const struct sp_socket *socket, sp_time_ns began_ns)
{
    int linger_ms = socket->options.linger_ms;
    int limit_ms = linger_ms < 0 || linger_ms > DELIVERY_LIMIT_MS ? DELIVERY_LIMIT_MS : linger_ms;

    return began_ns + (sp_time_ns)limit_ms * SP_NS_PER_MS;
}

static void survey_socket(struct sp_socket *socket, struct survey *survey)
{
    if (!lock_within_limit(&socket->lock))
        return;
    if (socket->state != SP_SOCKET_CLOSED) {
        uint64_t bytes = socket_held_bytes(socket, survey);
        survey->held_bytes += bytes;
        if (sp_now_ns() < socket_deadline(socket, survey->began_ns))
            survey->awaited_bytes += bytes;
    }
    sp_socket_unlock(socket);
}

/* Coalesced messages are passed on when the lock is released. */
static void flush_socket(struct sp_socket *socket, struct survey *survey)
{
    (void)survey;
    if (lock_within_limit(&socket->lock))
        sp_socket_unlock(socket);
}

/* Sockets that only wait to be freed are not counted: each pass over the others costs a wait where a lock is not free.
 * Returns 0 also when the loop's lock is not free: exit was called by a signal's handler within a call that has it. */
static int count_sockets(struct nn_loop *loop)
{
    int count = 0;

    if (!lock_within_limit(&loop->base.lock))
        return 0;
    for (struct sp_list_item *item = sp_list_first(&loop->sockets); item != NULL;
         item = sp_list_next(&loop->sockets, item))
        count += atomic_load(&SP_CONTAINER(item, struct sp_socket, loop_item)->references) > 0;
    sp_mutex_unlock(&loop->base.lock);
    return count;
}

static void for_each_socket(struct nn_loop *loop, void (*look)(struct sp_socket *, struct survey *),
                            struct survey *survey)
{
    struct sp_socket *socket;

    for (int i = count_sockets(loop); i > 0 && (socket = sp_loop_next_socket(loop)) != NULL; i--) {
        look(socket, survey);
        sp_socket_release_reference(socket);
    }
}

/* ---- Waiting for it ---- */

/* Whether the process has a thread besides this one and the engine's. */
static bool has_other_threads(void)
{
    int count = sp_thread_count();

    return count < 0 || count > 2;
}

static void log_loss(uint64_t bytes)
{
    if (bytes > 0 && sp_prints_errors())
        fprintf(stderr, "nanomsg: %llu bytes were accepted and not delivered when the program ended\n",
                (unsigned long long)bytes);
}

void sp_loop_deliver_held(struct nn_loop *loop)
{
    static sp_time_ns began_ns; /* what exit calls later has what is left of the time */
    struct survey survey = {0};

    if (began_ns == 0)
        began_ns = sp_now_ns();
    for_each_socket(loop, flush_socket, &survey);
    if (sp_loop_is_running_here(&loop->base))
        return; /* called by a transport of the program's own, on the thread that would pass messages on */
    bool others = has_other_threads();
    for (;;) {
        survey = (struct survey){.began_ns = began_ns, .has_other_threads = others};
        for_each_socket(loop, survey_socket, &survey);
        if (survey.awaited_bytes == 0)
            break;
        sp_pause_1_ms();
    }
    log_loss(survey.held_bytes);
}

void sp_loop_pass_locks(struct nn_loop *loop)
{
    struct survey survey = {0};

    for_each_socket(loop, flush_socket, &survey);
}

static void finish_socket(struct sp_socket *socket, struct survey *survey)
{
    (void)survey;
    if (!lock_within_limit(&socket->lock))
        return;
    for (struct sp_list_item *item = sp_list_first(&socket->pipes); item != NULL;
         item = sp_list_next(&socket->pipes, item)) {
        struct nn_pipe *pipe = SP_CONTAINER(item, struct nn_pipe, item);
        if (pipe->stream != NULL)
            pipe->stream->finish(pipe);
    }
    sp_socket_unlock(socket);
}

void sp_loop_finish_connections(struct nn_loop *loop)
{
    for_each_socket(loop, finish_socket, NULL);
}
