/* The endpoints of packet://: listening, connecting, and connecting again. */
#include "packet.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 64
/* Accepted for one event, so that other sockets of the loop have their turn. */
#define ACCEPT_BURST 16

static int fill_address(const char *path, struct sockaddr_un *address)
{
    if (*path == '\0')
        return -EINVAL;
    if (strlen(path) >= sizeof address->sun_path)
        return -ENAMETOOLONG;
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    strcpy(address->sun_path, path);
    return 0;
}

static int open_socket(void)
{
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    return fd < 0 ? -errno : fd;
}

/* ---- Listening ---- */

static void accept_peers(void *context, int events)
{
    struct packet_endpoint *self = context;
    struct nn_endpoint *endpoint = nn_endpoint_of_data(self);

    (void)events;
    for (int i = 0; i < ACCEPT_BURST; i++) {
        int fd = accept4(self->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            /* A real transport would stop watching for a while when descriptors have run out. */
            if (errno != EAGAIN && errno != EINTR)
                nn_endpoint_set_error(endpoint, -errno);
            return;
        }
        if (nn_endpoint_is_full(endpoint))
            close(fd); /* before the handshake: the peer shall not believe to be connected */
        else
            connection_open(endpoint, fd);
    }
}

static int listen_at(const struct sockaddr_un *address)
{
    int fd = open_socket();

    if (fd < 0)
        return fd;
    if (bind(fd, (const struct sockaddr *)address, sizeof *address) < 0 || listen(fd, BACKLOG) < 0) {
        int rc = -errno;
        close(fd);
        return rc;
    }
    return fd;
}

static int packet_bind(struct nn_endpoint *endpoint, const char *path)
{
    struct packet_endpoint *self = nn_endpoint_data(endpoint);
    struct sockaddr_un address;
    int rc = fill_address(path, &address);

    if (rc == 0)
        rc = listen_at(&address);
    if (rc < 0)
        return rc;
    self->fd = rc;
    self->path = path;
    self->watch = nn_watch_open(endpoint, self->fd, accept_peers, self);
    rc = self->watch != NULL ? nn_watch_want(self->watch, NN_POLLIN) : -ENOMEM;
    if (rc < 0) {
        if (self->watch != NULL)
            nn_watch_close(self->watch);
        close(self->fd);
        unlink(path);
    }
    return rc;
}

/* ---- Connecting ---- */

static void wait_and_retry(struct packet_endpoint *self, int error)
{
    struct nn_endpoint *endpoint = nn_endpoint_of_data(self);
    int delay_ms = 0;

    nn_endpoint_option(endpoint, NN_SOL_SOCKET, NN_RECONNECT_IVL, &delay_ms);
    if (error != 0)
        nn_endpoint_set_error(endpoint, error);
    nn_endpoint_set_connecting(endpoint, true);
    nn_timer_start(self->retry, delay_ms > 0 ? delay_ms : 1); /* never without a pause */
}

/* Connecting to a local socket is done at once, or fails: there is nothing to wait for. */
static int connect_to(const char *path)
{
    struct sockaddr_un address;
    int rc = fill_address(path, &address);
    int fd = rc == 0 ? open_socket() : rc;

    if (fd < 0)
        return fd;
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) < 0) {
        rc = -errno;
        close(fd);
        return rc;
    }
    return fd;
}

static void try_to_connect(void *context)
{
    struct packet_endpoint *self = context;
    struct nn_endpoint *endpoint = nn_endpoint_of_data(self);
    int fd = nn_endpoint_is_full(endpoint) ? -EBUSY : connect_to(self->path);

    if (fd >= 0) {
        self->connection = connection_open(endpoint, fd);
        if (self->connection == NULL)
            fd = -ENOMEM;
    }
    if (fd < 0)
        wait_and_retry(self, fd);
    else
        nn_endpoint_set_connecting(endpoint, false);
}

void packet_disconnected(struct nn_endpoint *endpoint, int error)
{
    struct packet_endpoint *self = nn_endpoint_data(endpoint);

    self->connection = NULL;
    if (!self->is_closed)
        wait_and_retry(self, error);
}

static int packet_connect(struct nn_endpoint *endpoint, const char *path)
{
    struct packet_endpoint *self = nn_endpoint_data(endpoint);
    struct sockaddr_un address;
    int rc = fill_address(path, &address);

    if (rc < 0)
        return rc;
    self->path = path;
    self->retry = nn_timer_open(endpoint, try_to_connect, self);
    if (self->retry == NULL)
        return -ENOMEM;
    try_to_connect(self);
    return 0;
}

/* ---- The end ---- */

static void packet_close(struct nn_endpoint *endpoint)
{
    struct packet_endpoint *self = nn_endpoint_data(endpoint);

    self->is_closed = true;
    if (nn_endpoint_is_bound(endpoint)) {
        nn_watch_close(self->watch);
        close(self->fd);
        unlink(self->path);
    } else {
        nn_timer_close(self->retry);
    }
    connection_abandon_handshakes(self);
}

static const struct nn_transport packet_transport = {
    .version = NN_TRANSPORT_VERSION,
    .scheme = "packet",
    .endpoint_bytes = sizeof(struct packet_endpoint),
    .bind = packet_bind,
    .connect = packet_connect,
    .close = packet_close,
    .pipe = &connection_operations,
};

int packet_register(void)
{
    return nn_transport_register(&packet_transport);
}
