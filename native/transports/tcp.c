/* tcp://: SP over TCP. tls+tcp://: the same inside of TLS. */
#include "streams/net_address.h"
#include "streams/stream_endpoint.h"

#include <string.h>

static int tcp_bind(struct nn_endpoint *base, const char *text)
{
    struct sp_socket_address address;
    int rc = sp_net_address_to_bind(text, base->options.ipv4_only, &address);

    if (rc < 0 || (rc = sp_stream_endpoint_secure(base, NULL)) < 0)
        return rc;
    return sp_stream_endpoint_listen(base, &sp_tcp_framing, &address);
}

static int tcp_connect(struct nn_endpoint *base, const char *text)
{
    struct sp_dialer_target target;
    int rc = sp_net_address_to_connect(text, base->options.ipv4_only, &target);

    if (rc < 0 || (rc = sp_stream_endpoint_secure(base, &target)) < 0)
        return rc;
    return sp_stream_endpoint_connect(base, &sp_tcp_framing, &target);
}

static int tls_bind(struct nn_endpoint *base, const char *text)
{
    sp_stream_endpoint_of(base)->is_secure = true;
    return tcp_bind(base, text);
}

static int tls_connect(struct nn_endpoint *base, const char *text)
{
    sp_stream_endpoint_of(base)->is_secure = true;
    return tcp_connect(base, text);
}

/* A bound endpoint reports the port that the system chose; a connecting one what it was given. */
static void tcp_address(const struct nn_endpoint *base, char *buffer)
{
    const struct sp_stream_endpoint *self = nn_endpoint_data(base);
    struct sp_socket_address address = {.length = sizeof address.storage};

    if (base->is_bound &&
        sp_net_own_name(self->listener.watch.fd, (struct sockaddr *)&address.storage, &address.length) == 0)
        sp_net_address_write(&address, buffer, NN_SOCKADDR_MAX + 1);
    else
        strcpy(buffer, strstr(base->address, "://") + 3);
}

const struct nn_transport sp_tcp_transport = {
    .version = NN_TRANSPORT_VERSION,
    .scheme = "tcp",
    .endpoint_bytes = sizeof(struct sp_stream_endpoint),
    .bind = tcp_bind,
    .connect = tcp_connect,
    .close = sp_stream_endpoint_close,
    .address = tcp_address,
};

const struct nn_transport sp_tls_tcp_transport = {
    .version = NN_TRANSPORT_VERSION,
    .scheme = "tls+tcp",
    .endpoint_bytes = sizeof(struct sp_stream_endpoint),
    .bind = tls_bind,
    .connect = tls_connect,
    .close = sp_stream_endpoint_close,
    .address = tcp_address,
    .renew = sp_stream_endpoint_renew,
};
