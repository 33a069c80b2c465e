/* ipc://PATH: SP over AF_UNIX stream sockets; unix://PATH, as NNG has it, is another name for the same. */
#include "streams/stream_endpoint.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define IPC_BACKLOG 128

struct ipc_endpoint {
    struct sp_stream_endpoint stream; /* first */
    dev_t device;                     /* of the socket file that we made, so that we remove no other */
    ino_t inode;
};

static struct ipc_endpoint *ipc_endpoint_of(struct nn_endpoint *base)
{
    return nn_endpoint_data(base);
}

static int ipc_address(const char *path, struct sp_socket_address *address)
{
    struct sockaddr_un *unix_address = (struct sockaddr_un *)&address->storage;
    size_t length = strlen(path);

    if (length >= sizeof unix_address->sun_path)
        return -ENAMETOOLONG;
    memset(unix_address, 0, sizeof *unix_address);
    unix_address->sun_family = AF_UNIX;
    memcpy(unix_address->sun_path, path, length + 1);
    /* Without a path the kernel chooses an abstract name. */
    address->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (length > 0 ? length + 1 : 0));
    return 0;
}

/* Returns 0 when nobody listens at the address, -EADDRINUSE when somebody does, or why that cannot be told. */
static int check_unanswered(const struct sp_socket_address *address, const struct sp_options *options)
{
    bool is_connected;
    int fd = sp_descriptor_connect(address, NULL, options, &is_connected);

    if (fd >= 0)
        sp_descriptor_close(fd);
    switch (fd) {
    case -ECONNREFUSED:
    case -ENOENT:
        return 0;
    case -EMFILE:
    case -ENFILE:
    case -ENOBUFS:
    case -ENOMEM:
        return fd;
    default:
        return -EADDRINUSE;
    }
}

/* Removes the socket that a dead process has left at the path; nothing else is ever removed. Returns 0, also when
 * there is nothing, or -errno. */
static int remove_stale_socket(const char *path, const struct sp_socket_address *address,
                               const struct sp_options *options)
{
    struct stat status;

    if (lstat(path, &status) < 0)
        return 0; /* bind will say what is wrong, if anything is */
    if (!S_ISSOCK(status.st_mode))
        return -EADDRINUSE;
    int rc = check_unanswered(address, options);
    if (rc < 0)
        return rc;
    return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}

static int ipc_bind(struct nn_endpoint *base, const char *path)
{
    struct ipc_endpoint *self = ipc_endpoint_of(base);
    struct sp_socket_address address;
    struct stat status;
    int rc = ipc_address(path, &address);

    if (rc < 0)
        return rc;
    if (*path != '\0' && (rc = remove_stale_socket(path, &address, &base->options)) < 0)
        return rc;
    rc = sp_listener_open(&self->stream.listener, base, &sp_ipc_framing, &address, IPC_BACKLOG);
    if (rc == 0 && *path != '\0' && lstat(path, &status) == 0) {
        self->device = status.st_dev;
        self->inode = status.st_ino;
    }
    return rc;
}

static int ipc_connect(struct nn_endpoint *base, const char *path)
{
    struct sp_dialer_target target = {.family = AF_UNIX};
    int rc = ipc_address(path, &target.address);

    return rc < 0 ? rc : sp_dialer_open(&sp_stream_endpoint_of(base)->dialer, base, &sp_ipc_framing, &target);
}

static void remove_own_socket(const struct nn_endpoint *base)
{
    const struct ipc_endpoint *self = nn_endpoint_data(base);
    const char *path = strstr(base->address, "://") + 3;
    struct stat status;

    if (self->inode != 0 && lstat(path, &status) == 0 && status.st_dev == self->device && status.st_ino == self->inode)
        unlink(path);
}

static void ipc_close(struct nn_endpoint *base)
{
    if (base->is_bound)
        remove_own_socket(base);
    sp_stream_endpoint_close(base);
}

const struct nn_transport sp_ipc_transport = {
    .version = NN_TRANSPORT_VERSION,
    .scheme = "ipc",
    .endpoint_bytes = sizeof(struct ipc_endpoint),
    .bind = ipc_bind,
    .connect = ipc_connect,
    .close = ipc_close,
};

const struct nn_transport sp_unix_transport = {
    .version = NN_TRANSPORT_VERSION,
    .scheme = "unix",
    .endpoint_bytes = sizeof(struct ipc_endpoint),
    .bind = ipc_bind,
    .connect = ipc_connect,
    .close = ipc_close,
};
