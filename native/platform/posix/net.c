/* Calls on sockets, hosts' names and interfaces, as all systems of POSIX have them. */
#include "platform/net.h"

#include "platform/descriptor.h"

#include <errno.h>
#include <ifaddrs.h>
#include <limits.h>
#include <stddef.h>
#include <stdint.h>

int sp_net_bind(int fd, const struct sockaddr *address, socklen_t length)
{
    return bind(fd, address, length) < 0 ? -errno : 0;
}

int sp_net_listen(int fd)
{
    return listen(fd, SP_MAX_WAITING_PEERS) < 0 ? -errno : 0;
}

int sp_net_connect(int fd, const struct sockaddr *address, socklen_t length)
{
    if (connect(fd, address, length) == 0)
        return 0;
    return errno == EINTR ? -EINPROGRESS : -errno;
}

int sp_net_connect_result(int fd)
{
    int error = 0;
    int rc = sp_net_get_option(fd, SOL_SOCKET, SO_ERROR, &error);

    return rc < 0 ? rc : -error;
}

int sp_net_own_name(int fd, struct sockaddr *address, socklen_t *length)
{
    return getsockname(fd, address, length) < 0 ? -errno : 0;
}

int sp_net_peer_name(int fd, struct sockaddr *address, socklen_t *length)
{
    return getpeername(fd, address, length) < 0 ? -errno : 0;
}

int sp_net_set_option(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof value) < 0 ? -errno : 0;
}

int sp_net_get_option(int fd, int level, int option, int *value)
{
    socklen_t size = sizeof *value;

    return getsockopt(fd, level, option, value, &size) < 0 ? -errno : 0;
}

void sp_net_reuse_port(int fd)
{
    sp_net_set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
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
#ifdef TCP_KEEPIDLE
    set_if(fd, TCP_KEEPIDLE, idle_s);
#else
    set_if(fd, TCP_KEEPALIVE, idle_s); /* macOS */
#endif
    set_if(fd, TCP_KEEPINTVL, interval_s);
    set_if(fd, TCP_KEEPCNT, count);
#ifdef TCP_USER_TIMEOUT
    /* Questions are asked only while nothing is unconfirmed: what was sent to a peer that is gone has a limit, too. */
    int64_t limit_ms = ((int64_t)idle_s + (int64_t)interval_s * count) * 1000;
    if (idle_s > 0 && interval_s > 0 && count > 0)
        set_if(fd, TCP_USER_TIMEOUT, limit_ms < INT_MAX ? (int)limit_ms : INT_MAX);
#endif
}

void sp_net_finish(int fd)
{
    shutdown(fd, SHUT_WR);
}

/* ---- Names of hosts ---- */

static int error_of(int code)
{
    int shortage;

    if (code == 0)
        return 0;
    if (code != EAI_SYSTEM && (shortage = sp_fd_shortage()) < 0)
        return shortage;
    switch (code) {
    case EAI_SYSTEM:
        return -errno;
    case EAI_MEMORY:
        return -ENOMEM;
    case EAI_AGAIN:
        return -EAGAIN;
    default:
        return -EHOSTUNREACH;
    }
}

int sp_net_find_host(const char *name, int family, struct addrinfo **found)
{
    struct addrinfo hints = {.ai_family = family, .ai_socktype = SOCK_STREAM};

    return error_of(getaddrinfo(name, NULL, &hints, found));
}

/* ---- Interfaces ---- */

int sp_net_visit_interfaces(void (*visit)(void *context, const struct sp_net_interface *found), void *context)
{
    struct ifaddrs *interfaces;

    if (getifaddrs(&interfaces) < 0)
        return -errno;
    for (const struct ifaddrs *entry = interfaces; entry != NULL; entry = entry->ifa_next) {
        struct sp_net_interface found = {
            .name = entry->ifa_name, .address = entry->ifa_addr, .mask = entry->ifa_netmask};
        if (found.address != NULL)
            visit(context, &found);
    }
    freeifaddrs(interfaces);
    return 0;
}
