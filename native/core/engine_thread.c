/* One loop and one thread for all sockets of C programs. */
#include "core/engine_thread.h"

#include "core/loop_state.h"
#include "core/process.h"
#include "platform/fork.h"
#include "platform/thread.h"
#include "util/buffer_cache.h"

#include <stdatomic.h>

#define BATCH_EVENTS 64

static struct {
    struct sp_mutex lock;
    struct nn_loop *loop;
    struct sp_thread thread;
    struct nn_loop *inherited; /* the parent's, in a forked child */
    atomic_bool is_stopping;
} engine = {.lock = SP_MUTEX_INIT(SP_RANK_NONE)};

/* In a forked child, which has no such thread. */
static void engine_after_fork(void)
{
    sp_mutex_init(&engine.lock, SP_RANK_NONE);
    engine.inherited = engine.loop;
    engine.loop = NULL;
}

/* From any thread that takes a large buffer: where the lock is taken, another one is waking it, or the loop is about to
 * begin or end. */
static void wake_for_buffers(void)
{
    struct nn_loop *loop;

    if (!sp_engine_try_lock(&loop))
        return;
    if (loop != NULL)
        sp_loop_wake(&loop->base);
    sp_engine_unlock();
}

static void engine_init(void)
{
    sp_fork_at_child(engine_after_fork);
    sp_buffer_cache_on_unused(wake_for_buffers);
}

static void *engine_main(void *loop)
{
    struct nn_loop *self = loop;

    while (!atomic_load(&engine.is_stopping) || sp_loop_has_sockets(self))
        sp_loop_run(&self->base, BATCH_EVENTS, -1);
    return NULL;
}

static int engine_start(void)
{
    struct nn_loop *loop;
    int rc = sp_loop_state_create(&loop);

    if (rc < 0)
        return rc;
    atomic_store(&engine.is_stopping, false);
    rc = sp_thread_start(&engine.thread, engine_main, loop);
    if (rc < 0) {
        sp_loop_state_free(loop);
        return rc;
    }
    engine.loop = loop;
    return 0;
}

int sp_engine_loop(struct nn_loop **out)
{
    static struct sp_once once = SP_ONCE_INIT;
    int rc = 0;

    sp_once_run(&once, engine_init);
    sp_mutex_lock(&engine.lock);
    if (engine.loop == NULL)
        rc = engine_start();
    *out = engine.loop;
    sp_mutex_unlock(&engine.lock);
    return rc;
}

/* A socket is counted before it asks for the loop, which takes the lock: none can come to a loop that is stopped. */
void sp_engine_stop(void)
{
    sp_mutex_lock(&engine.lock);
    struct nn_loop *loop = sp_process_has_sockets() ? NULL : engine.loop;
    if (loop != NULL) {
        engine.loop = NULL;
        atomic_store(&engine.is_stopping, true);
        sp_loop_wake(&loop->base);
        sp_thread_join(&engine.thread);
        sp_loop_state_free(loop);
    }
    sp_mutex_unlock(&engine.lock);
}

bool sp_engine_try_lock(struct nn_loop **loop)
{
    if (!sp_mutex_try_lock(&engine.lock))
        return false;
    *loop = engine.loop;
    return true;
}

void sp_engine_unlock(void)
{
    sp_mutex_unlock(&engine.lock);
}
