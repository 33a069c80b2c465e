/* nanomsg/stream.h: connections over streams that the host of a loop carries. The connection is the one of all
 * transports; here is what stands for its descriptor. Fed bytes are read where they are, and what is to be sent waits
 * in the connection's queue until it is drained. */
#include "streams/connection.h"
#include "streams/connection_closing.h"
#include "streams/connection_events.h"
#include "streams/connection_room.h"
#include "streams/connection_sending.h"
#include "streams/connection_state.h"
#include "streams/ws_address.h"
#include "streams/ws_framing.h"
#include "streams/ws_paths.h"

#include "core/endpoint.h"
#include "core/host_events.h"
#include "core/loop_state.h"
#include "core/registry.h"
#include "core/socket.h"
#include "core/socket_settle.h"
#include "core/socket_state.h"
#include "core/transport.h"
#include "message/chunk.h"
#include "util/memory.h"

#include <nanomsg/stream.h>

#include <errno.h>
#include <string.h>

struct nn_stream {
    struct sp_ready_event ready_event;
    struct sp_socket *socket;         /* a reference of the host's; its lock guards all below */
    struct nn_endpoint *endpoint;     /* NULL: the connection is gone */
    struct sp_connection *connection; /* NULL: it is done with the stream */
    bool is_announced;                /* the host knows that there are bytes to drain */
    bool is_awaited;                  /* by the host, which has more bytes */
    bool is_released;                 /* by the host */
    const uint8_t *fed;               /* what the host is feeding right now */
    size_t fed_bytes;
    struct sp_send_queue left; /* can still be drained when the connection is done with the stream */
};

struct host_endpoint {
    struct sp_connection_owner owner;
    struct nn_stream *stream; /* NULL: released by the host */
};

/* Of a stream that carries a WebSocket. */
struct host_ws_endpoint {
    struct sp_ws_endpoint ws; /* first */
    struct host_endpoint host;
};

static void stream_notify_host(struct nn_stream *self, int events)
{
    struct nn_loop *loop = self->socket->loop;

    if (!self->is_released && sp_ready_event_add(loop, &self->ready_event, events) != 0 &&
        !sp_loop_is_running_here(&loop->base))
        sp_loop_wake(&loop->base);
}

/* ---- What the connection does with the stream ---- */

static ssize_t host_read(struct sp_stream *stream, const struct iovec *vectors, int count)
{
    struct nn_stream *self = stream->host;
    size_t total = 0;

    for (int i = 0; i < count && self->fed_bytes > 0; i++) {
        size_t taken = self->fed_bytes < vectors[i].iov_len ? self->fed_bytes : vectors[i].iov_len;
        memcpy(vectors[i].iov_base, self->fed, taken);
        self->fed += taken;
        self->fed_bytes -= taken;
        total += taken;
    }
    return total > 0 ? (ssize_t)total : -EAGAIN;
}

/* Everything stays in the connection's queue, where the host drains it. */
static ssize_t host_write(struct sp_stream *stream, struct iovec *vectors, int count)
{
    (void)stream;
    (void)vectors;
    (void)count;
    return 0;
}

/* As long as one waits for the user, the connection takes no more bytes. */
static bool has_unreceived_message(const struct sp_connection *connection)
{
    return connection != NULL && connection->pipe != NULL && connection->pipe->can_receive;
}

static void host_want(struct sp_stream *stream, unsigned wanted)
{
    struct nn_stream *self = stream->host;

    if ((wanted & SP_WRITABLE) && !self->is_announced) {
        self->is_announced = true;
        stream_notify_host(self, NN_POLLIN);
    }
    if ((wanted & SP_READABLE) && self->is_awaited && !has_unreceived_message(self->connection)) {
        self->is_awaited = false;
        stream_notify_host(self, NN_POLLOUT);
    }
}

/* The connection waits for the peer's end. Otherwise NN_LOOP_CLOSED follows at once, which says as much. */
/* The host has more. */
static bool host_has_unread(const struct sp_stream *stream, size_t count)
{
    const struct nn_stream *self = stream->host;

    return self->is_awaited || self->fed_bytes >= count;
}

static void host_shutdown_write(struct sp_stream *stream)
{
    struct nn_stream *self = stream->host;

    if (self->connection->state == CONNECTION_LINGERING)
        stream_notify_host(self, NN_STREAM_FINISHED);
}

/* Like a kernel, the stream keeps what was written before it was closed in an orderly way: also the handshake that
 * tells the peer our socket type. What a broken connection, or one whose linger is over, still holds is
 * dropped. */
static void host_close(struct sp_stream *stream)
{
    struct nn_stream *self = stream->host;
    struct sp_connection *connection = self->connection;

    self->connection = NULL;
    if (connection != NULL && connection->pipe == NULL && connection->state != CONNECTION_LINGERING) {
        self->left = connection->queue;
        connection->queue = (struct sp_send_queue){0};
    }
    stream_notify_host(self, NN_LOOP_CLOSED);
}

static const struct sp_stream_ops host_stream = {
    .read = host_read,
    .write = host_write,
    .want = host_want,
    .has_unread = host_has_unread,
    .shutdown_write = host_shutdown_write,
    .close = host_close,
};

/* ---- The endpoint of each connection ---- */

static struct host_endpoint *host_endpoint_of(struct nn_endpoint *endpoint)
{
    bool has_ws = endpoint->transport->endpoint_bytes == sizeof(struct host_ws_endpoint);

    return has_ws ? &((struct host_ws_endpoint *)nn_endpoint_data(endpoint))->host : nn_endpoint_data(endpoint);
}

/* Endpoints are made by nn_stream_attach alone. */
static int host_endpoint_open(struct nn_endpoint *endpoint, const char *address)
{
    (void)endpoint;
    (void)address;
    return 0;
}

static int host_ws_bind(struct nn_endpoint *endpoint, const char *text)
{
    struct sp_ws_endpoint *self = sp_ws_endpoint_of(endpoint);
    struct sp_ws_address parts;
    int rc = sp_ws_address_parse(&parts, text, true);

    if (rc < 0)
        return rc;
    self->is_alone = true;
    strcpy(self->path, parts.path);
    return 0;
}

static int host_ws_connect(struct nn_endpoint *endpoint, const char *text)
{
    struct sp_ws_endpoint *self = sp_ws_endpoint_of(endpoint);
    struct sp_ws_address parts;
    int rc = sp_ws_address_parse(&parts, text, false);

    if (rc < 0)
        return rc;
    sp_ws_address_write_host(&parts, self->host);
    strcpy(self->path, sp_ws_address_asked_path(&parts));
    return 0;
}

static void host_endpoint_close(struct nn_endpoint *endpoint)
{
    sp_connection_owner_abandon(&host_endpoint_of(endpoint)->owner);
}

static const struct nn_transport host_transport = {
    .version = NN_TRANSPORT_VERSION,
    .scheme = "stream",
    .endpoint_bytes = sizeof(struct host_endpoint),
    .bind = host_endpoint_open,
    .connect = host_endpoint_open,
    .close = host_endpoint_close,
};

static const struct nn_transport host_ws_transport = {
    .version = NN_TRANSPORT_VERSION,
    .scheme = "stream",
    .endpoint_bytes = sizeof(struct host_ws_endpoint),
    .bind = host_ws_bind,
    .connect = host_ws_connect,
    .close = host_endpoint_close,
};

/* What the bytes of a stream are, by the scheme of its address. */
static bool is_ws(const char *address)
{
    return strncmp(address, "ws://", 5) == 0 || strncmp(address, "wss://", 6) == 0;
}

static const struct sp_framing *host_framing(const struct nn_endpoint *endpoint)
{
    if (endpoint->transport == &host_transport)
        return &sp_tcp_framing;
    return endpoint->is_bound ? &sp_ws_server_framing : &sp_ws_client_framing;
}

static void host_admitted(struct sp_connection_owner *owner)
{
    struct sp_statistics *statistics = &owner->endpoint->socket->statistics;

    if (owner->endpoint->is_bound)
        statistics->accepted_connections++;
    else
        statistics->established_connections++;
}

static void host_ended(struct sp_connection_owner *owner, bool was_admitted, int error)
{
    (void)owner;
    (void)was_admitted;
    (void)error;
}

/* Nothing else comes by the endpoint. */
static void host_released(struct sp_connection_owner *owner)
{
    struct host_endpoint *self = SP_CONTAINER(owner, struct host_endpoint, owner);

    owner->endpoint->is_closed = true;
    if (self->stream != NULL)
        self->stream->endpoint = NULL;
}

/* ---- Attaching ---- */

/* Returns 0 also when the connection has ended at once, since the socket takes no peer: the host is notified. */
static int stream_begin(struct nn_stream *self, struct nn_endpoint *endpoint)
{
    struct host_endpoint *place = host_endpoint_of(endpoint);
    struct sp_stream stream = {.fd = -1, .ops = &host_stream, .host = self};

    sp_connection_owner_init(&place->owner, endpoint, host_framing(endpoint), NULL, host_admitted, host_ended);
    place->owner.released = host_released;
    place->stream = self;
    self->endpoint = endpoint;
    endpoint->users++;
    int rc = sp_connection_open_hosted(&place->owner, &stream, &self->connection);
    if (rc < 0)
        host_released(&place->owner);
    sp_endpoint_release(endpoint);
    if (rc == -ENOMEM)
        sp_ready_event_remove(self->socket->loop, &self->ready_event);
    return rc == -ENOMEM ? rc : 0;
}

static int stream_attach(struct nn_stream *self, const char *address, bool is_bound)
{
    size_t scheme_bytes;
    int rc = address != NULL ? sp_registry_scheme(address, &scheme_bytes) : -EINVAL;

    if (rc < 0)
        return rc;
    if (!self->socket->loop->is_hosted)
        return -EINVAL;
    sp_socket_lock(self->socket);
    const struct nn_transport *transport = is_ws(address) ? &host_ws_transport : &host_transport;
    rc = self->socket->state == SP_SOCKET_OPEN ? sp_endpoint_open_with(self->socket, transport, address, is_bound)
                                               : -EBADF;
    if (rc >= 0)
        rc = stream_begin(self, sp_endpoint_find(self->socket, rc));
    sp_socket_unlock(self->socket);
    return rc;
}

struct nn_stream *nn_stream_attach(int s, const char *address, bool is_bound, void *user)
{
    struct nn_stream *self = NULL;
    struct sp_socket *socket;
    int rc = sp_socket_acquire(s, &socket);

    if (rc == 0) {
        rc = -ENOMEM;
        self = sp_zalloc(sizeof *self);
        if (self != NULL) {
            self->ready_event.user = user;
            self->socket = socket;
            rc = stream_attach(self, address, is_bound);
        }
        if (rc == 0)
            sp_socket_retain(socket);
        sp_socket_release(socket);
    }
    if (rc == 0)
        return self;
    if (self != NULL)
        sp_send_queue_clear(&self->left);
    sp_free(self);
    errno = -rc;
    return NULL;
}

/* ---- What the host calls ---- */

/* Whether the connection reads: not while a message waits for the user, or for room. */
static bool reads_on(const struct sp_connection *connection)
{
    return connection->state == CONNECTION_HANDSHAKING ||
           (connection->state == CONNECTION_OPEN && !connection->pipe->can_receive &&
            !sp_connection_waits_for_room(connection));
}

static bool takes_bytes(const struct nn_stream *self)
{
    return self->connection != NULL && self->connection->state <= CONNECTION_OPEN;
}

int64_t nn_stream_feed(struct nn_stream *self, const void *bytes, size_t size_bytes)
{
    int64_t taken = -1;

    sp_socket_lock(self->socket);
    self->is_awaited = false;
    self->fed = bytes;
    self->fed_bytes = size_bytes;
    while (self->fed_bytes > 0 && self->connection != NULL && reads_on(self->connection))
        sp_connection_readable(self->connection, SP_READABLE);
    if (takes_bytes(self)) {
        taken = (int64_t)(size_bytes - self->fed_bytes);
        self->is_awaited = self->fed_bytes > 0;
    }
    self->fed_bytes = 0;
    sp_socket_unlock(self->socket);
    if (taken < 0)
        errno = EPIPE;
    return taken;
}

/* Ends what is left of the connection's use of the stream. */
static void stream_end(struct nn_stream *self, int error)
{
    struct sp_connection *connection = self->connection;

    if (connection == NULL)
        return;
    if (connection->state == CONNECTION_LINGERING)
        sp_connection_end_lingering(connection);
    else
        sp_connection_end(connection, error);
}

void nn_stream_end(struct nn_stream *self, bool is_broken)
{
    sp_socket_lock(self->socket);
    bool is_open = self->connection != NULL && self->connection->pipe != NULL;
    stream_end(self, is_broken || !is_open ? -ECONNRESET : -ESHUTDOWN);
    sp_socket_unlock(self->socket);
}

void nn_stream_close_write(struct nn_stream *self)
{
    sp_socket_lock(self->socket);
    if (self->connection == NULL)
        sp_send_queue_clear(&self->left);
    else if (self->connection->state == CONNECTION_LINGERING)
        sp_connection_end_lingering(self->connection);
    else
        sp_connection_end_sending(self->connection);
    sp_socket_unlock(self->socket);
}

int nn_stream_drain(struct nn_stream *self, struct nn_stream_piece *pieces, int count)
{
    struct nn_chunk *none = NULL; /* a socket that may have finished keeps no spare buffer */
    struct sp_piece piece;
    int taken = 0;

    sp_socket_lock(self->socket);
    struct sp_connection *connection = self->connection;
    struct sp_send_queue *queue = connection != NULL ? &connection->queue : &self->left;
    struct nn_chunk **spare = connection != NULL ? &self->socket->spare_buffer : &none;
    for (; taken < count && queue->count > 0; taken++) {
        sp_send_queue_take(queue, &piece, spare);
        pieces[taken] = (struct nn_stream_piece){.chunk = piece.chunk, .bytes = piece.bytes, .size_bytes = piece.count};
    }
    self->is_announced = taken == count;
    if (connection != NULL && (connection->watch.wanted & SP_WRITABLE))
        sp_connection_writable(connection);
    sp_socket_unlock(self->socket);
    if (none != NULL)
        sp_chunk_release(none);
    return taken;
}

void nn_stream_close(struct nn_stream *self)
{
    sp_socket_lock(self->socket);
    if (self->endpoint != NULL && !self->endpoint->is_closed)
        sp_endpoint_close(self->endpoint);
    sp_socket_unlock(self->socket);
}

void nn_stream_release(struct nn_stream *self)
{
    struct sp_socket *socket = self->socket;

    sp_socket_lock(socket);
    sp_ready_event_remove(socket->loop, &self->ready_event);
    self->is_released = true;
    stream_end(self, -ECONNRESET);
    if (self->endpoint != NULL)
        host_endpoint_of(self->endpoint)->stream = NULL;
    sp_send_queue_clear(&self->left);
    sp_free(self);
    sp_socket_unlock(socket);
    sp_socket_release_reference(socket);
}
