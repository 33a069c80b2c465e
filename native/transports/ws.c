/* ws://[interface;]host:port[/path]: SP over WebSocket. wss://: the same inside of TLS. */
#include "streams/net_address.h"
#include "streams/ws_address.h"
#include "streams/ws_endpoint.h"
#include "streams/ws_framing.h"

#include <stdio.h>
#include <string.h>

#define DEFAULT_PORT ":80"
#define SECURE_DEFAULT_PORT ":443"

static int ws_bind(struct nn_endpoint *base, const char *text)
{
    struct sp_ws_endpoint *self = sp_ws_endpoint_of(base);
    struct sp_socket_address address;
    struct sp_ws_address parts;
    int rc = sp_ws_address_parse(&parts, text, true);

    if (rc < 0)
        return rc;
    strcpy(self->path, parts.path);
    rc = sp_net_address_to_bind(parts.place, base->options.ipv4_only, &address);
    if (rc < 0 || (rc = sp_stream_endpoint_secure(base, NULL)) < 0)
        return rc;
    rc = sp_ws_endpoint_listen(self, &address);
    if (rc < 0)
        sp_stream_endpoint_unsecure(base);
    return rc;
}

static int ws_connect(struct nn_endpoint *base, const char *text)
{
    struct sp_ws_endpoint *self = sp_ws_endpoint_of(base);
    struct sp_dialer_target target;
    struct sp_ws_address parts;
    char place[sizeof parts.place + sizeof SECURE_DEFAULT_PORT];
    int rc = sp_ws_address_parse(&parts, text, false);

    if (rc < 0)
        return rc;
    sp_ws_address_write_host(&parts, self->host);
    strcpy(self->path, sp_ws_address_asked_path(&parts));
    const char *port = parts.has_port ? "" : self->stream.is_secure ? SECURE_DEFAULT_PORT : DEFAULT_PORT;
    snprintf(place, sizeof place, "%s%s", parts.place, port);
    rc = sp_net_address_to_connect(place, base->options.ipv4_only, &target);
    if (rc < 0 || (rc = sp_stream_endpoint_secure(base, &target)) < 0)
        return rc;
    return sp_stream_endpoint_connect(base, &sp_ws_client_framing, &target);
}

static int wss_bind(struct nn_endpoint *base, const char *text)
{
    sp_stream_endpoint_of(base)->is_secure = true;
    return ws_bind(base, text);
}

static int wss_connect(struct nn_endpoint *base, const char *text)
{
    sp_stream_endpoint_of(base)->is_secure = true;
    return ws_connect(base, text);
}

/* Other sockets of the port look at what is expected of peers, under the lock of the paths. */
static int wss_renew(struct nn_endpoint *base)
{
    sp_ws_paths_lock();
    int rc = sp_stream_endpoint_renew(base);
    sp_ws_paths_unlock();
    return rc;
}

static void ws_close(struct nn_endpoint *base)
{
    if (base->is_bound) {
        sp_ws_endpoint_stop_listening(sp_ws_endpoint_of(base));
        sp_stream_endpoint_unsecure(base);
    } else {
        sp_stream_endpoint_close(base);
    }
}

/* A bound endpoint reports the port that the system chose; a connecting one what it was given. */
static void ws_address(const struct nn_endpoint *base, char *buffer)
{
    const struct sp_ws_endpoint *self = nn_endpoint_data(base);

    if (!base->is_bound) {
        strcpy(buffer, strstr(base->address, "://") + 3);
        return;
    }
    sp_net_address_write(&self->port_address, buffer, NN_SOCKADDR_MAX + 1);
    strncat(buffer, self->path, NN_SOCKADDR_MAX - strlen(buffer));
}

const struct nn_transport sp_ws_transport = {
    .version = NN_TRANSPORT_VERSION,
    .scheme = "ws",
    .endpoint_bytes = sizeof(struct sp_ws_endpoint),
    .bind = ws_bind,
    .connect = ws_connect,
    .close = ws_close,
    .address = ws_address,
};

const struct nn_transport sp_wss_transport = {
    .version = NN_TRANSPORT_VERSION,
    .scheme = "wss",
    .endpoint_bytes = sizeof(struct sp_ws_endpoint),
    .bind = wss_bind,
    .connect = wss_connect,
    .close = ws_close,
    .address = ws_address,
    .renew = wss_renew,
};
