/* Loops as their owners see them: the engine's own with its thread, and those of hosts. */
#include "core/loop_host.h"

#include "message/chunk.h"
#include "core/leave.h"
#include "core/socket_internal.h"

#include "util/fork.h"
#include "util/memory.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

#define SLAB_BYTES ((size_t)256 * 1024)
#define ENGINE_BUDGET_EVENTS 64

static int loop_host_create(struct nn_loop **out)
{
    struct nn_loop *self = sp_zalloc(sizeof *self);

    if (self == NULL)
        return -ENOMEM;
    int rc = sp_loop_open(&self->base);
    if (rc < 0) {
        sp_free(self);
        return rc;
    }
    self->fork_depth = sp_fork_depth();
    sp_list_init(&self->ready);
    sp_list_init(&self->sockets);
    *out = self;
    return 0;
}

static void loop_host_free(struct nn_loop *self)
{
    if (self->spare.chunk != NULL)
        sp_chunk_release(self->spare.chunk);
    sp_loop_close(&self->base);
    sp_free(self);
}

static bool has_sockets(struct nn_loop *self)
{
    sp_mutex_lock(&self->base.lock);
    bool result = !sp_list_is_empty(&self->sockets);
    sp_mutex_unlock(&self->base.lock);
    return result;
}

/* Not one that only waits to be freed. */
static bool try_retain(struct sp_socket *socket)
{
    unsigned references = atomic_load(&socket->references);

    while (references > 0) {
        if (atomic_compare_exchange_weak(&socket->references, &references, references + 1))
            return true;
    }
    return false;
}

struct sp_socket *sp_loop_next_socket(struct nn_loop *self)
{
    struct sp_socket *found = NULL;

    sp_mutex_lock(&self->base.lock);
    for (struct sp_list_item *item = sp_list_first(&self->sockets); item != NULL && found == NULL;
         item = sp_list_next(&self->sockets, item)) {
        struct sp_socket *socket = SP_CONTAINER(item, struct sp_socket, loop_item);
        if (try_retain(socket))
            found = socket;
    }
    if (found != NULL) {
        /* To the end, so that a socket that another thread still uses does not hide the others. */
        sp_list_remove(&found->loop_item);
        sp_list_append(&self->sockets, &found->loop_item);
    }
    sp_mutex_unlock(&self->base.lock);
    return found;
}

/* ---- The engine's own loop ---- */

static struct {
    pthread_mutex_t lock;
    struct nn_loop *loop;
    pthread_t thread;
    struct nn_loop *left_behind; /* the parent's, in a forked child */
    atomic_bool is_stopping;
    atomic_bool is_leaving; /* a thread that ends the program sees to what is held */
} engine = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* In a forked child, which has no such thread. */
static void engine_leave(void)
{
    pthread_mutex_init(&engine.lock, NULL);
    engine.left_behind = engine.loop;
    engine.loop = NULL;
    atomic_store(&engine.is_leaving, false);
}

static void engine_init(void)
{
    sp_fork_at_child(engine_leave);
    sp_engine_leave_before_others();
}

static void *engine_main(void *loop)
{
    struct nn_loop *self = loop;

    while (!atomic_load(&engine.is_stopping) || has_sockets(self))
        sp_loop_run(&self->base, ENGINE_BUDGET_EVENTS, -1);
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
    int rc = loop_host_create(&loop);

    if (rc < 0)
        return rc;
    atomic_store(&engine.is_stopping, false);
    rc = thread_create_without_signals(&engine.thread, engine_main, loop);
    if (rc < 0) {
        loop_host_free(loop);
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
        loop_host_free(loop);
    }
    pthread_mutex_unlock(&engine.lock);
}

/* ---- The program's end ---- */

/* The lock is not waited for without limit: exit may be called by a signal's handler, within a call that has it. */
#define EXIT_LOCK_LIMIT_MS 100
/* What another thread that ends the program takes at most, with room for a machine that is busy. */
#define EXIT_LIMIT_MS 3000

static bool wait_until(bool (*is_done)(void), int limit_ms)
{
    struct timespec pause = {.tv_nsec = SP_NS_PER_MS};
    sp_time_ns deadline_ns = sp_deadline_after_ms(limit_ms);

    while (!is_done()) {
        if (sp_now_ns() >= deadline_ns)
            return false;
        nanosleep(&pause, NULL);
    }
    return true;
}

static bool try_lock_engine(void)
{
    return pthread_mutex_trylock(&engine.lock) == 0;
}

static bool has_left(void)
{
    return !atomic_load(&engine.is_leaving);
}

/* Some C libraries let several threads end the program at the same time, and the one that finds nothing left to call
 * does end it: it must wait for the one that delivers. */
static void engine_end(void (*end)(struct nn_loop *loop))
{
    static _Thread_local bool is_here;

    if (is_here)
        return; /* exit() within exit(), as by a signal's handler */
    if (atomic_exchange(&engine.is_leaving, true)) {
        wait_until(has_left, EXIT_LIMIT_MS);
        return;
    }
    is_here = true;
    if (wait_until(try_lock_engine, EXIT_LOCK_LIMIT_MS)) {
        if (engine.loop != NULL)
            end(engine.loop);
        pthread_mutex_unlock(&engine.lock);
    }
    is_here = false;
    atomic_store(&engine.is_leaving, false);
}

void sp_engine_leave(void)
{
    engine_end(sp_loop_leave);
}

void sp_engine_pass_locks(void)
{
    engine_end(sp_loop_pass_locks);
}

void sp_engine_leave_before_others(void)
{
    /* Twice: a second thread in exit() takes the second one, and waits in it. Failing for want of memory leaves the
     * destructor. */
    atexit(sp_engine_leave);
    atexit(sp_engine_leave);
}

static void leave_and_finish(struct nn_loop *loop)
{
    sp_loop_leave(loop);
    sp_loop_finish(loop);
}

/* Last of all: what handlers of the program have sent is delivered, too. */
__attribute__((destructor)) static void engine_at_exit(void)
{
    engine_end(leave_and_finish);
}

/* ---- Loops of hosts ---- */

struct nn_loop *nn_loop_create(const struct nn_slab_source *slabs)
{
    struct nn_loop *self;
    int rc = loop_host_create(&self);

    if (rc < 0) {
        errno = -rc;
        return NULL;
    }
    self->is_hosted = true;
    if (slabs != NULL)
        self->source = *slabs;
    return self;
}

bool sp_loop_host_is_left_behind(const struct nn_loop *self)
{
    return self->fork_depth != sp_fork_depth();
}

/* Closes a socket without linger, and gives back the caller's reference. */
static void socket_end(struct sp_socket *socket)
{
    sp_socket_close_this(socket);
    sp_socket_lock(socket);
    sp_socket_abandon(socket);
    sp_socket_unlock(socket);
    sp_socket_release_reference(socket);
}

void nn_loop_destroy(struct nn_loop *self)
{
    struct sp_socket *socket;
    void *user;
    int events;

    if (sp_loop_host_is_left_behind(self))
        return;
    while (has_sockets(self)) {
        if ((socket = sp_loop_next_socket(self)) != NULL)
            socket_end(socket);
        while (nn_loop_next_ready(self, &user, &events)) {
        }
        sp_loop_run(&self->base, ENGINE_BUDGET_EVENTS, 1);
    }
    loop_host_free(self);
}

int nn_loop_descriptor(const struct nn_loop *self)
{
    return self->base.poller.fd;
}

int nn_loop_run(struct nn_loop *self, int budget_events)
{
    int handled = 0;
    int count;

    if (sp_loop_host_is_left_behind(self))
        return 0;
    do {
        count = sp_loop_run(&self->base, budget_events - handled, 0);
        handled += count;
    } while (count == ENGINE_BUDGET_EVENTS && handled < budget_events);

    sp_mutex_lock(&self->base.lock);
    int ready = 0;
    for (struct sp_list_item *item = sp_list_first(&self->ready); item != NULL; item = sp_list_next(&self->ready, item))
        ready++;
    sp_mutex_unlock(&self->base.lock);
    return ready;
}

int sp_report_add(struct nn_loop *loop, struct sp_report *report, int events)
{
    sp_mutex_lock(&loop->base.lock);
    int added = events & ~report->events;
    if (report->events == 0 && added != 0)
        sp_list_append(&loop->ready, &report->item);
    report->events |= added;
    sp_mutex_unlock(&loop->base.lock);
    return added;
}

void sp_report_withdraw(struct nn_loop *loop, struct sp_report *report)
{
    sp_mutex_lock(&loop->base.lock);
    if (report->events != 0)
        sp_list_remove(&report->item);
    report->events = 0;
    sp_mutex_unlock(&loop->base.lock);
}

int nn_loop_next_ready(struct nn_loop *self, void **user, int *events)
{
    struct sp_report *report = NULL;
    void (*taken)(struct sp_report *, int) = NULL;

    if (sp_loop_host_is_left_behind(self))
        return 0;
    sp_mutex_lock(&self->base.lock);
    struct sp_list_item *item = sp_list_pop(&self->ready);
    if (item != NULL) {
        report = SP_CONTAINER(item, struct sp_report, item);
        taken = report->taken;
        *user = report->user;
        *events = report->events;
        report->events = 0;
    }
    sp_mutex_unlock(&self->base.lock);

    if (taken != NULL)
        taken(report, *events);
    return report != NULL;
}

bool nn_loop_is_lingering(struct nn_loop *self)
{
    bool result = false;

    if (sp_loop_host_is_left_behind(self))
        return false;
    sp_mutex_lock(&self->base.lock);
    for (struct sp_list_item *item = sp_list_first(&self->sockets); item != NULL && !result;
         item = sp_list_next(&self->sockets, item))
        result = atomic_load(&SP_CONTAINER(item, struct sp_socket, loop_item)->is_delivering);
    sp_mutex_unlock(&self->base.lock);
    return result;
}

/* ---- Slabs ---- */

/* What the release of a host's slab needs to know; outlives the loop. */
struct host_slab {
    struct nn_slab_source source;
    uint32_t token;
};

static void host_slab_release(void *bytes, void *context)
{
    struct host_slab *self = context;

    (void)bytes;
    self->source.release(self->source.context, self->token);
    sp_free(self);
}

static struct nn_chunk *host_slab_create(const struct nn_slab_source *source)
{
    struct host_slab *slab = sp_alloc(sizeof *slab);
    struct nn_chunk *chunk = NULL;

    if (slab == NULL)
        return NULL;
    slab->source = *source;
    void *bytes = source->acquire(source->context, SLAB_BYTES, &slab->token);
    if (bytes == NULL) {
        sp_free(slab);
        return NULL;
    }
    chunk = nn_chunk_adopt(bytes, SLAB_BYTES, host_slab_release, slab);
    if (chunk == NULL) {
        host_slab_release(bytes, slab);
        return NULL;
    }
    chunk->is_in_slab = true;
    chunk->slab_token = slab->token;
    chunk->slab_context = source->context;
    return chunk;
}

static size_t slab_room(const struct sp_slab *slab)
{
    return slab->chunk != NULL ? slab->chunk->capacity_bytes - slab->used_bytes : 0;
}

/* Whether the engine may read into what is left of the slab. On a host's loop its own memory is second choice. */
static bool slab_is_fit(const struct nn_slab_source *source, const struct sp_slab *slab, size_t least_room_bytes)
{
    if (slab_room(slab) < least_room_bytes)
        return false;
    if (source->acquire == NULL)
        return true;
    return slab->chunk->is_in_slab &&
           (source->may_fill == NULL || source->may_fill(source->context, slab->chunk->slab_token));
}

int sp_slab_take(struct nn_loop *loop, struct sp_slab *slab, size_t least_room_bytes)
{
    struct nn_chunk *made = NULL;

    sp_mutex_lock(&loop->base.lock);
    *slab = loop->spare;
    loop->spare = (struct sp_slab){0};
    sp_mutex_unlock(&loop->base.lock);

    if (slab_is_fit(&loop->source, slab, least_room_bytes))
        return 0;
    if (loop->source.acquire != NULL)
        made = host_slab_create(&loop->source);
    if (made == NULL && slab_room(slab) >= least_room_bytes && !slab->chunk->is_in_slab)
        return 0;
    if (slab->chunk != NULL)
        sp_chunk_release(slab->chunk);
    *slab = (struct sp_slab){.chunk = made != NULL ? made : sp_chunk_create(SLAB_BYTES)};
    return slab->chunk != NULL ? 0 : -ENOMEM;
}

void sp_slab_give(struct nn_loop *loop, struct sp_slab *slab)
{
    struct nn_chunk *unused;

    /* Nobody views our own memory any more: it is fresh again. A host's may be viewed without our knowing. */
    if (!slab->chunk->is_in_slab && !sp_chunk_is_shared(slab->chunk))
        slab->used_bytes = 0;

    sp_mutex_lock(&loop->base.lock);
    if (slab_room(slab) > slab_room(&loop->spare)) {
        unused = loop->spare.chunk;
        loop->spare = *slab;
    } else {
        unused = slab->chunk;
    }
    sp_mutex_unlock(&loop->base.lock);

    if (unused != NULL)
        sp_chunk_release(unused);
    *slab = (struct sp_slab){0};
}
