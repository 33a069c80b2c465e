/* Whose process a local peer is. */
#include "platform/descriptor.h"

#include <sys/socket.h>

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
