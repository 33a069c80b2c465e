/* How many sockets the process has, and whether nn_term has ended it for them. */
#include "core/process.h"

#include "platform/clock.h"
#include "platform/fork.h"
#include "platform/thread.h"

#include <nanomsg/nn.h>

static struct {
    struct sp_mutex lock;
    struct sp_condition changed;
    int engine_sockets; /* on the engine's own loop, from before they are opened until they are released */
    bool is_used;       /* a socket was asked for: before that, there is nothing to terminate */
    bool is_terminated;
} process = {.lock = SP_MUTEX_INIT(SP_RANK_NONE)};

static struct sp_once process_once = SP_ONCE_INIT;

/* In a forked child. */
static void process_after_fork(void)
{
    sp_mutex_init(&process.lock, SP_RANK_NONE);
    sp_condition_init(&process.changed);
    process.engine_sockets = 0;
}

static void process_init(void)
{
    sp_condition_init(&process.changed);
    sp_fork_at_child(process_after_fork);
}

void sp_process_count_socket(int change)
{
    sp_mutex_lock(&process.lock);
    process.engine_sockets += change;
    sp_condition_broadcast(&process.changed);
    sp_mutex_unlock(&process.lock);
}

/* Counts a socket in before anything is made for it, so that the engine's loop stays while it is opened. */
int sp_process_admit_socket(bool is_counted)
{
    sp_once_run(&process_once, process_init);
    sp_mutex_lock(&process.lock);
    process.is_used = true;
    int rc = process.is_terminated ? -ETERM : 0;
    if (rc == 0 && is_counted)
        process.engine_sockets++;
    sp_mutex_unlock(&process.lock);
    return rc;
}

bool sp_process_is_terminated(void)
{
    sp_mutex_lock(&process.lock);
    bool result = process.is_terminated;
    sp_mutex_unlock(&process.lock);
    return result;
}

bool sp_process_terminate(void)
{
    sp_once_run(&process_once, process_init);
    sp_mutex_lock(&process.lock);
    bool is_used = process.is_used;
    process.is_terminated = is_used;
    sp_mutex_unlock(&process.lock);
    return is_used;
}

void sp_process_terminate_undo(void)
{
    sp_mutex_lock(&process.lock);
    process.is_used = true;
    process.is_terminated = false;
    sp_condition_broadcast(&process.changed);
    sp_mutex_unlock(&process.lock);
}

bool sp_process_wait_for_sockets(int limit_ms)
{
    sp_time_ns deadline_ns = sp_deadline_after_ms(limit_ms);

    sp_mutex_lock(&process.lock);
    while (process.engine_sockets > 0 && process.is_terminated &&
           sp_condition_wait(&process.changed, &process.lock, deadline_ns)) {
    }
    bool is_done = process.engine_sockets == 0;
    sp_mutex_unlock(&process.lock);
    return is_done;
}

bool sp_process_has_sockets(void)
{
    sp_mutex_lock(&process.lock);
    bool result = process.engine_sockets > 0;
    sp_mutex_unlock(&process.lock);
    return result;
}
