/* Endpoints: one bind or connect, from the user's address to the release after its last connection. */
#include "core/endpoint.h"

#include "core/monitor.h"
#include "core/options.h"
#include "core/pipe.h"
#include "core/registry.h"
#include "core/socket_state.h"
#include "core/transport.h"
#include "util/invariant.h"
#include "util/memory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int sp_endpoint_open(struct sp_socket *socket, const char *address, bool is_bound)
{
    const struct nn_transport *transport;
    int rc = sp_registry_transport(address, &transport);

    return rc < 0 ? rc : sp_endpoint_open_with(socket, transport, address, is_bound);
}

int sp_endpoint_open_with(struct sp_socket *socket, const struct nn_transport *transport, const char *address,
                          bool is_bound)
{
    int rc;

    struct nn_endpoint *self = sp_zalloc(sizeof *self + transport->endpoint_bytes);
    if (self == NULL)
        return -ENOMEM;
    self->socket = socket;
    self->transport = transport;
    self->is_bound = is_bound;
    sp_options_copy(&self->options, &socket->options);
    memcpy(self->address, address, strlen(address) + 1);
    const char *rest = strstr(self->address, "://") + 3;
    self->id = socket->last_endpoint_id + 1;

    rc = is_bound ? transport->bind(self, rest) : transport->connect(self, rest);
    if (rc < 0) {
        if (is_bound)
            socket->statistics.bind_errors++;
        sp_options_clear(&self->options);
        sp_free(self);
        return rc;
    }
    socket->last_endpoint_id = self->id; /* a failed attempt uses no number up */
    sp_list_append(&socket->endpoints, &self->item);
    return self->id;
}

struct nn_endpoint *sp_endpoint_find(struct sp_socket *socket, int id)
{
    for (struct sp_list_item *item = sp_list_first(&socket->endpoints); item != NULL;
         item = sp_list_next(&socket->endpoints, item)) {
        struct nn_endpoint *endpoint = SP_CONTAINER(item, struct nn_endpoint, item);
        if (endpoint->id == id && !endpoint->is_closed)
            return endpoint;
    }
    return NULL;
}

static void endpoint_close_pipes(struct nn_endpoint *self)
{
    struct sp_socket *socket = self->socket;
    struct sp_list_item *item = sp_list_first(&socket->pipes);

    while (item != NULL) {
        struct nn_pipe *pipe = SP_CONTAINER(item, struct nn_pipe, item);
        item = sp_list_next(&socket->pipes, item);
        if (pipe->endpoint == self) {
            socket->statistics.dropped_connections++;
            sp_pipe_close(pipe, socket->options.linger_ms != 0);
        }
    }
}

/* The endpoint must stay until its caller is done with it: `users` counts the caller in. */
void sp_endpoint_close(struct nn_endpoint *self)
{
    SP_INVARIANT(!self->is_closed, "an endpoint is closed twice");
    self->users++;
    self->is_closed = true;
    self->is_connecting = false;
    self->has_error = false;
    self->transport->close(self);
    endpoint_close_pipes(self);
    sp_monitor_endpoint_closed(self);
    sp_endpoint_release(self);
}

/* ---- What transports see ---- */

void nn_endpoint_report_rejected(struct nn_endpoint *self, int protocol, int error)
{
    sp_monitor_rejected(self, NULL, protocol, error);
}

void nn_endpoint_set_error(struct nn_endpoint *self, int error)
{
    if (error != 0 && !self->is_bound)
        self->socket->statistics.connect_errors++;
    else if (error != 0)
        self->socket->statistics.accept_errors++;
    if (error != 0)
        sp_monitor_failed(self, "", error);
    sp_endpoint_set_error(self, error);
}
