/* Sockets that are made as they have to be in one call. */
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
