/* What endpoints of transports wait for: descriptors, deadlines, news from other threads and sockets, the end of
 * linger. Handlers run under the socket's lock, which is taken here. Each handle keeps its endpoint. */
#include "core/socket_settle.h"
#include "core/socket_state.h"
#include "core/transport.h"
#include "util/invariant.h"
#include "util/memory.h"

#include <errno.h>

/* A handle that is closed may still be named by an event of the current batch: its memory waits for the end. The socket
 * outlives that, for its own memory goes the same way later. */
struct handle {
    struct sp_task release; /* first */
    struct sp_socket *socket;
    struct nn_endpoint *endpoint; /* NULL once it is closed; guarded by the socket */
    void *context;
};

static void handle_free(struct sp_task *task)
{
    sp_free(task);
}

static void handle_init(struct handle *self, struct nn_endpoint *endpoint, void *context)
{
    self->release.run = handle_free;
    self->socket = endpoint->socket;
    self->endpoint = endpoint;
    self->context = context;
    endpoint->users++;
}

static void handle_close(struct handle *self)
{
    struct nn_endpoint *endpoint = self->endpoint;

    SP_INVARIANT(endpoint != NULL, "a watch, a timer or a linger is closed twice");
    self->endpoint = NULL;
    sp_loop_discard(&self->socket->loop->base, &self->release);
    sp_endpoint_release(endpoint);
}

/* ---- Watches ---- */

struct nn_watch {
    struct handle base; /* first */
    struct sp_watch watch;
    int wanted;
    void (*handle)(void *context, int events);
};

static void watch_handle(struct sp_watch *watch, unsigned ready)
{
    struct nn_watch *self = SP_CONTAINER(watch, struct nn_watch, watch);
    struct sp_socket *socket = self->base.socket;
    int events = 0;

    if (ready & (SP_READABLE | SP_HANGUP))
        events |= NN_POLLIN;
    if (ready & (SP_WRITABLE | SP_HANGUP))
        events |= NN_POLLOUT;

    sp_socket_lock(socket);
    events &= self->wanted; /* it may have changed since the event */
    if (self->base.endpoint != NULL && events != 0)
        self->handle(self->base.context, events);
    sp_socket_unlock(socket);
}

struct nn_watch *nn_watch_open(struct nn_endpoint *endpoint, int fd, void (*handle)(void *context, int events),
                               void *context)
{
    struct nn_watch *self = sp_zalloc(sizeof *self);

    if (self == NULL)
        return NULL;
    handle_init(&self->base, endpoint, context);
    self->handle = handle;
    sp_watch_init(&self->watch, &endpoint->socket->loop->base, fd, watch_handle);
    return self;
}

int nn_watch_want(struct nn_watch *self, int events)
{
    unsigned wanted = 0;

    if (events & NN_POLLIN)
        wanted |= SP_READABLE;
    if (events & NN_POLLOUT)
        wanted |= SP_WRITABLE;
    int rc = sp_watch_want(&self->watch, wanted);
    if (rc == 0)
        self->wanted = events;
    return rc;
}

void nn_watch_close(struct nn_watch *self)
{
    nn_watch_want(self, 0);
    handle_close(&self->base);
}

/* ---- Timers ---- */

struct nn_timer {
    struct handle base; /* first */
    struct sp_timer timer;
    void (*handle)(void *context);
};

static void timer_handle(struct sp_timer *timer)
{
    struct nn_timer *self = SP_CONTAINER(timer, struct nn_timer, timer);
    struct sp_socket *socket = self->base.socket;

    sp_socket_lock(socket);
    if (self->base.endpoint != NULL && sp_timer_is_due(timer))
        self->handle(self->base.context);
    sp_socket_unlock(socket);
}

struct nn_timer *nn_timer_open(struct nn_endpoint *endpoint, void (*handle)(void *context), void *context)
{
    struct nn_timer *self = sp_zalloc(sizeof *self);

    if (self == NULL)
        return NULL;
    if (sp_timer_init(&self->timer, &endpoint->socket->loop->base, timer_handle) < 0) {
        sp_free(self);
        return NULL;
    }
    handle_init(&self->base, endpoint, context);
    self->handle = handle;
    return self;
}

void nn_timer_start(struct nn_timer *self, int delay_ms)
{
    sp_timer_start(&self->timer, sp_deadline_after_ms(delay_ms));
}

void nn_timer_stop(struct nn_timer *self)
{
    sp_timer_stop(&self->timer);
}

void nn_timer_close(struct nn_timer *self)
{
    sp_timer_destroy(&self->timer);
    handle_close(&self->base);
}

/* ---- Signals ---- */

/* Known to other threads and sockets, and therefore counted: its owner's reference, and one for a raise that is under
 * way. It keeps the socket's memory, but not the endpoint once it is closed. */
struct nn_signal {
    struct sp_task task; /* first */
    atomic_uint references;
    atomic_bool is_raised; /* the task is on its way: later news will be seen by it too */
    struct sp_socket *socket;
    struct nn_endpoint *endpoint; /* NULL once it is closed; guarded by the socket */
    void (*handle)(void *context);
    void *context;
};

static void signal_release(struct nn_signal *self)
{
    struct sp_socket *socket = self->socket;
    unsigned before = atomic_fetch_sub(&self->references, 1);

    SP_INVARIANT(before > 0, "a signal without references is released");
    if (before > 1)
        return;
    sp_free(self);
    sp_socket_release_reference(socket);
}

static void signal_run(struct sp_task *task)
{
    struct nn_signal *self = SP_CONTAINER(task, struct nn_signal, task);
    struct sp_socket *socket = self->socket;

    atomic_store(&self->is_raised, false);
    sp_socket_lock(socket);
    if (self->endpoint != NULL)
        self->handle(self->context);
    sp_socket_unlock(socket);
    signal_release(self);
}

struct nn_signal *nn_signal_open(struct nn_endpoint *endpoint, void (*handle)(void *context), void *context)
{
    struct nn_signal *self = sp_zalloc(sizeof *self);

    if (self == NULL)
        return NULL;
    self->task.run = signal_run;
    atomic_init(&self->references, 1);
    atomic_init(&self->is_raised, false);
    self->socket = endpoint->socket;
    self->endpoint = endpoint;
    self->handle = handle;
    self->context = context;
    sp_socket_retain(self->socket);
    endpoint->users++;
    return self;
}

void nn_signal_raise(struct nn_signal *self, struct nn_endpoint *from)
{
    if (atomic_exchange(&self->is_raised, true))
        return;
    atomic_fetch_add(&self->references, 1);
    if (from != NULL)
        sp_socket_defer(from->socket, &self->task);
    else
        sp_loop_post(&self->socket->loop->base, &self->task);
}

void nn_signal_close(struct nn_signal *self)
{
    struct nn_endpoint *endpoint = self->endpoint;

    SP_INVARIANT(endpoint != NULL, "a signal is closed twice");
    self->endpoint = NULL;
    sp_endpoint_release(endpoint);
    signal_release(self);
}

/* ---- Linger ---- */

struct nn_linger {
    struct handle base; /* first */
    struct sp_linger linger;
    struct sp_timer limit;
    void (*abandon)(void *context);
};

static void linger_close(struct nn_linger *self)
{
    sp_list_remove(&self->linger.item);
    sp_timer_destroy(&self->limit);
    handle_close(&self->base);
}

static void linger_abandon(struct sp_linger *linger)
{
    struct nn_linger *self = SP_CONTAINER(linger, struct nn_linger, linger);

    self->abandon(self->base.context);
    linger_close(self);
}

static void linger_handle_limit(struct sp_timer *timer)
{
    struct nn_linger *self = SP_CONTAINER(timer, struct nn_linger, limit);
    struct sp_socket *socket = self->base.socket;

    sp_socket_lock(socket);
    if (self->base.endpoint != NULL && sp_timer_is_due(timer))
        linger_abandon(&self->linger);
    sp_socket_unlock(socket);
}

struct nn_linger *nn_linger_begin(struct nn_endpoint *endpoint, void (*abandon)(void *context), void *context)
{
    struct sp_socket *socket = endpoint->socket;
    struct nn_linger *self = sp_zalloc(sizeof *self);

    if (self == NULL)
        return NULL;
    if (sp_timer_init(&self->limit, &socket->loop->base, linger_handle_limit) < 0) {
        sp_free(self);
        return NULL;
    }
    handle_init(&self->base, endpoint, context);
    self->abandon = abandon;
    self->linger.abandon = linger_abandon;
    sp_list_append(&socket->lingering, &self->linger.item);
    sp_timer_start(&self->limit, sp_deadline_after_ms(socket->options.linger_ms));
    return self;
}

void nn_linger_end(struct nn_linger *self)
{
    linger_close(self);
}
