/* The loop: one batch of events, then the tasks posted meanwhile, then what can be released. */
#include "loop/loop.h"

#include "util/buffer_cache.h"
#include "util/memory_return.h"

#include <errno.h>

#define BATCH_EVENTS 64
/* Releasing takes no longer between two batches of events: threads that discard faster than that must not keep the loop
 * from its connections. */
#define RELEASE_LIMIT_NS SP_NS_PER_MS
#define RELEASES_PER_LOOK 64

/* A batch that takes longer than the first makes the next ones shorter, and one that takes less than the second lets
 * them grow again: many peers that each cost a few milliseconds do not keep the others, or the host, waiting. */
#define LONG_BATCH_NS (10 * SP_NS_PER_MS)
#define SHORT_BATCH_NS (2 * SP_NS_PER_MS)
/* Batches of so few events are not measured, unless they are kept short. */
#define MAX_UNMEASURED_EVENTS 4

/* The loop whose batch this thread is handling. */
static _Thread_local const struct sp_loop *running_here;

/* ---- Giving memory back ---- */

static void returning_handle_deadline(struct sp_timer *timer)
{
    struct sp_returning *self = SP_CONTAINER(timer, struct sp_returning, timer);

    if (!self->is_active || !sp_timer_is_due(timer))
        return;
    self->is_active = false;
    sp_memory_return();
}

/* Begins, if enough was freed. Asked where memory was freed only, which is seldom. */
static void return_later(struct sp_returning *self)
{
    if (self->is_active || !sp_memory_is_returnable())
        return;
    self->is_active = true;
    sp_timer_start(&self->timer, sp_memory_return_due_ns());
}

/* ---- Use of the buffer cache ---- */

static void cache_user_continue(struct sp_cache_user *self)
{
    self->gets = sp_buffer_cache_gets();
    sp_timer_start(&self->timer, sp_now_ns() + SP_BUFFER_CACHE_IDLE_NS);
}

static void cache_user_handle_deadline(struct sp_timer *timer)
{
    struct sp_cache_user *self = SP_CONTAINER(timer, struct sp_cache_user, timer);

    if (!self->is_active || !sp_timer_is_due(timer))
        return;
    if (self->gets != sp_buffer_cache_gets()) {
        sp_buffer_cache_free_idle();
        return_later(&timer->loop->returning);
        cache_user_continue(self);
        return;
    }
    self->is_active = false;
    sp_buffer_cache_release();
    return_later(&timer->loop->returning);
}

/* Keeps the cache, if large messages come. */
static void cache_user_begin(struct sp_cache_user *self)
{
    if (self->is_active || self->gets == sp_buffer_cache_gets())
        return;
    self->is_active = true;
    sp_buffer_cache_retain();
    cache_user_continue(self);
}

/* ---- The loop ---- */

int sp_loop_open(struct sp_loop *self)
{
    int rc = sp_poller_open(&self->poller);

    if (rc < 0)
        return rc;
    sp_mutex_init(&self->lock, SP_RANK_LOOP);
    self->timers = (struct sp_heap){0};
    self->reserved_timers = 0;
    self->armed_ns = SP_FOREVER;
    self->batch_events = BATCH_EVENTS;
    sp_list_init(&self->mailbox);
    sp_list_init(&self->garbage);
    sp_list_init(&self->released);
    self->is_woken = false;
    self->cache_user.is_active = false;
    self->cache_user.gets = sp_buffer_cache_gets();
    self->returning.is_active = false;
    rc = sp_timer_init(&self->cache_user.timer, self, cache_user_handle_deadline);
    if (rc == 0 && (rc = sp_timer_init(&self->returning.timer, self, returning_handle_deadline)) < 0)
        sp_timer_destroy(&self->cache_user.timer);
    if (rc < 0) {
        sp_mutex_destroy(&self->lock);
        sp_poller_close(&self->poller);
    }
    return rc;
}

static void run_tasks(struct sp_loop *self, struct sp_list *from)
{
    struct sp_list tasks;
    struct sp_list_item *item;

    sp_list_init(&tasks);
    sp_mutex_lock(&self->lock);
    sp_list_move(&tasks, from);
    sp_mutex_unlock(&self->lock);

    while ((item = sp_list_pop(&tasks)) != NULL) {
        struct sp_task *task = SP_CONTAINER(item, struct sp_task, item);
        task->run(task);
    }
}

/* Frees what events of past batches can no longer name, or as much of it as there is time for. */
static void release_garbage(struct sp_loop *self)
{
    struct sp_list_item *item;
    sp_time_ns limit_ns = 0;

    sp_mutex_lock(&self->lock);
    sp_list_move(&self->released, &self->garbage);
    sp_mutex_unlock(&self->lock);
    if (!sp_list_is_empty(&self->released))
        return_later(&self->returning);
    for (int count = 1; (item = sp_list_pop(&self->released)) != NULL; count++) {
        struct sp_task *task = SP_CONTAINER(item, struct sp_task, item);
        task->run(task);
        if (count % RELEASES_PER_LOOK != 0)
            continue;
        if (limit_ns == 0)
            limit_ns = sp_now_ns() + RELEASE_LIMIT_NS;
        if (sp_now_ns() >= limit_ns) {
            sp_loop_wake(self);
            return;
        }
    }
}

void sp_loop_close(struct sp_loop *self)
{
    run_tasks(self, &self->mailbox);
    run_tasks(self, &self->released);
    run_tasks(self, &self->garbage);
    sp_timer_destroy(&self->cache_user.timer);
    sp_timer_destroy(&self->returning.timer);
    if (self->cache_user.is_active)
        sp_buffer_cache_release();
    if (sp_memory_is_returnable())
        sp_memory_return();
    sp_heap_destroy(&self->timers);
    sp_mutex_destroy(&self->lock);
    sp_poller_close(&self->poller);
}

/* Takes the next timer whose deadline has passed out of the heap, or arms the poller for the one to come. */
static struct sp_timer *next_due_timer(struct sp_loop *self, sp_time_ns now_ns)
{
    struct sp_timer *due = NULL;

    sp_mutex_lock(&self->lock);
    struct sp_heap_item *first = sp_heap_first(&self->timers);
    if (first != NULL && first->key <= now_ns) {
        sp_heap_remove(&self->timers, first);
        due = SP_CONTAINER(first, struct sp_timer, item);
    } else {
        self->armed_ns = first != NULL ? first->key : SP_FOREVER;
        if (first != NULL)
            sp_poller_arm(&self->poller, first->key);
    }
    sp_mutex_unlock(&self->lock);
    return due;
}

/* The rest is due at once. */
static void arm_for_rest(struct sp_loop *self)
{
    sp_mutex_lock(&self->lock);
    struct sp_heap_item *first = sp_heap_first(&self->timers);
    self->armed_ns = first != NULL ? first->key : SP_FOREVER;
    if (first != NULL)
        sp_poller_arm(&self->poller, first->key);
    sp_mutex_unlock(&self->lock);
}

static void handle_deadlines(struct sp_loop *self)
{
    sp_time_ns now_ns = sp_now_ns();
    struct sp_timer *timer;

    while ((timer = next_due_timer(self, now_ns)) != NULL) {
        timer->handle(timer);
        if (sp_now_ns() - now_ns >= LONG_BATCH_NS) {
            arm_for_rest(self);
            return;
        }
    }
}

static void handle_wake(struct sp_loop *self)
{
    sp_mutex_lock(&self->lock);
    self->is_woken = false;
    sp_mutex_unlock(&self->lock);
    run_tasks(self, &self->mailbox);
}

/* Fits the length of batches to what this one has cost. */
static void fit_batch(struct sp_loop *self, int count, sp_time_ns took_ns)
{
    if (took_ns > LONG_BATCH_NS)
        self->batch_events = 1 + (int)((sp_time_ns)count * (LONG_BATCH_NS / 2) / took_ns);
    else if (took_ns < SHORT_BATCH_NS && count == self->batch_events && count < BATCH_EVENTS)
        self->batch_events = count * 2 < BATCH_EVENTS ? count * 2 : BATCH_EVENTS;
}

int sp_loop_run(struct sp_loop *self, int budget, int timeout_ms)
{
    struct sp_poller_event events[BATCH_EVENTS];
    int limit = budget < self->batch_events ? budget : self->batch_events;
    int count = sp_poller_wait(&self->poller, events, limit, timeout_ms);
    bool is_measured = count > MAX_UNMEASURED_EVENTS || self->batch_events < BATCH_EVENTS;
    sp_time_ns start_ns = is_measured ? sp_now_ns() : 0;

    running_here = self;
    for (int i = 0; i < count; i++) {
        if (events[i].is_deadline)
            handle_deadlines(self);
        else if (events[i].is_wake)
            handle_wake(self);
        else
            events[i].watch->handle(events[i].watch, events[i].ready);
    }
    running_here = NULL;
    if (is_measured)
        fit_batch(self, count, sp_now_ns() - start_ns);
    release_garbage(self);
    cache_user_begin(&self->cache_user);
    return count;
}

bool sp_loop_is_running_here(const struct sp_loop *self)
{
    return running_here == self;
}

/* One wake-up serves all that is asked for before the driver comes round. Called under the lock. */
static void wake_once(struct sp_loop *self)
{
    if (self->is_woken)
        return;
    self->is_woken = true;
    sp_poller_wake(&self->poller);
}

void sp_loop_wake(struct sp_loop *self)
{
    sp_mutex_lock(&self->lock);
    wake_once(self);
    sp_mutex_unlock(&self->lock);
}

void sp_loop_post(struct sp_loop *self, struct sp_task *task)
{
    sp_mutex_lock(&self->lock);
    sp_list_append(&self->mailbox, &task->item);
    wake_once(self);
    sp_mutex_unlock(&self->lock);
}

void sp_loop_discard(struct sp_loop *self, struct sp_task *task)
{
    bool is_here = sp_loop_is_running_here(self);

    sp_mutex_lock(&self->lock);
    sp_list_append(&self->garbage, &task->item);
    if (!is_here)
        wake_once(self);
    sp_mutex_unlock(&self->lock);
}

void sp_watch_init(struct sp_watch *self, struct sp_loop *loop, int fd, void (*handle)(struct sp_watch *, unsigned))
{
    self->loop = loop;
    self->fd = fd;
    self->wanted = 0;
    self->handle = handle;
}

int sp_watch_want(struct sp_watch *self, unsigned wanted)
{
    if (self->wanted == wanted)
        return 0;
    int rc = sp_poller_watch(&self->loop->poller, self->fd, self, self->wanted, wanted);
    if (rc == 0 || wanted == 0) /* what is not wanted any more is closed next, which removes it in any case */
        self->wanted = wanted;
    return rc;
}

int sp_timer_init(struct sp_timer *self, struct sp_loop *loop, void (*handle)(struct sp_timer *))
{
    self->item = (struct sp_heap_item){0};
    self->loop = loop;
    self->deadline_ns = SP_FOREVER;
    self->is_active = false;
    self->handle = handle;

    sp_mutex_lock(&loop->lock);
    int rc = sp_heap_reserve(&loop->timers, loop->reserved_timers + 1);
    if (rc == 0)
        loop->reserved_timers++;
    else
        self->loop = NULL;
    sp_mutex_unlock(&loop->lock);
    return rc;
}

void sp_timer_destroy(struct sp_timer *self)
{
    if (self->loop == NULL)
        return;
    sp_timer_stop(self);
    sp_mutex_lock(&self->loop->lock);
    self->loop->reserved_timers--;
    sp_mutex_unlock(&self->loop->lock);
    self->loop = NULL;
}

void sp_timer_start(struct sp_timer *self, sp_time_ns deadline_ns)
{
    struct sp_loop *loop = self->loop;

    self->deadline_ns = deadline_ns;
    self->is_active = true;

    sp_mutex_lock(&loop->lock);
    if (sp_heap_is_linked(&self->item))
        sp_heap_remove(&loop->timers, &self->item);
    if (deadline_ns != SP_FOREVER) {
        sp_heap_insert(&loop->timers, &self->item, deadline_ns);
        /* Only an earlier deadline costs a system call; a stopped one that is still armed merely wakes us. */
        if (deadline_ns < loop->armed_ns) {
            loop->armed_ns = deadline_ns;
            sp_poller_arm(&loop->poller, deadline_ns);
        }
    }
    sp_mutex_unlock(&loop->lock);
}

void sp_timer_stop(struct sp_timer *self)
{
    self->is_active = false;
    if (self->loop == NULL)
        return;
    sp_mutex_lock(&self->loop->lock);
    if (sp_heap_is_linked(&self->item))
        sp_heap_remove(&self->loop->timers, &self->item);
    sp_mutex_unlock(&self->loop->lock);
}

bool sp_timer_is_due(struct sp_timer *self)
{
    if (!self->is_active || self->deadline_ns > sp_now_ns())
        return false;
    self->is_active = false;
    return true;
}
