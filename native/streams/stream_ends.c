/* Who is at the ends of a connection. */
#include "streams/stream_ends.h"

#include "core/monitor.h"
#include "core/socket_state.h"

#include "streams/net_address.h"

#include <stdio.h>
#include <string.h>

static bool is_internet(const struct sp_socket_address *address)
{
    return address->storage.ss_family == AF_INET || address->storage.ss_family == AF_INET6;
}

/* Which end of a connection an address is: only that which listens can be connected to. */
enum end { CALLING_END, LISTENING_END };

/* The path that follows the port, of WebSocket; empty when there is none. */
static const char *path_of(const struct nn_endpoint *endpoint)
{
    const char *path = strchr(strstr(endpoint->address, "://") + 3, '/');

    return path != NULL ? path : "";
}

/* Paths are told as the endpoint has them: peers of ipc have none of their own. */
static void write_address(char buffer[NN_EVENT_ADDRESS_BYTES], const struct nn_endpoint *endpoint, enum end end,
                          const struct sp_socket_address *address)
{
    char place[NN_SOCKADDR_MAX + 1];

    if (is_internet(address)) {
        sp_net_address_write(address, place, sizeof place);
        snprintf(buffer, NN_EVENT_ADDRESS_BYTES, "%s://%s%s", endpoint->transport->scheme, place,
                 end == LISTENING_END ? path_of(endpoint) : "");
    } else {
        snprintf(buffer, NN_EVENT_ADDRESS_BYTES, "%s", endpoint->address);
    }
}

typedef int name_of_end(int fd, struct sockaddr *name, socklen_t *length);

static void ask(name_of_end *ask_kernel, int fd, char buffer[NN_EVENT_ADDRESS_BYTES],
                const struct nn_endpoint *endpoint, enum end end)
{
    struct sp_socket_address address = {.length = sizeof address.storage};

    if (ask_kernel(fd, (struct sockaddr *)&address.storage, &address.length) < 0)
        buffer[0] = '\0';
    else
        write_address(buffer, endpoint, end, &address);
}

void sp_stream_addresses(const struct nn_endpoint *endpoint, int fd, char *local, char *remote)
{
    ask(getsockname, fd, local, endpoint, endpoint->is_bound ? LISTENING_END : CALLING_END);
    ask(getpeername, fd, remote, endpoint, endpoint->is_bound ? CALLING_END : LISTENING_END);
}

void sp_stream_ends(struct sp_peer_info *ends, const struct nn_endpoint *endpoint, int fd)
{
    sp_peer_info_set_endpoint(ends, endpoint);
    if (fd >= 0)
        sp_stream_addresses(endpoint, fd, ends->local, ends->remote);
}

void sp_stream_connect_failed(struct nn_endpoint *endpoint, const struct sp_socket_address *address, int error)
{
    char remote[NN_EVENT_ADDRESS_BYTES] = "";

    if (endpoint->socket->monitor == NULL)
        return;
    if (address != NULL)
        write_address(remote, endpoint, LISTENING_END, address);
    sp_monitor_failed(endpoint, remote, error);
}

void sp_stream_rejected(struct nn_endpoint *endpoint, int fd, int protocol, int error)
{
    struct sp_peer_info ends;

    if (endpoint->socket->monitor == NULL)
        return;
    sp_stream_ends(&ends, endpoint, fd);
    sp_monitor_rejected(endpoint, &ends, protocol, error);
}
