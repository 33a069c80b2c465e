/* ipc://PATH: SP over AF_UNIX stream sockets; unix://PATH, as NNG has it, is another name for the same. */
#include "streams/local_path.h"
#include "streams/stream_endpoint.h"

#include <string.h>

struct ipc_endpoint {
    struct sp_stream_endpoint stream; /* first */
    struct sp_local_file file;        /* when it is bound */
};

static struct ipc_endpoint *ipc_endpoint_of(struct nn_endpoint *base)
{
    return nn_endpoint_data(base);
}

static int ipc_bind(struct nn_endpoint *base, const char *path)
{
    struct ipc_endpoint *self = ipc_endpoint_of(base);
    int fd = sp_local_path_listen(path, &base->socket->options, &self->file);

    if (fd < 0)
        return fd;
    int rc = sp_stream_endpoint_accept(base, &sp_ipc_framing, fd);
    if (rc < 0)
        sp_local_path_remove(path, &self->file);
    return rc;
}

static int ipc_connect(struct nn_endpoint *base, const char *path)
{
    struct sp_dialer_target target = {.family = AF_UNIX};
    int rc = sp_local_path_address(path, &target.address);

    return rc < 0 ? rc : sp_stream_endpoint_connect(base, &sp_ipc_framing, &target);
}

static void ipc_close(struct nn_endpoint *base)
{
    if (base->is_bound)
        sp_local_path_remove(strstr(base->address, "://") + 3, &ipc_endpoint_of(base)->file);
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
