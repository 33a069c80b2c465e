/* The life of a socket: opening, what happens when its lock is left, closing with linger, termination. */
#include "core/socket.h"

#include "message/chunk.h"
#include "core/registry.h"
#include "core/socket_internal.h"
#include "core/socket_table.h"

#include "util/fork.h"
#include "util/invariant.h"
#include "util/memory.h"

#include <errno.h>
#include <unistd.h>

/* ---- Process-wide state ---- */

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
static void process_leave(void)
{
    pthread_mutex_init(&process.lock, NULL);
    process_init_condition();
    process.engine_sockets = 0;
}

static void process_init(void)
{
    process_init_condition();
    sp_fork_at_child(process_leave);
}

static void process_count_socket(int change)
{
    pthread_mutex_lock(&process.lock);
    process.engine_sockets += change;
    pthread_cond_broadcast(&process.changed);
    pthread_mutex_unlock(&process.lock);
}

/* Counts a socket in before anything is made for it, so that the engine's loop stays while it is opened. */
static int process_admit_socket(bool is_counted)
{
    pthread_mutex_lock(&process.lock);
    process.is_used = true;
    int rc = process.is_terminated ? -ETERM : 0;
    if (rc == 0 && is_counted)
        process.engine_sockets++;
    pthread_mutex_unlock(&process.lock);
    return rc;
}

static bool process_is_terminated(void)
{
    pthread_mutex_lock(&process.lock);
    bool result = process.is_terminated;
    pthread_mutex_unlock(&process.lock);
    return result;
}

/* ---- References ---- */

void sp_socket_retain(struct sp_socket *self)
{
    unsigned before = atomic_fetch_add(&self->references, 1);

    SP_INVARIANT(before > 0, "a socket without references is retained");
}

static void socket_free(struct sp_task *task)
{
    struct sp_socket *self = SP_CONTAINER(task, struct sp_socket, release);
    struct nn_loop *loop = self->loop;
    bool is_hosted = loop->is_hosted;

    sp_timer_destroy(&self->protocol_timer);
    sp_timer_destroy(&self->linger_timer);
    sp_mutex_destroy(&self->lock);
    sp_mutex_lock(&loop->base.lock);
    sp_list_remove(&self->loop_item);
    sp_mutex_unlock(&loop->base.lock);
    sp_options_clear(&self->options);
    sp_id_map_destroy(&self->pipes_by_id);
    sp_free(self);
    if (!is_hosted)
        process_count_socket(-1);
}

void sp_socket_release_reference(struct sp_socket *self)
{
    unsigned before = atomic_fetch_sub(&self->references, 1);

    SP_INVARIANT(before > 0, "a socket without references is released");
    if (before == 1)
        sp_loop_discard(&self->loop->base, &self->release);
}

/* ---- Opening ---- */

static void protocol_timer_handle(struct sp_timer *timer)
{
    struct sp_socket *self = SP_CONTAINER(timer, struct sp_socket, protocol_timer);

    sp_socket_lock(self);
    if (self->state != SP_SOCKET_CLOSED && sp_timer_is_due(timer))
        self->protocol->timer(self->instance);
    sp_socket_unlock(self);
}

static void linger_timer_handle(struct sp_timer *timer)
{
    struct sp_socket *self = SP_CONTAINER(timer, struct sp_socket, linger_timer);

    sp_socket_lock(self);
    if (sp_timer_is_due(timer))
        sp_socket_abandon(self);
    sp_socket_unlock(self);
}

static void socket_init_lists(struct sp_socket *self)
{
    sp_list_init(&self->endpoints);
    sp_list_init(&self->pipes);
    sp_id_map_init(&self->pipes_by_id);
    sp_list_init(&self->broken);
    sp_list_init(&self->mute);
    sp_list_init(&self->dirty);
    sp_list_init(&self->lingering);
    sp_list_init(&self->waits);
    sp_list_init(&self->errands);
    sp_event_fd_init(&self->receive_fd);
    sp_event_fd_init(&self->send_fd);
}

/* Makes the protocol's part. Returns 0 or -errno and nothing to undo. */
static int socket_open_protocol(struct sp_socket *self)
{
    int rc = 0;

    self->instance = sp_zalloc(self->protocol->socket_bytes);
    if (self->instance == NULL)
        return -ENOMEM;
    self->instance->socket = self;
    self->instance->protocol = self->protocol;
    if (self->protocol->open != NULL)
        rc = self->protocol->open(self->instance);
    if (rc < 0)
        sp_free(self->instance);
    return rc;
}

static void report_taken(struct sp_report *report, int events)
{
    if (events & NN_LOOP_CLOSED)
        sp_socket_release_reference(SP_CONTAINER(report, struct sp_socket, report));
}

static int socket_create(struct nn_loop *loop, const struct nn_protocol *protocol, void *user, struct sp_socket **out)
{
    struct sp_socket *self = sp_zalloc(sizeof *self);
    int rc;

    if (self == NULL)
        return -ENOMEM;
    self->loop = loop;
    self->protocol = protocol;
    self->report.user = user;
    self->report.taken = report_taken;
    self->release.run = socket_free;
    atomic_init(&self->references, 1); /* until it is closed for good */
    sp_options_init(&self->options);
    socket_init_lists(self);
    sp_burst_init(&self->burst);

    /* A protocol may start its timer when it opens: the loop's thread waits until it has. */
    sp_mutex_init(&self->lock, SP_RANK_SOCKET);
    sp_mutex_lock(&self->lock);
    if ((rc = sp_timer_init(&self->protocol_timer, &loop->base, protocol_timer_handle)) < 0)
        goto fail;
    if ((rc = sp_timer_init(&self->linger_timer, &loop->base, linger_timer_handle)) < 0)
        goto fail;
    if ((rc = socket_open_protocol(self)) < 0)
        goto fail;
    self->events = protocol->events(self->instance);
    sp_mutex_unlock(&self->lock);
    *out = self;
    return 0;

fail:
    sp_mutex_unlock(&self->lock);
    sp_timer_destroy(&self->protocol_timer);
    sp_timer_destroy(&self->linger_timer);
    sp_mutex_destroy(&self->lock);
    sp_free(self);
    return rc;
}

/* Undoes socket_create for a socket that nobody has seen. */
static void socket_discard_unseen(struct sp_socket *self)
{
    if (self->protocol->close != NULL)
        self->protocol->close(self->instance);
    sp_free(self->instance);
    sp_timer_destroy(&self->protocol_timer);
    sp_timer_destroy(&self->linger_timer);
    sp_mutex_destroy(&self->lock);
    sp_free(self);
}

/* Opens a socket that the process has admitted; returns its descriptor or -errno. */
static int socket_open(struct nn_loop *loop, int domain, int protocol_id, void *user)
{
    struct sp_socket *self;
    bool has_domain;
    int rc = 0;

    const struct nn_protocol *protocol = sp_registry_protocol(domain, protocol_id, &has_domain);
    if (protocol == NULL)
        return has_domain ? -EINVAL : -EAFNOSUPPORT;

    if (loop != NULL && sp_loop_host_is_left_behind(loop))
        return -EBADF;
    if (loop == NULL && (rc = sp_engine_loop(&loop)) < 0)
        return rc;
    if ((rc = socket_create(loop, protocol, user, &self)) < 0)
        return rc;

    sp_mutex_lock(&loop->base.lock);
    sp_list_append(&loop->sockets, &self->loop_item);
    sp_mutex_unlock(&loop->base.lock);

    rc = sp_table_insert(self);
    if (rc < 0) {
        sp_mutex_lock(&loop->base.lock);
        sp_list_remove(&self->loop_item);
        sp_mutex_unlock(&loop->base.lock);
        socket_discard_unseen(self);
    }
    return rc;
}

int sp_socket_open(struct nn_loop *loop, int domain, int protocol_id, void *user)
{
    bool is_counted = loop == NULL;

    pthread_once(&process_once, process_init);
    int rc = process_admit_socket(is_counted);
    if (rc < 0)
        return rc;
    int s = socket_open(loop, domain, protocol_id, user);
    if (s < 0) {
        if (is_counted)
            process_count_socket(-1);
        return s;
    }
    /* A termination that has begun meanwhile may have looked at this descriptor before it was one. */
    if (process_is_terminated()) {
        sp_socket_close(s);
        return -ETERM;
    }
    return s;
}

const struct nn_protocol *sp_socket_protocol(const struct sp_socket *self)
{
    return self->protocol;
}

/* ---- Leaving the lock ---- */

/* Sends what batches left behind, oldest first, as far as peers take it. */
static void socket_send_queued(struct sp_socket *self)
{
    struct nn_message *message;

    self->is_corked = true;
    while ((message = sp_message_queue_first(&self->queue)) != NULL) {
        size_t bytes = sp_message_bytes(message);
        int rc = self->protocol->send(self->instance, message);
        if (rc == -EAGAIN || rc == -ENOMEM)
            break;
        if (rc < 0)
            nn_message_free(message); /* the protocol will never take it, as after a change of its state */
        sp_message_queue_forget_first(&self->queue, bytes);
    }
    self->is_corked = false;
}

static void socket_flush(struct sp_socket *self)
{
    struct sp_list_item *item;

    while ((item = sp_list_pop(&self->dirty)) != NULL) {
        struct nn_pipe *pipe = SP_CONTAINER(item, struct nn_pipe, dirty_item);
        pipe->ops->flush(pipe);
    }
}

static void socket_tell_mute(struct sp_socket *self)
{
    const struct nn_protocol *protocol = self->protocol;
    struct sp_list_item *item;

    while ((item = sp_list_pop(&self->mute)) != NULL)
        if (protocol->version >= 2 && protocol->pipe_sending_ended != NULL)
            protocol->pipe_sending_ended(self->instance, SP_CONTAINER(item, struct nn_pipe, mute_item));
}

static void socket_remove_broken(struct sp_socket *self)
{
    struct sp_list_item *item;

    while ((item = sp_list_first(&self->broken)) != NULL)
        sp_pipe_close(SP_CONTAINER(item, struct nn_pipe, broken_item), false);
}

static void socket_close_endpoints(struct sp_socket *self)
{
    struct sp_list_item *item = sp_list_first(&self->endpoints);

    while (item != NULL) {
        struct nn_endpoint *endpoint = SP_CONTAINER(item, struct nn_endpoint, item);
        item = sp_list_next(&self->endpoints, item);
        if (!endpoint->is_closed)
            sp_endpoint_close(endpoint);
    }
}

void sp_socket_report(struct sp_socket *self, int events)
{
    struct sp_loop *loop = &self->loop->base;

    if (!self->loop->is_hosted)
        return;
    if (events & NN_LOOP_CLOSED)
        sp_socket_retain(self); /* until the report is taken */
    int added = sp_report_add(self->loop, &self->report, events);
    if (events & ~added & NN_LOOP_CLOSED)
        sp_socket_release_reference(self); /* it is reported already */
    /* Receiving a request makes a socket writable that could not answer before: its host, which is about to answer,
     * need not be woken for that. */
    bool can_wait = self->is_taking && events == NN_POLLOUT && !self->is_refused;
    if (!can_wait && !sp_loop_is_running_here(loop))
        sp_loop_wake(loop);
}

/* Nothing is left to deliver: what remains is memory. */
static void socket_finish(struct sp_socket *self)
{
    self->state = SP_SOCKET_CLOSED;
    sp_timer_stop(&self->protocol_timer);
    sp_timer_stop(&self->linger_timer);
    if (self->protocol->close != NULL)
        self->protocol->close(self->instance);
    sp_free(self->instance);
    self->instance = NULL;
    sp_message_queue_clear(&self->queue);
    if (self->spare_buffer != NULL)
        sp_chunk_release(self->spare_buffer);
    self->spare_buffer = NULL;
    atomic_store(&self->is_delivering, false);
    self->is_finished = true;
    sp_socket_report(self, NN_LOOP_CLOSED);
}

static void socket_continue_closing(struct sp_socket *self)
{
    if (self->queue.count > 0)
        return;
    socket_close_endpoints(self);
    if (sp_list_is_empty(&self->endpoints) && sp_list_is_empty(&self->lingering) && sp_list_is_empty(&self->pipes))
        socket_finish(self);
}

/* One is woken when the lock is left, which it wants to take; there seldom are others. */
static void socket_wake_later(struct sp_socket *self, struct sp_waiter *waiter)
{
    if (self->woken != NULL) {
        sp_waiter_wake(waiter);
        return;
    }
    sp_waiter_retain(waiter);
    self->woken = waiter;
}

static void socket_wake(struct sp_socket *self, int events)
{
    for (struct sp_list_item *item = sp_list_first(&self->waits); item != NULL;
         item = sp_list_next(&self->waits, item)) {
        struct sp_wait *wait = SP_CONTAINER(item, struct sp_wait, item);
        if (wait->events & events)
            socket_wake_later(self, wait->waiter);
    }
}

static void socket_update_events(struct sp_socket *self, int events)
{
    int rose = events & ~self->events;

    if (events == self->events)
        return;
    self->events = events;
    sp_event_fd_set(&self->receive_fd, events & NN_POLLIN);
    sp_event_fd_set(&self->send_fd, events & NN_POLLOUT);
    if (rose != 0) {
        socket_wake(self, rose);
        sp_socket_report(self, rose);
        if (rose & NN_POLLOUT)
            self->is_refused = false;
    }
}

/* Pipes have ended, wholly or in part. */
static bool has_ends_left(const struct sp_socket *self)
{
    return !sp_list_is_empty(&self->broken) || !sp_list_is_empty(&self->mute);
}

/* Does what is left to do until nothing is. Asking a protocol for its events is part of that: it may look for the next
 * message, which reads on, answers what the framing is asked, and meets the ends of connections. */
static void socket_settle(struct sp_socket *self)
{
    int events = 0;

    do {
        if (self->queue.count > 0)
            socket_send_queued(self);
        self->is_corked = false;
        socket_flush(self);
        socket_remove_broken(self);
        socket_tell_mute(self);
        if (self->state == SP_SOCKET_CLOSING)
            socket_continue_closing(self);
        if (self->state == SP_SOCKET_OPEN)
            events = sp_socket_current_events(self);
    } while (!sp_list_is_empty(&self->dirty) || has_ends_left(self));

    if (self->state == SP_SOCKET_OPEN)
        socket_update_events(self, events);
}

/* What is dirty now stays so until the engine's thread comes round. */
static void socket_hold(struct sp_socket *self)
{
    self->is_corked = false;
    int events = sp_socket_current_events(self);
    if (has_ends_left(self)) {
        socket_settle(self);
        return;
    }
    if (!sp_list_is_empty(&self->dirty))
        sp_burst_ask(self);
    socket_update_events(self, events);
}

/* The errands of this thread that still have to run; an errand that ends by leaving another socket's lock adds
 * to them instead of recursing. */
static _Thread_local struct sp_list *errands_here;

static void errands_run(struct sp_list *errands)
{
    struct sp_list_item *item;

    if (errands_here != NULL) {
        sp_list_move(errands_here, errands);
        return;
    }
    errands_here = errands;
    while ((item = sp_list_pop(errands)) != NULL) {
        struct sp_task *errand = SP_CONTAINER(item, struct sp_task, item);
        errand->run(errand);
    }
    errands_here = NULL;
}

void sp_socket_add_errand(struct sp_socket *self, struct sp_task *errand)
{
    sp_list_append(&self->errands, &errand->item);
}

void sp_socket_unlock(struct sp_socket *self)
{
    struct sp_list errands;
    bool has_errands;
    bool is_finished;

    if (self->burst.is_held && self->state == SP_SOCKET_OPEN && !has_ends_left(self))
        socket_hold(self);
    else if (self->state != SP_SOCKET_CLOSED)
        socket_settle(self);
    SP_INVARIANT(!has_ends_left(self), "a lock is left with broken pipes");
    self->burst.is_held = false;
    self->is_taking = false;
    has_errands = !sp_list_is_empty(&self->errands);
    if (has_errands) {
        sp_list_init(&errands);
        sp_list_move(&errands, &self->errands);
    }
    is_finished = self->is_finished;
    self->is_finished = false;
    struct sp_waiter *woken = self->woken;
    self->woken = NULL;
    sp_mutex_unlock(&self->lock);

    if (woken != NULL) {
        sp_waiter_wake(woken);
        sp_waiter_release(woken);
    }
    if (has_errands)
        errands_run(&errands);
    if (is_finished)
        sp_socket_release_reference(self);
}

/* ---- Closing ---- */

void sp_socket_abandon(struct sp_socket *self)
{
    struct sp_list_item *item;

    if (self->state == SP_SOCKET_CLOSED)
        return;
    sp_message_queue_clear(&self->queue);
    self->options.linger_ms = 0;
    socket_close_endpoints(self);
    while ((item = sp_list_first(&self->lingering)) != NULL) {
        struct sp_linger *linger = SP_CONTAINER(item, struct sp_linger, item);
        linger->abandon(linger);
    }
}

/* Gives up the socket after its descriptor is gone. */
static void socket_begin_closing(struct sp_socket *self)
{
    sp_socket_lock(self);
    self->state = SP_SOCKET_CLOSING;
    atomic_store(&self->is_delivering, true);
    sp_monitor_switch(self, false); /* nobody can ask for events any more */
    socket_wake(self, NN_POLLIN | NN_POLLOUT | NN_LOOP_CLOSED);
    sp_socket_report(self, NN_POLLIN | NN_POLLOUT);
    sp_event_fd_set(&self->receive_fd, true);
    sp_event_fd_set(&self->send_fd, true);
    sp_event_fd_close(&self->receive_fd);
    sp_event_fd_close(&self->send_fd);
    if (self->options.linger_ms == 0)
        sp_socket_abandon(self);
    else if (self->options.linger_ms > 0)
        sp_timer_start(&self->linger_timer, sp_deadline_after_ms(self->options.linger_ms));
    sp_socket_unlock(self);
}

int sp_socket_close(int s)
{
    struct sp_socket *self;
    int rc = sp_table_remove(s, &self);

    if (rc < 0)
        return rc;
    socket_begin_closing(self);
    sp_socket_release(self);
    return 0;
}

void sp_socket_close_this(struct sp_socket *self)
{
    if (sp_table_remove_this(self) < 0)
        return;
    socket_begin_closing(self);
    sp_socket_release(self);
}

int sp_socket_handle(int s)
{
    struct sp_socket *self;
    int rc = sp_socket_acquire(s, &self);

    if (rc < 0)
        return rc;
    rc = sp_table_handle(self);
    sp_socket_release(self);
    return rc;
}

/* ---- Termination ---- */

/* A linger without limit must not make termination one. */
#define TERMINATE_LIMIT_MS 10000

static void process_wait_for_sockets(void)
{
    sp_time_ns deadline_ns = sp_deadline_after_ms(TERMINATE_LIMIT_MS);
    struct timespec until = {.tv_sec = (time_t)(deadline_ns / 1000000000u),
                             .tv_nsec = (long)(deadline_ns % 1000000000u)};

    pthread_mutex_lock(&process.lock);
    while (process.engine_sockets > 0) {
        if (pthread_cond_timedwait(&process.changed, &process.lock, &until) == ETIMEDOUT)
            break;
    }
    bool is_done = process.engine_sockets == 0;
    pthread_mutex_unlock(&process.lock);
    if (is_done)
        sp_engine_stop();
}

void sp_terminate(void)
{
    pthread_once(&process_once, process_init);
    pthread_mutex_lock(&process.lock);
    bool is_used = process.is_used;
    process.is_terminated = is_used;
    pthread_mutex_unlock(&process.lock);
    if (!is_used)
        return;

    for (int s = 0; s < sp_table_end(); s++)
        sp_socket_close(s);
    process_wait_for_sockets();
}

void sp_terminate_undo(void)
{
    pthread_mutex_lock(&process.lock);
    process.is_used = true;
    process.is_terminated = false;
    pthread_mutex_unlock(&process.lock);
}
