/* What is done before a socket's lock is released: flush, remove broken pipes, send what was queued, wake waiting
 * threads, notify the host; and what runs after it. */
#include "core/socket_settle.h"

#include "core/endpoint.h"
#include "core/event_fd.h"
#include "core/host_events.h"
#include "core/pipe.h"
#include "core/socket.h"
#include "core/socket_state.h"
#include "core/transport.h"
#include "core/waiting_reads.h"
#include "message/chunk.h"
#include "util/invariant.h"
#include "util/memory.h"
#include "util/parker.h"

#include <errno.h>

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
        if (rc < 0) {
            nn_protocol_count_dropped(self->instance, message);
            nn_message_free(message); /* the protocol will never take it, as after a change of its state */
        }
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

static void socket_notify_send_closed(struct sp_socket *self)
{
    const struct nn_protocol *protocol = self->protocol;
    struct sp_list_item *item;

    while ((item = sp_list_pop(&self->send_closed)) != NULL)
        if (protocol->version >= 2 && protocol->pipe_sending_ended != NULL)
            protocol->pipe_sending_ended(self->instance, SP_CONTAINER(item, struct nn_pipe, send_closed_item));
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
    sp_socket_notify_host(self, NN_LOOP_CLOSED);
}

static void socket_continue_closing(struct sp_socket *self)
{
    if (self->queue.count > 0)
        return;
    socket_close_endpoints(self);
    if (sp_list_is_empty(&self->endpoints) && sp_list_is_empty(&self->lingering) && sp_list_is_empty(&self->pipes))
        socket_finish(self);
}

/* One thread is woken after the lock is released, which it wants to take; there seldom are others. */
static void socket_wake_later(struct sp_socket *self, struct sp_parker *parker)
{
    if (self->woken != NULL) {
        sp_parker_wake(parker);
        return;
    }
    sp_parker_retain(parker);
    self->woken = parker;
}

void sp_socket_wake(struct sp_socket *self, int events)
{
    for (struct sp_list_item *item = sp_list_first(&self->waits); item != NULL;
         item = sp_list_next(&self->waits, item)) {
        struct sp_wait *wait = SP_CONTAINER(item, struct sp_wait, item);
        if (wait->events & events)
            socket_wake_later(self, wait->parker);
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
        sp_socket_wake(self, rose);
        sp_socket_notify_host(self, rose);
        if (rose & NN_POLLOUT)
            self->is_refused = false;
    }
}

/* Pipes have ended, wholly or in part. */
static bool has_ended_pipes(const struct sp_socket *self)
{
    return !sp_list_is_empty(&self->broken) || !sp_list_is_empty(&self->send_closed);
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
        socket_notify_send_closed(self);
        sp_socket_read_due(self);
        if (self->state == SP_SOCKET_CLOSING)
            socket_continue_closing(self);
        if (self->state == SP_SOCKET_OPEN)
            events = sp_socket_current_events(self);
    } while (!sp_list_is_empty(&self->dirty) || has_ended_pipes(self) || sp_socket_has_due_reads(self));

    if (self->state == SP_SOCKET_OPEN)
        socket_update_events(self, events);
}

/* ---- Coalesced messages ---- */

static void coalesced_flush(struct sp_task *task)
{
    struct sp_socket *socket = SP_CONTAINER(task, struct sp_socket, coalescing.flush);

    sp_socket_lock(socket);
    socket->coalescing.flush_posted = false;
    socket->coalescing.last_ns = sp_now_ns(); /* a sender that goes on continues its streak */
    sp_socket_unlock(socket);
    sp_socket_release_reference(socket);
}

void sp_socket_init_flush(struct sp_socket *self)
{
    self->coalescing.flush.run = coalesced_flush;
}

/* Posts the flush to the engine's thread. */
static void socket_post_flush(struct sp_socket *socket)
{
    if (socket->coalescing.flush_posted)
        return;
    socket->coalescing.flush_posted = true;
    sp_socket_retain(socket); /* until it is done */
    sp_loop_post(&socket->loop->base, &socket->coalescing.flush);
}

/* Dirty pipes stay dirty until the engine's thread flushes them. */
static void socket_stay_corked(struct sp_socket *self)
{
    self->is_corked = false;
    int events = sp_socket_current_events(self);
    if (has_ended_pipes(self) || sp_socket_has_due_reads(self)) {
        socket_settle(self);
        return;
    }
    if (!sp_list_is_empty(&self->dirty))
        socket_post_flush(self);
    socket_update_events(self, events);
}

/* ---- Deferred tasks ---- */

/* The deferred tasks of this thread that still have to run; one that ends by releasing another socket's lock adds
 * to them instead of recursing. */
static _Thread_local struct sp_list *deferred_here;

static void deferred_run(struct sp_list *tasks)
{
    struct sp_list_item *item;

    if (deferred_here != NULL) {
        sp_list_move(deferred_here, tasks);
        return;
    }
    deferred_here = tasks;
    while ((item = sp_list_pop(tasks)) != NULL) {
        struct sp_task *task = SP_CONTAINER(item, struct sp_task, item);
        task->run(task);
    }
    deferred_here = NULL;
}

void sp_socket_defer(struct sp_socket *self, struct sp_task *task)
{
    sp_list_append(&self->deferred, &task->item);
}

/* ---- Unlocking ---- */

void sp_socket_unlock(struct sp_socket *self)
{
    struct sp_list tasks;
    bool has_deferred;
    bool is_finished;

    if (self->coalescing.stays_corked && self->state == SP_SOCKET_OPEN && !has_ended_pipes(self))
        socket_stay_corked(self);
    else if (self->state != SP_SOCKET_CLOSED)
        socket_settle(self);
    SP_INVARIANT(!has_ended_pipes(self), "a lock is released with broken pipes");
    self->coalescing.stays_corked = false;
    self->is_taking = false;
    has_deferred = !sp_list_is_empty(&self->deferred);
    if (has_deferred) {
        sp_list_init(&tasks);
        sp_list_move(&tasks, &self->deferred);
    }
    is_finished = self->is_finished;
    self->is_finished = false;
    struct sp_parker *woken = self->woken;
    self->woken = NULL;
    sp_mutex_unlock(&self->lock);

    if (woken != NULL) {
        sp_parker_wake(woken);
        sp_parker_release(woken);
    }
    if (has_deferred)
        deferred_run(&tasks);
    if (is_finished)
        sp_socket_release_reference(self);
}

/* ---- Closing without delivery ---- */

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
