/* One loop and one thread for all sockets of C programs. */
#include "core/engine_thread.h"

#include "core/loop_state.h"
#include "util/fork.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#define BATCH_EVENTS 64

static struct {
    pthread_mutex_t lock;
    struct nn_loop *loop;
    pthread_t thread;
    struct nn_loop *inherited; /* the parent's, in a forked child */
    atomic_bool is_stopping;
} engine = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* In a forked child, which has no such thread. */
static void engine_after_fork(void)
{
    pthread_mutex_init(&engine.lock, NULL);
    engine.inherited = engine.loop;
    engine.loop = NULL;
}

static void engine_init(void)
{
    sp_fork_at_child(engine_after_fork);
}

static void *engine_main(void *loop)
{
    struct nn_loop *self = loop;

    while (!atomic_load(&engine.is_stopping) || sp_loop_has_sockets(self))
        sp_loop_run(&self->base, BATCH_EVENTS, -1);
    return NULL;
}

/* Signals are for the program's threads: ours must not swallow them. */
static int thread_create_without_signals(pthread_t *thread, void *(*main)(void *), void *argument)
{
    sigset_t all;
    sigset_t before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(thread, NULL, main, argument);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return -rc;
}

static int engine_start(void)
{
    struct nn_loop *loop;
    int rc = sp_loop_state_create(&loop);

    if (rc < 0)
        return rc;
    atomic_store(&engine.is_stopping, false);
    rc = thread_create_without_signals(&engine.thread, engine_main, loop);
    if (rc < 0) {
        sp_loop_state_free(loop);
        return rc;
    }
    engine.loop = loop;
    return 0;
}

int sp_engine_loop(struct nn_loop **out)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    int rc = 0;

    pthread_once(&once, engine_init);
    pthread_mutex_lock(&engine.lock);
    if (engine.loop == NULL)
        rc = engine_start();
    *out = engine.loop;
    pthread_mutex_unlock(&engine.lock);
    return rc;
}

void sp_engine_stop(void)
{
    pthread_mutex_lock(&engine.lock);
    struct nn_loop *loop = engine.loop;
    engine.loop = NULL;
    if (loop != NULL) {
        atomic_store(&engine.is_stopping, true);
        sp_loop_wake(&loop->base);
        pthread_join(engine.thread, NULL);
        sp_loop_state_free(loop);
    }
    pthread_mutex_unlock(&engine.lock);
}

bool sp_engine_try_lock(struct nn_loop **loop)
{
    if (pthread_mutex_trylock(&engine.lock) != 0)
        return false;
    *loop = engine.loop;
    return true;
}

void sp_engine_unlock(void)
{
    pthread_mutex_unlock(&engine.lock);
}
