/* Whether descriptors are short is found out by opening one. */
#include "platform/descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int sp_fd_shortage(void)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return errno == EMFILE || errno == ENFILE ? -errno : 0;
    close(fd);
    return 0;
}
