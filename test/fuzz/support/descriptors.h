/* Whether a run has left a descriptor open. */
#ifndef FUZZ_DESCRIPTORS_H
#define FUZZ_DESCRIPTORS_H

#include <fcntl.h>
#include <unistd.h>

/* The lowest free number, which a descriptor that is left open below it raises. */
static inline int descriptors_first_free(void)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    if (fd >= 0)
        close(fd);
    return fd;
}

#endif
