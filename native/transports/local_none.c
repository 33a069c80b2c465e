/* In place of the transports of local sockets where the system has no such sockets. */
#include "transports/transports.h"

#include <errno.h>

static int refuse(struct nn_endpoint *endpoint, const char *rest)
{
    (void)endpoint;
    (void)rest;
    return -EPROTONOSUPPORT;
}

static void close_nothing(struct nn_endpoint *endpoint)
{
    (void)endpoint;
}

#define NONE(its_scheme)                                                                                               \
    {                                                                                                                  \
        .version = NN_TRANSPORT_VERSION, .scheme = (its_scheme), .bind = refuse, .connect = refuse,                    \
        .close = close_nothing,                                                                                        \
    }

const struct nn_transport sp_ipc_transport = NONE("ipc");
const struct nn_transport sp_unix_transport = NONE("unix");
const struct nn_transport sp_abstract_transport = NONE("abstract");
const struct nn_transport sp_descriptor_transport = NONE("socket");
