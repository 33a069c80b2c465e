/* Sockets, where what they have to be is set by calls of its own. */
#include "platform/descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

/* Returns the descriptor or -errno. A program that another thread executes between both calls inherits it: there is no
 * help against that on these systems. */
static int prepare(int fd)
{
    if (fd < 0)
        return -errno;
    sp_fd_opened(fd);
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 || fcntl(fd, F_SETFL, O_NONBLOCK) < 0) {
        int error = errno;
        sp_fd_close(fd);
        return -error;
    }
#ifdef SO_NOSIGPIPE
    /* Beside MSG_NOSIGNAL, which not all of them know. It fails for a peer that is gone. */
    setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &(int){1}, sizeof(int));
#endif
    return fd;
}

int sp_fd_socket(int family)
{
    return prepare(socket(family, SOCK_STREAM, 0));
}

int sp_fd_accept(int fd, struct sockaddr_storage *peer)
{
    socklen_t length = sizeof *peer;

    *peer = (struct sockaddr_storage){.ss_family = AF_UNIX}; /* whose peers may have no address */
    return prepare(accept(fd, (struct sockaddr *)peer, &length));
}
