/* How many sockets the process has, and whether nn_term has ended it for them. */
#include "core/process.h"

#include "util/clock.h"
#include "util/fork.h"

#include <nanomsg/nn.h>

#include <errno.h>
#include <pthread.h>
#include <time.h>

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int engine_sockets; /* on the engine's own loop, from before they are opened until they are released */
    bool is_used;       /* a socket was asked for: before that, there is nothing to terminate */
    bool is_terminated;
} process = {.lock = PTHREAD_MUTEX_INITIALIZER};

static pthread_once_t process_once = PTHREAD_ONCE_INIT;

static void process_init_condition(void)
{
    pthread_condattr_t attributes;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&process.changed, &attributes);
    pthread_condattr_destroy(&attributes);
}

/* In a forked child. */
static void process_after_fork(void)
{
    pthread_mutex_init(&process.lock, NULL);
    process_init_condition();
    process.engine_sockets = 0;
}

static void process_init(void)
{
    process_init_condition();
    sp_fork_at_child(process_after_fork);
}

void sp_process_count_socket(int change)
{
    pthread_mutex_lock(&process.lock);
    process.engine_sockets += change;
    pthread_cond_broadcast(&process.changed);
    pthread_mutex_unlock(&process.lock);
}

/* Counts a socket in before anything is made for it, so that the engine's loop stays while it is opened. */
int sp_process_admit_socket(bool is_counted)
{
    pthread_once(&process_once, process_init);
    pthread_mutex_lock(&process.lock);
    process.is_used = true;
    int rc = process.is_terminated ? -ETERM : 0;
    if (rc == 0 && is_counted)
        process.engine_sockets++;
    pthread_mutex_unlock(&process.lock);
    return rc;
}

bool sp_process_is_terminated(void)
{
    pthread_mutex_lock(&process.lock);
    bool result = process.is_terminated;
    pthread_mutex_unlock(&process.lock);
    return result;
}

bool sp_process_terminate(void)
{
    pthread_once(&process_once, process_init);
    pthread_mutex_lock(&process.lock);
    bool is_used = process.is_used;
    process.is_terminated = is_used;
    pthread_mutex_unlock(&process.lock);
    return is_used;
}

void sp_process_terminate_undo(void)
{
    pthread_mutex_lock(&process.lock);
    process.is_used = true;
    process.is_terminated = false;
    pthread_mutex_unlock(&process.lock);
}

bool sp_process_wait_for_sockets(int limit_ms)
{
    sp_time_ns deadline_ns = sp_deadline_after_ms(limit_ms);
    struct timespec until = {.tv_sec = (time_t)(deadline_ns / 1000000000u),
                             .tv_nsec = (long)(deadline_ns % 1000000000u)};

    pthread_mutex_lock(&process.lock);
    while (process.engine_sockets > 0) {
        if (pthread_cond_timedwait(&process.changed, &process.lock, &until) == ETIMEDOUT)
            break;
    }
    bool is_done = process.engine_sockets == 0;
    pthread_mutex_unlock(&process.lock);
    return is_done;
}
