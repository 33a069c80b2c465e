/* Events for the owner of a hosted loop: the loop's ready list has one entry for each socket or stream. */
#include "core/host_events.h"

#include "core/loop_state.h"
#include "core/socket_state.h"

#include <errno.h>

int sp_ready_event_add(struct nn_loop *loop, struct sp_ready_event *event, int events)
{
    sp_mutex_lock(&loop->base.lock);
    int added = events & ~event->events;
    if (event->events == 0 && added != 0)
        sp_list_append(&loop->ready, &event->item);
    event->events |= added;
    sp_mutex_unlock(&loop->base.lock);
    return added;
}

void sp_ready_event_remove(struct nn_loop *loop, struct sp_ready_event *event)
{
    sp_mutex_lock(&loop->base.lock);
    if (event->events != 0)
        sp_list_remove(&event->item);
    event->events = 0;
    sp_mutex_unlock(&loop->base.lock);
}

int nn_loop_next_ready(struct nn_loop *self, void **user, int *events)
{
    struct sp_ready_event *event = NULL;
    void (*taken)(struct sp_ready_event *, int) = NULL;

    if (sp_loop_is_inherited(self))
        return 0;
    sp_mutex_lock(&self->base.lock);
    struct sp_list_item *item = sp_list_pop(&self->ready);
    if (item != NULL) {
        event = SP_CONTAINER(item, struct sp_ready_event, item);
        taken = event->taken;
        *user = event->user;
        *events = event->events;
        event->events = 0;
    }
    sp_mutex_unlock(&self->base.lock);

    if (taken != NULL)
        taken(event, *events);
    return event != NULL;
}

/* ---- Of sockets ---- */

void sp_socket_notify_host(struct sp_socket *self, int events)
{
    struct sp_loop *loop = &self->loop->base;

    if (!self->loop->is_hosted)
        return;
    if (events & NN_LOOP_CLOSED)
        sp_socket_retain(self); /* until the event is taken */
    int added = sp_ready_event_add(self->loop, &self->ready_event, events);
    if (events & ~added & NN_LOOP_CLOSED)
        sp_socket_release_reference(self); /* the event is in the list already */
    /* Receiving a request makes a socket writable that could not answer before: its host, which is about to answer,
     * need not be woken for that. */
    bool can_wait = self->is_taking && events == NN_POLLOUT && !self->is_refused;
    if (!can_wait && !sp_loop_is_running_here(loop))
        sp_loop_wake(loop);
}

static void ready_event_taken(struct sp_ready_event *event, int events)
{
    if (events & NN_LOOP_CLOSED)
        sp_socket_release_reference(SP_CONTAINER(event, struct sp_socket, ready_event));
}

void sp_socket_init_ready_event(struct sp_socket *self, void *user)
{
    self->ready_event.user = user;
    self->ready_event.taken = ready_event_taken;
}
