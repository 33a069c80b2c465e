/* Modes of files by /proc: chmod(2) follows symbolic links, and what does not is missing in kernels before 6.6. */
#include "platform/file.h"

#include "platform/descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

static int set_mode_of(int fd, mode_t mode)
{
    struct stat status;
    char path[32];

    if (fstat(fd, &status) < 0)
        return -errno;
    if (!S_ISSOCK(status.st_mode))
        return -EEXIST;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (chmod(path, mode) < 0)
        return errno == ENOENT ? -ENOTSUP : -errno; /* there is no /proc */
    return 0;
}

int sp_file_set_mode(const char *path, mode_t mode)
{
    int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    sp_fd_opened(fd);
    int rc = set_mode_of(fd, mode);
    sp_fd_close(fd);
    return rc;
}
