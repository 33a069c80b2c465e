/* readv(2), recv(2) and sendmsg(2). */
#ifndef SP_PLATFORM_POSIX_STREAM_IO_INLINE_H
#define SP_PLATFORM_POSIX_STREAM_IO_INLINE_H

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>

static inline ssize_t sp_io_read(int fd, const struct iovec *vectors, int count)
{
    ssize_t rc;

    do {
        rc = readv(fd, vectors, count);
    } while (rc < 0 && errno == EINTR);
    return rc < 0 ? -errno : rc;
}

/* Does not block even where the descriptor would. */
static inline ssize_t sp_io_receive(int fd, void *bytes, size_t count)
{
    ssize_t rc;

    do {
        rc = recv(fd, bytes, count, MSG_DONTWAIT);
    } while (rc < 0 && errno == EINTR);
    return rc < 0 ? -errno : rc;
}

static inline ssize_t sp_io_write(int fd, struct iovec *vectors, int count)
{
    struct msghdr header = {.msg_iov = vectors};
    ssize_t rc;

    header.msg_iovlen = (__typeof__(header.msg_iovlen))count; /* whose type systems disagree about */

    do {
        rc = sendmsg(fd, &header, MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (rc < 0 && errno == EINTR);
    if (rc < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS))
        return 0;
    return rc < 0 ? -errno : rc;
}

#endif
