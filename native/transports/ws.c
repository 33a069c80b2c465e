/* ws://[interface;]host:port[/path]: SP over WebSocket. wss://: the same inside of TLS. */
#include "streams/net_address.h"
#include "streams/ws_endpoint.h"
#include "streams/ws_framing.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define WS_BACKLOG 128
#define DEFAULT_PORT ":80"
#define SECURE_DEFAULT_PORT ":443"

/* ---- Addresses ---- */

/* What can stand in a request line; a fragment means nothing there (RFC 6455, section 3). */
static bool is_path(const char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text <= ' ' || *text == 0x7f || *text == '#')
            return false;
    }
    return true;
}

/* Copies "[interface;]host:port" and returns the path, which may be empty. */
static const char *split(const char *text, char place[NN_SOCKADDR_MAX + 1])
{
    const char *slash = strchr(text, '/');
    size_t count = slash != NULL ? (size_t)(slash - text) : strlen(text);

    memcpy(place, text, count);
    place[count] = '\0';
    return text + count;
}

static bool has_port(const char *host)
{
    const char *bracket = strrchr(host, ']');

    return strchr(bracket != NULL ? bracket : host, ':') != NULL;
}

/* The host for the request, which names no interface of ours (RFC 6874, section 4): "[fe80::1%eth0]:80" without
 * %eth0. */
static void copy_host(char *to, const char *host)
{
    const char *percent = strchr(host, '%');
    const char *rest = percent != NULL ? strchr(percent, ']') : NULL;
    size_t count = rest != NULL ? (size_t)(percent - host) : strlen(host);

    memcpy(to, host, count);
    strcpy(to + count, rest != NULL ? rest : "");
}

/* A port behind the path is a mistake that libnanomsg reports as well. */
static bool ends_with_port(const char *path)
{
    const char *colon = strrchr(path, ':');

    return colon != NULL && colon[1] != '\0' && strspn(colon + 1, "0123456789") == strlen(colon + 1);
}

/* ---- Endpoints ---- */

static int ws_bind(struct nn_endpoint *base, const char *text)
{
    struct sp_ws_endpoint *self = sp_ws_endpoint_of(base);
    struct sp_socket_address address;
    char place[NN_SOCKADDR_MAX + 1];
    const char *path = split(text, place);

    if (!is_path(path) || strchr(path, '?') != NULL)
        return -EINVAL;
    strcpy(self->path, path);
    int rc = sp_net_address_to_bind(place, base->options.ipv4_only, &address);
    if (rc < 0 || (rc = sp_stream_endpoint_secure(base, NULL)) < 0)
        return rc;
    rc = sp_ws_endpoint_listen(self, &address, WS_BACKLOG);
    if (rc < 0)
        sp_stream_endpoint_unsecure(base);
    return rc;
}

static int ws_connect(struct nn_endpoint *base, const char *text)
{
    struct sp_ws_endpoint *self = sp_ws_endpoint_of(base);
    struct sp_dialer_target target;
    char place[NN_SOCKADDR_MAX + 1 + sizeof SECURE_DEFAULT_PORT];
    const char *path = split(text, place);
    const char *semicolon = strchr(place, ';');
    const char *host = semicolon != NULL ? semicolon + 1 : place;
    bool is_port_given = has_port(host);

    if (!is_path(path) || (!is_port_given && ends_with_port(path)))
        return -EINVAL;
    copy_host(self->host, host);
    snprintf(self->path, sizeof self->path, "%s", *path != '\0' ? path : "/");
    if (!is_port_given)
        strcat(place, self->stream.is_secure ? SECURE_DEFAULT_PORT : DEFAULT_PORT);
    int rc = sp_net_address_to_connect(place, base->options.ipv4_only, &target);
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
};
