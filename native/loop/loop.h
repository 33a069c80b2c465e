/* The loop: watches descriptors, keeps deadlines, runs tasks that other threads post. It is
 * driven by a thread of the engine, or by the host's event loop through the one descriptor of the poller.
 *
 * Handlers run on the driving thread without any lock of the loop. What a handler (or another thread) is done
 * with while a batch of events is being handled may still be named by a later event of the same batch, so
 * memory that holds a watch, a timer or a task goes back through sp_loop_discard, never directly. */
#ifndef SP_LOOP_LOOP_H
#define SP_LOOP_LOOP_H

#include "platform/poller.h"
#include "platform/thread.h"
#include "util/heap.h"
#include "util/list.h"

#include <stdbool.h>
#include <stdint.h>

/* One deadline. Started and stopped under its owner's lock, which guards is_active. The handler may come late:
 * after taking the lock it asks sp_timer_is_due. */
struct sp_timer {
    struct sp_heap_item item; /* guarded by the loop's lock */
    struct sp_loop *loop;
    sp_time_ns deadline_ns;
    bool is_active;
    void (*handle)(struct sp_timer *self);
};

/* The loop's use of the cache of large buffers, see util/buffer_cache.h; the driver's own. */
struct sp_cache_user {
    struct sp_timer timer;
    uint32_t gets; /* sp_buffer_cache_gets() when it was looked at last */
    bool is_active;
};

/* The loop's part in giving memory back, see util/memory_return.h; the driver's own. */
struct sp_returning {
    struct sp_timer timer;
    bool is_active;
};

struct sp_loop {
    struct sp_poller poller;
    struct sp_mutex lock;  /* guards all below */
    struct sp_heap timers; /* room for reserved_timers is made beforehand: starting one cannot fail */
    size_t reserved_timers;
    sp_time_ns armed_ns;     /* the deadline that the poller knows; SP_FOREVER: none */
    struct sp_list mailbox;  /* struct sp_task */
    struct sp_list garbage;  /* struct sp_task */
    struct sp_list released; /* garbage of earlier batches that is still to be freed; the driver's own */
    int batch_events;        /* handled at a time; the driver's own */
    bool is_woken;           /* the poller's wake-up is under way */
    struct sp_cache_user cache_user;
    struct sp_returning returning;
};

/* One descriptor's place in the poller. `wanted` is guarded by the owner of the watch (a socket's lock). */
struct sp_watch {
    struct sp_loop *loop;
    int fd;
    unsigned wanted;
    void (*handle)(struct sp_watch *self, unsigned ready);
};

/* Something to run on the driving thread, or to release after the batch. */
struct sp_task {
    struct sp_list_item item;
    void (*run)(struct sp_task *self);
};

int sp_loop_open(struct sp_loop *self);
void sp_loop_close(struct sp_loop *self);

/* Waits at most timeout_ms and handles at most `budget` events. Returns the number handled. */
int sp_loop_run(struct sp_loop *self, int budget, int timeout_ms);

/* Runs the task on the driving thread soon. From any thread; a posted task must not be posted again before it
 * has run. */
void sp_loop_post(struct sp_loop *self, struct sp_task *task);

/* Runs the task (which releases memory) when no event can name that memory any more. From any thread. */
void sp_loop_discard(struct sp_loop *self, struct sp_task *task);

/* Ends the driver's wait. From any thread. */
void sp_loop_wake(struct sp_loop *self);

/* Whether the calling thread is handling a batch right now: then its end takes care of what is due. */
bool sp_loop_is_running_here(const struct sp_loop *self);

void sp_watch_init(struct sp_watch *self, struct sp_loop *loop, int fd, void (*handle)(struct sp_watch *, unsigned));
/* Sets what to wait for (SP_READABLE, SP_WRITABLE, SP_FINISHED, SP_HANGUP; 0: leaves the poller). Returns 0 or -errno.
 * */
int sp_watch_want(struct sp_watch *self, unsigned wanted);

/* Reserves room for the timer. Returns 0 or -ENOMEM. sp_timer_destroy gives the room back. */
int sp_timer_init(struct sp_timer *self, struct sp_loop *loop, void (*handle)(struct sp_timer *));
void sp_timer_destroy(struct sp_timer *self);
void sp_timer_start(struct sp_timer *self, sp_time_ns deadline_ns);
void sp_timer_stop(struct sp_timer *self);
/* In a handler, under the owner's lock: true once per start, when the deadline has passed. */
bool sp_timer_is_due(struct sp_timer *self);

#endif
