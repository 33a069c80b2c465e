/* Sockets that are made as they have to be in one call, and who is at their other end. */
#include "platform/descriptor.h"

#include <errno.h>
#include <sys/socket.h>

int sp_fd_socket(int family)
{
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    return fd < 0 ? -errno : sp_fd_opened(fd);
}

int sp_fd_accept(int fd, struct sockaddr_storage *peer)
{
    socklen_t length = sizeof *peer;

    *peer = (struct sockaddr_storage){.ss_family = AF_UNIX}; /* whose peers may have no address */
    int accepted = accept4(fd, (struct sockaddr *)peer, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (accepted < 0)
        return -errno;
    return sp_fd_opened(accepted);
}

bool sp_fd_peer_process(int fd, struct sp_peer_process *process)
{
    struct ucred peer;
    socklen_t size = sizeof peer;
    int family = AF_UNSPEC;
    socklen_t family_size = sizeof family;

    if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &family_size) < 0 || family != AF_UNIX ||
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
        return false;
    *process = (struct sp_peer_process){.pid = peer.pid, .uid = peer.uid, .gid = peer.gid};
    return true;
}

bool sp_fd_has_abstract_names(void)
{
    return true;
}
