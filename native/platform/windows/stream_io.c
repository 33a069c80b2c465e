/* WSARecv and WSASend on sockets that do not block. */
#include "platform/stream_io.h"

#include <errno.h>
#include <stdbool.h>

/* More vectors are taken in several calls. */
#define MAX_BUFFERS 64

/* Returns how many of the vectors stand in `buffers`; one of them has at most as many bytes as a call can count. */
static DWORD buffers_of(const struct iovec *vectors, int count, WSABUF buffers[MAX_BUFFERS])
{
    int taken = 0;

    while (taken < count && taken < MAX_BUFFERS) {
        bool is_whole = vectors[taken].iov_len <= INT32_MAX;
        buffers[taken].buf = vectors[taken].iov_base;
        buffers[taken].len = is_whole ? (ULONG)vectors[taken].iov_len : INT32_MAX;
        taken++;
        if (!is_whole)
            break;
    }
    return (DWORD)taken;
}

ssize_t sp_io_read(int fd, const struct iovec *vectors, int count)
{
    WSABUF buffers[MAX_BUFFERS];
    DWORD received = 0;
    DWORD flags = 0;

    if (WSARecv(sp_socket_of(fd), buffers, buffers_of(vectors, count, buffers), &received, &flags, NULL, NULL) != 0)
        return -sp_winsock_errno();
    return (ssize_t)received;
}

ssize_t sp_io_receive(int fd, void *bytes, size_t count)
{
    struct iovec vector = {.iov_base = bytes, .iov_len = count};

    return sp_io_read(fd, &vector, 1);
}

ssize_t sp_io_write(int fd, struct iovec *vectors, int count)
{
    WSABUF buffers[MAX_BUFFERS];
    DWORD sent = 0;

    if (WSASend(sp_socket_of(fd), buffers, buffers_of(vectors, count, buffers), &sent, 0, NULL, NULL) == 0)
        return (ssize_t)sent;
    int error = sp_winsock_errno();
    return error == EAGAIN || error == ENOBUFS ? 0 : -error;
}

size_t sp_io_unread_bytes(int fd)
{
    u_long count = 0;

    return ioctlsocket(sp_socket_of(fd), FIONREAD, &count) != 0 ? 0 : count;
}
