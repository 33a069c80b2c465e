/* An endpoint's references, its address, and what of it is constant. */
#include "core/transport.h"

#include "core/error_log.h"
#include "core/options.h"
#include "core/socket_state.h"
#include "util/invariant.h"
#include "util/memory.h"
#include "util/without_const.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

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

void sp_endpoint_set_error(struct nn_endpoint *self, int error)
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
    return sp_without_const(self->data);
}

struct nn_endpoint *nn_endpoint_of_data(const void *data)
{
    return SP_CONTAINER(sp_without_const(data), struct nn_endpoint, data);
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
