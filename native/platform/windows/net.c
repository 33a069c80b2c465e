/* Calls of Winsock on sockets, and hosts' names. */
#include "platform/net.h"

#include <errno.h>

static int result_of(int rc)
{
    return rc == 0 ? 0 : -sp_winsock_errno();
}

int sp_net_bind(int fd, const struct sockaddr *address, socklen_t length)
{
    return result_of(bind(sp_socket_of(fd), address, length));
}

int sp_net_listen(int fd)
{
    return result_of(listen(sp_socket_of(fd), SP_MAX_WAITING_PEERS));
}

int sp_net_connect(int fd, const struct sockaddr *address, socklen_t length)
{
    int rc = result_of(connect(sp_socket_of(fd), address, length));

    return rc == -EAGAIN ? -EINPROGRESS : rc;
}

int sp_net_connect_result(int fd)
{
    int error = 0;
    int rc = sp_net_get_option(fd, SOL_SOCKET, SO_ERROR, &error);

    return rc < 0 || error == 0 ? rc : -sp_windows_errno((DWORD)error);
}

int sp_net_own_name(int fd, struct sockaddr *address, socklen_t *length)
{
    return result_of(getsockname(sp_socket_of(fd), address, length));
}

int sp_net_peer_name(int fd, struct sockaddr *address, socklen_t *length)
{
    return result_of(getpeername(sp_socket_of(fd), address, length));
}

int sp_net_set_option(int fd, int level, int option, int value)
{
    return result_of(setsockopt(sp_socket_of(fd), level, option, (const char *)&value, sizeof value));
}

int sp_net_get_option(int fd, int level, int option, int *value)
{
    int size = sizeof *value;

    return result_of(getsockopt(sp_socket_of(fd), level, option, (char *)value, &size));
}

/* Windows allows that by itself. Its SO_REUSEADDR lets a socket take a port from another one that listens there. */
void sp_net_reuse_port(int fd)
{
    (void)fd;
}

static void set_if(int fd, int option, int value)
{
    if (value > 0)
        sp_net_set_option(fd, IPPROTO_TCP, option, value);
}

/* None of these can fail in a way that a connection could not live with. */
void sp_net_keep_alive(int fd, int idle_s, int interval_s, int count)
{
    sp_net_set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
#ifndef TCP_KEEPIDLE /* of ws2tcpip.h, which older headers lack; the numbers are of Windows 10 */
#define TCP_KEEPIDLE 3
#define TCP_KEEPCNT 16
#define TCP_KEEPINTVL 17
#endif
    set_if(fd, TCP_KEEPIDLE, idle_s);
    set_if(fd, TCP_KEEPINTVL, interval_s);
    set_if(fd, TCP_KEEPCNT, count);
}

void sp_net_finish(int fd)
{
    shutdown(sp_socket_of(fd), SD_SEND);
}

int sp_net_find_host(const char *name, int family, struct addrinfo **found)
{
    struct addrinfo hints = {.ai_family = family, .ai_socktype = SOCK_STREAM};
    int rc = sp_winsock_start();

    if (rc < 0)
        return rc;
    rc = getaddrinfo(name, NULL, &hints, found);
    return rc == 0 ? 0 : -sp_windows_errno((DWORD)rc);
}
