/* Folders by /proc. */
#include "platform/file.h"

#include "platform/descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

int sp_folder_open(const char *path, char *short_path, size_t bytes)
{
    int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    snprintf(short_path, bytes, "/proc/self/fd/%d", fd);
    return sp_fd_opened(fd);
}
