/* socket://FD: a stream socket that the program has made itself. nn_connect() takes a connected one, as from
 * socketpair() or accept(), and speaks SP over TCP on it, as NNG's socket:// does; nn_bind() takes one that listens, as
 * from a service manager, and speaks SP over TCP, or of ipc when it is local, so that any peer of tcp:// and ipc:// can
 * come. */
#include "streams/stream_endpoint.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

struct descriptor_endpoint {
    struct sp_stream_endpoint stream; /* first; when it is bound: its listener */
    struct sp_connection_owner owner; /* when it is connected */
};

static int get_int(int fd, int option)
{
    int value;
    socklen_t size = sizeof value;

    return getsockopt(fd, SOL_SOCKET, option, &value, &size) < 0 ? -errno : value;
}

/* Reads the number of a stream socket. Returns it, -EINVAL (no such number), or -ENOTSOCK. */
static int read_descriptor(const char *text)
{
    char *end;

    if (*text < '0' || *text > '9')
        return -EINVAL;
    errno = 0;
    long fd = strtol(text, &end, 10);
    if (*end != '\0' || errno != 0 || fd > INT32_MAX)
        return -EINVAL;
    int type = get_int((int)fd, SO_TYPE);
    if (type < 0)
        return type == -ENOTSOCK ? type : -EINVAL;
    return type == SOCK_STREAM ? (int)fd : -EINVAL;
}

/* A local socket that listens is a peer of ipc. */
static bool is_local(int fd)
{
    struct sockaddr_storage name = {0};
    socklen_t length = sizeof name;

    return getsockname(fd, (struct sockaddr *)&name, &length) == 0 && name.ss_family == AF_UNIX;
}

static int descriptor_bind(struct nn_endpoint *base, const char *text)
{
    int fd = read_descriptor(text);

    if (fd < 0)
        return fd;
    if (get_int(fd, SO_ACCEPTCONN) != 1)
        return -EINVAL;
    int own = sp_descriptor_duplicate(fd); /* a failure leaves the user's as it was */
    if (own < 0)
        return own;
    const struct sp_framing *framing = is_local(fd) ? &sp_ipc_framing : &sp_tcp_framing;
    int rc = sp_stream_endpoint_accept(base, framing, own);
    if (rc == 0)
        close(fd);
    return rc;
}

/* There is no address to connect to again: the endpoint stays without a peer. */
static void descriptor_ended(struct sp_connection_owner *owner, bool was_admitted, int error)
{
    (void)was_admitted;
    if (error != 0 && !owner->endpoint->is_closed)
        sp_endpoint_set_error(owner->endpoint, error);
}

static int descriptor_connect(struct nn_endpoint *base, const char *text)
{
    struct descriptor_endpoint *self = nn_endpoint_data(base);
    struct sp_socket_address peer = {.length = sizeof peer.storage};
    int fd = read_descriptor(text);

    if (fd < 0)
        return fd;
    if (getpeername(fd, (struct sockaddr *)&peer.storage, &peer.length) < 0)
        return -errno;
    int own = sp_descriptor_duplicate(fd); /* a failure leaves the user's as it was */
    if (own < 0)
        return own;
    sp_connection_owner_init(&self->owner, base, &sp_tcp_framing, NULL, NULL, descriptor_ended);
    int rc = sp_connection_open(&self->owner, own, NULL);
    if (rc < 0)
        return rc;
    base->socket->statistics.established_connections++;
    close(fd);
    return 0;
}

static void descriptor_close(struct nn_endpoint *base)
{
    struct descriptor_endpoint *self = nn_endpoint_data(base);

    if (base->is_bound)
        sp_listener_close(&self->stream.listener);
    else
        sp_connection_owner_abandon(&self->owner);
}

const struct nn_transport sp_descriptor_transport = {
    .version = NN_TRANSPORT_VERSION,
    .scheme = "socket",
    .endpoint_bytes = sizeof(struct descriptor_endpoint),
    .bind = descriptor_bind,
    .connect = descriptor_connect,
    .close = descriptor_close,
};
