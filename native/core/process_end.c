/* exit(): which thread delivers when several end the program at the same time, and how long it waits. */
#include "core/process_end.h"

#include "core/engine_thread.h"
#include "core/exit_delivery.h"
#include "core/loop_state.h"
#include "platform/at_exit.h"
#include "platform/fork.h"
#include "platform/thread.h"

#include <stdatomic.h>

/* The lock is not waited for without limit: exit may be called by a signal's handler, within a call that has it. */
#define EXIT_LOCK_LIMIT_MS 100
/* What another thread that ends the program takes at most, with room for a machine that is busy. */
#define EXIT_LIMIT_MS 3000

/* A thread that ends the program is delivering. */
static atomic_bool is_delivering;

static bool try_lock_for(struct nn_loop **loop, int limit_ms)
{
    sp_time_ns deadline_ns = sp_deadline_after_ms(limit_ms);

    while (!sp_engine_try_lock(loop)) {
        if (sp_now_ns() >= deadline_ns)
            return false;
        sp_pause_1_ms();
    }
    return true;
}

static void wait_for_other_thread(void)
{
    sp_time_ns deadline_ns = sp_deadline_after_ms(EXIT_LIMIT_MS);

    while (atomic_load(&is_delivering) && sp_now_ns() < deadline_ns)
        sp_pause_1_ms();
}

/* Some C libraries let several threads end the program at the same time, and the one that finds nothing left to call
 * does end it: it must wait for the one that delivers. */
static void with_engine_loop(void (*deliver)(struct nn_loop *loop))
{
    static _Thread_local bool is_here;
    struct nn_loop *loop;

    if (is_here)
        return; /* exit() within exit(), as by a signal's handler */
    if (atomic_exchange(&is_delivering, true)) {
        wait_for_other_thread();
        return;
    }
    is_here = true;
    if (try_lock_for(&loop, EXIT_LOCK_LIMIT_MS)) {
        if (loop != NULL)
            deliver(loop);
        sp_engine_unlock();
    }
    is_here = false;
    atomic_store(&is_delivering, false);
}

void sp_exit_deliver(void)
{
    with_engine_loop(sp_loop_deliver_held);
}

void sp_exit_pass_locks(void)
{
    with_engine_loop(sp_loop_pass_locks);
}

/* In a forked child, which has no such thread. */
static void exit_after_fork(void)
{
    atomic_store(&is_delivering, false);
}

static void exit_register(void)
{
    sp_fork_at_child(exit_after_fork);
    /* Twice: a second thread in exit() takes the second one, and waits in it. Failing for want of memory leaves the
     * destructor. */
    sp_at_exit(sp_exit_deliver);
    sp_at_exit(sp_exit_deliver);
}

void sp_exit_register(void)
{
    static struct sp_once once = SP_ONCE_INIT;

    sp_once_run(&once, exit_register);
}

static void deliver_and_finish(struct nn_loop *loop)
{
    sp_loop_deliver_held(loop);
    sp_loop_finish_connections(loop);
}

/* Last of all: what handlers of the program have sent is delivered, too. */
SP_AT_LAST(process_end)
{
    with_engine_loop(deliver_and_finish);
}
