/* The addresses and the peer of a byte-stream connection. */
#include "streams/stream_peer_info.h"

#include "core/monitor.h"
#include "core/socket_state.h"

#include "streams/net_address.h"

#include <stdio.h>
#include <string.h>

static bool is_internet(const struct sp_socket_address *address)
{
    return address->storage.ss_family == AF_INET || address->storage.ss_family == AF_INET6;
}

/* Whose address it is: only the listening side's can be connected to. */
enum side { CONNECTING_SIDE, LISTENING_SIDE };

/* The path that follows the port, of WebSocket; empty when there is none. */
static const char *path_of(const struct nn_endpoint *endpoint)
{
    const char *path = strchr(strstr(endpoint->address, "://") + 3, '/');

    return path != NULL ? path : "";
}

/* Paths are those of the endpoint: peers of ipc have none of their own. */
static void write_address(char buffer[NN_EVENT_ADDRESS_BYTES], const struct nn_endpoint *endpoint, enum side side,
                          const struct sp_socket_address *address)
{
    char place[NN_SOCKADDR_MAX + 1];

    if (is_internet(address)) {
        sp_net_address_write(address, place, sizeof place);
        snprintf(buffer, NN_EVENT_ADDRESS_BYTES, "%s://%s%s", endpoint->transport->scheme, place,
                 side == LISTENING_SIDE ? path_of(endpoint) : "");
    } else {
        snprintf(buffer, NN_EVENT_ADDRESS_BYTES, "%s", endpoint->address);
    }
}

typedef int name_of_side(int fd, struct sockaddr *name, socklen_t *length);

static void ask(name_of_side *ask_kernel, int fd, char buffer[NN_EVENT_ADDRESS_BYTES],
                const struct nn_endpoint *endpoint, enum side side)
{
    struct sp_socket_address address = {.length = sizeof address.storage};

    if (ask_kernel(fd, (struct sockaddr *)&address.storage, &address.length) < 0)
        buffer[0] = '\0';
    else
        write_address(buffer, endpoint, side, &address);
}

void sp_stream_addresses(const struct nn_endpoint *endpoint, int fd, char *local, char *remote)
{
    ask(sp_net_own_name, fd, local, endpoint, endpoint->is_bound ? LISTENING_SIDE : CONNECTING_SIDE);
    ask(sp_net_peer_name, fd, remote, endpoint, endpoint->is_bound ? CONNECTING_SIDE : LISTENING_SIDE);
}

void sp_stream_peer_info(struct sp_peer_info *info, const struct nn_endpoint *endpoint, int fd)
{
    sp_peer_info_set_endpoint(info, endpoint);
    if (fd >= 0)
        sp_stream_addresses(endpoint, fd, info->local, info->remote);
}

void sp_stream_connect_failed(struct nn_endpoint *endpoint, const struct sp_socket_address *address, int error)
{
    char remote[NN_EVENT_ADDRESS_BYTES] = "";

    if (address != NULL)
        write_address(remote, endpoint, LISTENING_SIDE, address);
    sp_monitor_failed(endpoint, remote, error);
}

void sp_stream_rejected(struct nn_endpoint *endpoint, int fd, int protocol, int error, const char *problem)
{
    struct sp_peer_info info;

    /* Strangers that a listener turns away cost no system calls unless the socket is monitored. */
    bool is_wanted = endpoint->socket->monitor != NULL || !endpoint->is_bound;

    sp_stream_peer_info(&info, endpoint, is_wanted ? fd : -1);
    if (problem != NULL)
        sp_peer_info_note(&info, NN_PEER_PROBLEM, problem, strlen(problem));
    sp_monitor_rejected(endpoint, &info, protocol, error);
    sp_peer_info_clear(&info);
}
