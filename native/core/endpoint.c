/* Endpoints: one bind or connect, from the user's address to the release after its last connection. */
#include "core/registry.h"
#include "core/socket_internal.h"

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
    sp_endpoint_release(self);
}

static void endpoint_free(struct sp_task *task)
{
    struct nn_endpoint *self = SP_CONTAINER(task, struct nn_endpoint, release);

    sp_options_clear(&self->options);
    sp_free(self);
}

/* Events of the current batch may still name a watch inside the private part: its memory waits for the end. */
void sp_endpoint_release(struct nn_endpoint *self)
{
    SP_INVARIANT(self->users > 0, "an endpoint without users is released");
    if (--self->users > 0 || !self->is_closed)
        return;
    sp_list_remove(&self->item);
    self->release.run = endpoint_free;
    sp_loop_discard(&self->socket->loop->base, &self->release);
}

int sp_endpoint_write_address(const struct nn_endpoint *self, char *buffer, size_t size_bytes)
{
    char rest[NN_SOCKADDR_MAX + 1];
    int length;

    if (self->transport->address == NULL || self->is_closed)
        length = snprintf(buffer, size_bytes, "%s", self->address);
    else {
        self->transport->address(self, rest);
        length = snprintf(buffer, size_bytes, "%s://%s", self->transport->scheme, rest);
    }
    return (size_t)length < size_bytes ? length : -EMSGSIZE;
}

/* Whether NN_PRINT_ERRORS asks for reports on stderr; read once, as the original does. */
static bool is_printing_errors;

static void read_environment(void)
{
    const char *value = getenv("NN_PRINT_ERRORS");

    is_printing_errors = value != NULL && *value != '\0';
}

bool sp_prints_errors(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, read_environment);
    return is_printing_errors;
}

void sp_endpoint_report(struct nn_endpoint *self, int error)
{
    bool has_changed = self->last_error != error;

    self->last_error = error;
    self->has_error = error != 0;
    if (error != 0 && has_changed && sp_prints_errors()) {
        char name[SP_SOCKET_NAME_BYTES];
        size_t size = sizeof name;
        sp_socket_name(self->socket, name, &size);
        fprintf(stderr, "nanomsg: socket.%s[%s]: Error: %s\n", name, strstr(self->address, "://") + 3,
                nn_strerror(-error));
    }
}

/* ---- What transports see ---- */

void *nn_endpoint_data(const struct nn_endpoint *self)
{
    return (void *)self->data;
}

struct nn_endpoint *nn_endpoint_of_data(const void *data)
{
    return SP_CONTAINER(data, struct nn_endpoint, data);
}

bool nn_endpoint_is_bound(const struct nn_endpoint *self)
{
    return self->is_bound;
}

int nn_endpoint_protocol(const struct nn_endpoint *self)
{
    return self->socket->protocol->id;
}

int nn_endpoint_peer_protocol(const struct nn_endpoint *self)
{
    return self->socket->protocol->peer_id;
}

int nn_endpoint_option(const struct nn_endpoint *self, int level, int option, int *value)
{
    size_t size = sizeof *value;
    int rc = sp_options_get(&self->options, level, option, value, &size);

    return rc == 0 && size != sizeof *value ? -ENOPROTOOPT : rc;
}

bool nn_endpoint_option_is_set(const struct nn_endpoint *self, int level, int option)
{
    return sp_options_is_set(&self->options, level, option);
}

bool nn_endpoint_is_full(const struct nn_endpoint *self)
{
    return sp_socket_is_full(self->socket);
}

void nn_endpoint_set_connecting(struct nn_endpoint *self, bool is_connecting)
{
    self->is_connecting = is_connecting && !self->is_closed;
}

void nn_endpoint_count_broken(struct nn_endpoint *self)
{
    self->socket->statistics.broken_connections++;
}

void nn_endpoint_tell_rejected(struct nn_endpoint *self, int protocol, int error)
{
    sp_monitor_rejected(self, NULL, protocol, error);
}

void nn_endpoint_report(struct nn_endpoint *self, int error)
{
    if (error != 0 && !self->is_bound)
        self->socket->statistics.connect_errors++;
    else if (error != 0)
        self->socket->statistics.accept_errors++;
    if (error != 0)
        sp_monitor_failed(self, "", error);
    sp_endpoint_report(self, error);
}
