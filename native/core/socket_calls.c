/* What users call on a socket: endpoints, options, readiness. */
#include "core/direct_poll.h"
#include "core/endpoint.h"
#include "core/event_fd.h"
#include "core/monitor.h"
#include "core/options.h"
#include "core/pipe.h"
#include "core/socket.h"
#include "core/socket_settle.h"
#include "core/socket_state.h"
#include "core/transport.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* ---- Endpoints ---- */

static int socket_add_endpoint(struct sp_socket *self, const char *address, bool is_bound)
{
    sp_socket_lock(self);
    int rc = self->state == SP_SOCKET_OPEN ? sp_endpoint_open(self, address, is_bound) : -EBADF;
    sp_socket_unlock(self);
    return rc;
}

int sp_socket_bind(struct sp_socket *self, const char *address)
{
    return socket_add_endpoint(self, address, true);
}

int sp_socket_connect(struct sp_socket *self, const char *address)
{
    return socket_add_endpoint(self, address, false);
}

int sp_socket_shutdown(struct sp_socket *self, int id)
{
    int rc = -EBADF;

    sp_socket_lock(self);
    if (self->state == SP_SOCKET_OPEN) {
        struct nn_endpoint *endpoint = sp_endpoint_find(self, id);
        if (endpoint != NULL)
            sp_endpoint_close(endpoint);
        rc = endpoint != NULL ? 0 : -EINVAL;
    }
    sp_socket_unlock(self);
    return rc;
}

int sp_socket_renew_tls(struct sp_socket *self, int id)
{
    int rc = -EBADF;

    sp_socket_lock(self);
    if (self->state == SP_SOCKET_OPEN) {
        struct nn_endpoint *endpoint = sp_endpoint_find(self, id);
        rc = endpoint == NULL ? -EINVAL : endpoint->transport->renew == NULL ? -ENOTSUP : 0;
        if (rc == 0)
            rc = endpoint->transport->renew(endpoint);
    }
    sp_socket_unlock(self);
    return rc;
}

int sp_socket_endpoint_address(struct sp_socket *self, int id, char *buffer, size_t size_bytes)
{
    int rc = -EBADF;

    sp_socket_lock(self);
    if (self->state == SP_SOCKET_OPEN) {
        struct nn_endpoint *endpoint = sp_endpoint_find(self, id);
        rc = endpoint != NULL ? sp_endpoint_write_address(endpoint, buffer, size_bytes) : -EINVAL;
    }
    sp_socket_unlock(self);
    return rc;
}

/* ---- Events ---- */

int sp_socket_monitor(struct sp_socket *self, bool is_on)
{
    sp_socket_lock(self);
    int rc = self->state == SP_SOCKET_OPEN ? sp_monitor_switch(self, is_on) : -EBADF;
    sp_socket_unlock(self);
    return rc;
}

int sp_socket_next_event(struct sp_socket *self, struct nn_event *event)
{
    sp_socket_lock(self);
    int rc = self->state == SP_SOCKET_OPEN ? sp_monitor_next(self, event) : -EBADF;
    sp_socket_unlock(self);
    return rc;
}

int sp_socket_peer(struct sp_socket *self, uint32_t pipe_id, struct nn_event *event)
{
    int rc = -EBADF;

    sp_socket_lock(self);
    if (self->state == SP_SOCKET_OPEN) {
        struct nn_pipe *pipe = sp_socket_find_pipe(self, pipe_id);
        rc = pipe != NULL ? sp_monitor_describe(pipe, event) : -ENOENT;
    }
    sp_socket_unlock(self);
    return rc;
}

int sp_socket_pipes(struct sp_socket *self, uint32_t *pipes, int count)
{
    int found = 0;

    sp_socket_lock(self);
    for (struct sp_list_item *item = sp_list_first(&self->pipes); item != NULL;
         item = sp_list_next(&self->pipes, item)) {
        if (found < count)
            pipes[found] = SP_CONTAINER(item, struct nn_pipe, item)->id;
        found++;
    }
    if (self->state != SP_SOCKET_OPEN)
        found = -EBADF;
    sp_socket_unlock(self);
    return found;
}

int sp_socket_last_failure(struct sp_socket *self, struct nn_event *event)
{
    sp_socket_lock(self);
    int rc = self->state == SP_SOCKET_OPEN ? sp_monitor_last_failure(self, event) : -EBADF;
    sp_socket_unlock(self);
    return rc;
}

int sp_socket_event_peer(struct sp_socket *self, int what, void *value, size_t *size)
{
    sp_socket_lock(self);
    int rc = self->state == SP_SOCKET_OPEN ? sp_monitor_peer(self, what, value, size) : -EBADF;
    sp_socket_unlock(self);
    return rc;
}

/* ---- Options ---- */

int sp_socket_set_option(struct sp_socket *self, int level, int option, const void *value, size_t size)
{
    int rc = -ENOPROTOOPT;

    sp_socket_lock(self);
    if (self->state != SP_SOCKET_OPEN)
        rc = -EBADF;
    else if (level <= 0)
        rc = sp_options_set(&self->options, level, option, value, size);
    else if (level == self->protocol->id && self->protocol->set_option != NULL)
        rc = self->protocol->set_option(self->instance, option, value, size);
    sp_socket_unlock(self);
    return rc;
}

/* The options that are not stored values. Returns 1 when it is none of them. */
static int socket_get_computed_option(struct sp_socket *self, int option, void *value, size_t *size)
{
    unsigned flags = self->protocol->flags;
    int number;

    switch (option) {
    case NN_DOMAIN:
        number = self->domain;
        break;
    case NN_PROTOCOL:
        number = self->protocol->id;
        break;
    case NN_SNDFD:
        if (!(flags & NN_PROTOCOL_SENDS))
            return -ENOPROTOOPT;
        number = sp_event_fd_demand(&self->send_fd, self->events & NN_POLLOUT);
        break;
    case NN_RCVFD:
        if (!(flags & NN_PROTOCOL_RECEIVES))
            return -ENOPROTOOPT;
        sp_direct_poll_reattach(self);
        number = sp_event_fd_demand(&self->receive_fd, self->events & NN_POLLIN);
        break;
    case NN_SOCKET_NAME:
        sp_socket_name(self, value, size);
        return 0;
    default:
        return 1;
    }
    if (number < 0)
        return number;
    sp_option_write_int(number, value, size);
    return 0;
}

int sp_socket_get_option(struct sp_socket *self, int level, int option, void *value, size_t *size)
{
    int rc = -ENOPROTOOPT;

    sp_socket_lock(self);
    if (self->state != SP_SOCKET_OPEN)
        rc = -EBADF;
    else if (level == NN_SOL_SOCKET && (rc = socket_get_computed_option(self, option, value, size)) <= 0)
        ;
    else if (level <= 0)
        rc = sp_options_get(&self->options, level, option, value, size);
    else if (level == self->protocol->id && self->protocol->get_option != NULL)
        rc = self->protocol->get_option(self->instance, option, value, size);
    sp_socket_unlock(self);
    return rc;
}

/* ---- Readiness ---- */

int sp_socket_events(struct sp_socket *self)
{
    sp_socket_lock(self);
    int events = self->state == SP_SOCKET_OPEN ? sp_socket_current_events(self) : -EBADF;
    sp_direct_poll_reattach(self);
    sp_socket_unlock(self);
    return events;
}

void sp_socket_watch(struct sp_socket *self, struct sp_wait *wait)
{
    sp_socket_lock(self);
    sp_list_append(&self->waits, &wait->item);
    sp_direct_poll_reattach(self);
    if (self->state != SP_SOCKET_OPEN || (sp_socket_current_events(self) & wait->events))
        sp_parker_wake(wait->parker);
    sp_socket_unlock(self);
}

void sp_socket_unwatch(struct sp_socket *self, struct sp_wait *wait)
{
    sp_socket_lock(self);
    sp_list_remove(&wait->item);
    sp_socket_unlock(self);
}
