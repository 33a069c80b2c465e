/* What the kernel knows of a stream socket. */
#include "platform/stream_io.h"

#include <sys/ioctl.h>

size_t sp_io_unread_bytes(int fd)
{
    int count = 0;

    return ioctl(fd, FIONREAD, &count) < 0 || count < 0 ? 0 : (size_t)count;
}
