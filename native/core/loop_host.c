/* Loops that a host drives: nanomsg/loop.h but for its sockets. */
#include <nanomsg/loop.h>

#include "core/loop_state.h"
#include "core/socket.h"
#include "core/socket_settle.h"
#include "core/socket_state.h"
#include "util/memory.h"

#include <errno.h>
#include <stdatomic.h>

#define BATCH_EVENTS 64

struct nn_loop *nn_loop_create(const struct nn_slab_source *slabs)
{
    struct nn_loop *self;
    int rc = sp_loop_state_create(&self);

    if (rc < 0) {
        errno = -rc;
        return NULL;
    }
    self->is_hosted = true;
    if (slabs != NULL)
        self->source = *slabs;
    return self;
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

    if (sp_loop_is_inherited(self))
        return;
    while (sp_loop_has_sockets(self)) {
        if ((socket = sp_loop_next_socket(self)) != NULL)
            socket_end(socket);
        while (nn_loop_next_ready(self, &user, &events)) {
        }
        sp_loop_run(&self->base, BATCH_EVENTS, 1);
    }
    sp_loop_state_free(self);
}

int nn_loop_descriptor(const struct nn_loop *self)
{
    return self->base.poller.fd;
}

int nn_loop_wait(struct nn_loop *self, int timeout_ms)
{
    return !sp_loop_is_inherited(self) && sp_poller_is_ready(&self->base.poller, timeout_ms);
}

void nn_loop_wake(struct nn_loop *self)
{
    if (!sp_loop_is_inherited(self))
        sp_loop_wake(&self->base);
}

int nn_loop_run(struct nn_loop *self, int budget_events)
{
    int handled = 0;
    int count;

    if (sp_loop_is_inherited(self))
        return 0;
    do {
        count = sp_loop_run(&self->base, budget_events - handled, 0);
        handled += count;
    } while (count == BATCH_EVENTS && handled < budget_events);

    sp_mutex_lock(&self->base.lock);
    int ready = 0;
    for (struct sp_list_item *item = sp_list_first(&self->ready); item != NULL; item = sp_list_next(&self->ready, item))
        ready++;
    sp_mutex_unlock(&self->base.lock);
    return ready;
}

bool nn_loop_is_lingering(struct nn_loop *self)
{
    bool result = false;

    if (sp_loop_is_inherited(self))
        return false;
    sp_mutex_lock(&self->base.lock);
    for (struct sp_list_item *item = sp_list_first(&self->sockets); item != NULL && !result;
         item = sp_list_next(&self->sockets, item))
        result = atomic_load(&SP_CONTAINER(item, struct sp_socket, loop_item)->is_delivering);
    sp_mutex_unlock(&self->base.lock);
    return result;
}
