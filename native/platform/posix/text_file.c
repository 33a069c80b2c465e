/* open(2), read(2). */
#include "platform/text_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

int sp_file_open(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a named pipe without a writer must not block */

    return fd < 0 ? -errno : fd;
}

int sp_file_read(int fd, void *bytes, size_t count)
{
    ssize_t rc = read(fd, bytes, count <= INT_MAX ? count : INT_MAX);

    return rc < 0 ? -errno : (int)rc;
}

void sp_file_close(int fd)
{
    close(fd);
}

bool sp_file_is_readable(const char *path)
{
    return access(path, R_OK) == 0;
}
