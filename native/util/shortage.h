/* Why the C library found nothing. */
#ifndef SP_SHORTAGE_H
#define SP_SHORTAGE_H

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* Functions such as getaddrinfo() and if_nametoindex() find nothing where no descriptor is left for their files and
 * sockets, and do not report why. Returns -EMFILE or -ENFILE where that is so, or 0. */
static inline int sp_descriptor_shortage(void)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return errno == EMFILE || errno == ENFILE ? -errno : 0;
    close(fd);
    return 0;
}

#endif
