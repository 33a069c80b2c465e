/* Whose process a local peer is. */
#include "platform/descriptor.h"

#include "platform/file.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>
#include <unistd.h>

bool sp_fd_peer_process(int fd, struct sp_peer_process *process)
{
    struct sockaddr_storage own = {0};
    socklen_t own_length = sizeof own;
    uid_t uid;
    gid_t gid;
    pid_t pid;
    socklen_t size = sizeof pid;

    /* The options of local sockets have numbers that others have, too. */
    if (getsockname(fd, (struct sockaddr *)&own, &own_length) < 0 || own.ss_family != AF_UNIX ||
        getpeereid(fd, &uid, &gid) < 0 || getsockopt(fd, SOL_LOCAL, LOCAL_PEERPID, &pid, &size) < 0)
        return false;
    *process = (struct sp_peer_process){.pid = pid, .uid = uid, .gid = gid};
    return true;
}

bool sp_fd_has_abstract_names(void)
{
    return false;
}

int sp_folder_open(const char *path, char *short_path, size_t bytes)
{
    (void)path;
    (void)short_path;
    (void)bytes;
    return -ENOTSUP;
}
