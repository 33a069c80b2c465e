/* Accepting connections, and waiting instead of spinning when descriptors run out. */
#include "streams/listener.h"

#include "core/monitor.h"
#include "core/socket_settle.h"

#include <errno.h>

/* Accepted per event, so that a flood of connections does not starve the established ones. */
#define ACCEPT_BURST 16
#define PAUSE_MS 100

static struct sp_listener *listener_of(struct sp_connection_owner *owner)
{
    return SP_CONTAINER(owner, struct sp_listener, owner);
}

static void listener_go_on(struct sp_listener *self)
{
    if (!self->pause.is_active)
        return;
    sp_timer_stop(&self->pause);
    sp_watch_want(&self->watch, SP_READABLE);
}

static void listener_connection_admitted(struct sp_connection_owner *owner)
{
    /* A handshake is done. */
    if (listener_of(owner)->is_crowded)
        listener_go_on(listener_of(owner));
}

static void listener_connection_ended(struct sp_connection_owner *owner, bool was_admitted, int error)
{
    (void)was_admitted;
    (void)error;
    /* A descriptor is free again. */
    listener_go_on(listener_of(owner));
}

static void listener_pause(struct sp_listener *self, sp_time_ns until_ns)
{
    sp_watch_want(&self->watch, 0);
    sp_timer_start(&self->pause, until_ns);
}

static void listener_accept_failed(struct sp_listener *self, int error)
{
    self->owner.endpoint->socket->statistics.accept_errors++;
    sp_endpoint_set_error(self->owner.endpoint, error);
    sp_monitor_failed(self->owner.endpoint, "", error);
    if (!sp_descriptor_is_shortage(error))
        return; /* a peer that left before we came: the next event goes on */
    listener_pause(self, sp_deadline_after_ms(PAUSE_MS));
}

static void listener_accept(struct sp_listener *self)
{
    struct nn_endpoint *endpoint = self->owner.endpoint;
    struct sp_socket_address peer;

    for (int i = 0; i < ACCEPT_BURST; i++) {
        sp_time_ns until_ns = sp_limits_waits_until(endpoint->socket);
        self->is_crowded = until_ns > 0;
        if (self->is_crowded) {
            listener_pause(self, until_ns);
            return;
        }
        int fd = sp_descriptor_accept(self->watch.fd, &endpoint->socket->options, &peer);
        if (fd == -EAGAIN || fd == -EINTR)
            return;
        if (fd < 0) {
            listener_accept_failed(self, fd);
            return;
        }
        endpoint->socket->statistics.accepted_connections++;
        sp_endpoint_set_error(endpoint, 0);
        if (sp_connection_open(&self->owner, fd, &peer) < 0)
            endpoint->socket->statistics.broken_connections++;
    }
}

static void listener_handle(struct sp_watch *watch, unsigned ready)
{
    struct sp_listener *self = SP_CONTAINER(watch, struct sp_listener, watch);
    struct sp_socket *socket = self->owner.endpoint->socket;

    (void)ready;
    sp_socket_lock(socket);
    if (watch->wanted != 0)
        listener_accept(self);
    sp_socket_unlock(socket);
}

static void listener_handle_pause(struct sp_timer *timer)
{
    struct sp_listener *self = SP_CONTAINER(timer, struct sp_listener, pause);
    struct sp_socket *socket = self->owner.endpoint->socket;

    sp_socket_lock(socket);
    if (sp_timer_is_due(timer))
        sp_watch_want(&self->watch, SP_READABLE);
    sp_socket_unlock(socket);
}

int sp_listener_start(struct sp_listener *self, struct nn_endpoint *endpoint, const struct sp_framing *framing,
                      struct sp_filter_source *filters, int fd)
{
    struct sp_loop *loop = &endpoint->socket->loop->base;
    int rc = sp_timer_init(&self->pause, loop, listener_handle_pause);

    if (rc < 0) {
        sp_descriptor_close(fd);
        return rc;
    }
    sp_connection_owner_init(&self->owner, endpoint, framing, filters, listener_connection_admitted,
                             listener_connection_ended);
    sp_watch_init(&self->watch, loop, fd, listener_handle);
    if ((rc = sp_watch_want(&self->watch, SP_READABLE)) < 0) {
        sp_descriptor_close(fd);
        sp_timer_destroy(&self->pause);
    }
    return rc;
}

int sp_listener_open(struct sp_listener *self, struct nn_endpoint *endpoint, const struct sp_framing *framing,
                     struct sp_filter_source *filters, const struct sp_socket_address *address)
{
    int fd = sp_descriptor_listen(address, &endpoint->socket->options);

    return fd < 0 ? fd : sp_listener_start(self, endpoint, framing, filters, fd);
}

void sp_listener_close(struct sp_listener *self)
{
    sp_timer_destroy(&self->pause);
    sp_watch_want(&self->watch, 0);
    sp_descriptor_close(self->watch.fd);
    sp_connection_owner_abandon(&self->owner);
}
