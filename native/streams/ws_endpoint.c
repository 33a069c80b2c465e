/* Ports that WebSocket endpoints share. */
#include "streams/ws_endpoint.h"

#include "streams/ws_framing.h"
#include "streams/ws_handshake.h"

#include "core/endpoint.h"
#include "core/socket_settle.h"
#include "core/socket_state.h"
#include "core/transport.h"
#include "platform/descriptor.h"
#include "util/memory.h"

#include <errno.h>
#include <string.h>

/* ---- Handing over ---- */

/* A peer on its way from the endpoint that accepted it to the one that it wants. */
struct transfer {
    struct sp_task task;
    struct sp_socket_address port_address;
    struct sp_stream stream;
    size_t path_bytes;
    size_t request_bytes;
    uint8_t bytes[]; /* the path, then the request */
};

/* The socket and the id of the endpoint that serves the request now; the socket is retained. */
static struct sp_socket *transfer_find(const struct transfer *self, int *endpoint_id)
{
    struct sp_socket *socket = NULL;

    sp_ws_paths_lock();
    struct sp_ws_endpoint *endpoint =
        sp_ws_paths_serving(&self->port_address, (const char *)self->bytes, self->path_bytes);
    if (endpoint != NULL) {
        socket = nn_endpoint_of_data(endpoint)->socket;
        *endpoint_id = nn_endpoint_of_data(endpoint)->id;
        sp_socket_retain(socket);
    }
    sp_ws_paths_unlock();
    return socket;
}

static void transfer_arrive(struct transfer *self, struct nn_endpoint *endpoint)
{
    struct sp_statistics *statistics = &endpoint->socket->statistics;
    struct sp_listener *listener = &sp_ws_endpoint_of(endpoint)->stream.listener;

    statistics->accepted_connections++;
    if (sp_connection_open_handed_over(&listener->owner, &self->stream, self->bytes + self->path_bytes,
                                       self->request_bytes) < 0)
        statistics->broken_connections++;
}

static void transfer_run(struct sp_task *task)
{
    struct transfer *self = SP_CONTAINER(task, struct transfer, task);
    int endpoint_id = 0;
    struct sp_socket *socket = transfer_find(self, &endpoint_id);

    if (socket == NULL) {
        sp_stream_close(&self->stream); /* it was closed meanwhile; the peer will try again and be refused */
    } else {
        sp_socket_lock(socket);
        struct nn_endpoint *endpoint = socket->state == SP_SOCKET_OPEN ? sp_endpoint_find(socket, endpoint_id) : NULL;
        if (endpoint != NULL)
            transfer_arrive(self, endpoint);
        else
            sp_stream_close(&self->stream);
        sp_socket_unlock(socket);
        sp_socket_release_reference(socket);
    }
    sp_free(self);
}

static void ws_hand_over(struct sp_connection_owner *owner, const struct sp_stream *stream, const uint8_t *request,
                         size_t request_bytes)
{
    struct sp_ws_endpoint *from = sp_ws_endpoint_of(owner->endpoint);
    struct sp_text path = sp_ws_requested_path(request, request_bytes);
    struct transfer *self = sp_zalloc(sizeof *self + path.count + request_bytes);

    if (self == NULL) {
        struct sp_stream unwanted = *stream;
        sp_stream_close(&unwanted);
        return;
    }
    self->task.run = transfer_run;
    self->port_address = from->port_address;
    self->stream = *stream;
    self->path_bytes = path.count;
    self->request_bytes = request_bytes;
    memcpy(self->bytes, path.bytes, path.count);
    memcpy(self->bytes + path.count, request, request_bytes);
    owner->endpoint->socket->statistics.accepted_connections--; /* counted where it is admitted */
    sp_socket_defer(owner->endpoint->socket, &self->task);
}

/* ---- Listening ---- */

/* TLS precedes the request that names one of them: both must expect the same of it. */
static bool may_share(const struct sp_ws_endpoint *one, const struct sp_ws_endpoint *other)
{
    if (!one->stream.is_secure || !other->stream.is_secure)
        return one->stream.is_secure == other->stream.is_secure;
    return one->stream.filters->is_same(one->stream.filters, other->stream.filters);
}

/* A descriptor that listens at the address: a new one, or another of the same port. Under the lock of the paths. */
static int open_port(const struct sp_ws_endpoint *self, const struct sp_socket_address *address)
{
    const struct sp_ws_endpoint *other = sp_ws_paths_on_port(address);

    if (other == NULL)
        return sp_descriptor_listen(address, &nn_endpoint_of_data(self)->socket->options);
    if (!may_share(self, other) || sp_ws_paths_bound(address, self->path, strlen(self->path)) != NULL)
        return -EADDRINUSE;
    return sp_fd_duplicate(other->stream.listener.watch.fd);
}

static int join_port(struct sp_ws_endpoint *self, const struct sp_socket_address *address)
{
    int fd = open_port(self, address);

    if (fd < 0)
        return fd;
    self->port_address = (struct sp_socket_address){.length = sizeof self->port_address.storage};
    int rc = sp_net_own_name(fd, (struct sockaddr *)&self->port_address.storage, &self->port_address.length);
    if (rc < 0) {
        sp_descriptor_close(fd);
        return rc;
    }
    rc = sp_stream_endpoint_accept(nn_endpoint_of_data(self), &sp_ws_server_framing, fd);
    if (rc < 0)
        return rc;
    self->stream.listener.owner.hand_over = ws_hand_over;
    sp_ws_paths_add(self);
    return 0;
}

int sp_ws_endpoint_listen(struct sp_ws_endpoint *self, const struct sp_socket_address *address)
{
    sp_ws_paths_lock();
    int rc = join_port(self, address);
    sp_ws_paths_unlock();
    return rc;
}

void sp_ws_endpoint_stop_listening(struct sp_ws_endpoint *self)
{
    /* Out of the list before the descriptor is closed, which another thread might be about to duplicate. */
    sp_ws_paths_lock();
    sp_ws_paths_remove(self);
    sp_ws_paths_unlock();
    sp_listener_close(&self->stream.listener);
}
