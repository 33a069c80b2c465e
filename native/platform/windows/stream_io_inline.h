/* WSARecv and WSASend on sockets that do not block. */
#ifndef SP_PLATFORM_WINDOWS_STREAM_IO_INLINE_H
#define SP_PLATFORM_WINDOWS_STREAM_IO_INLINE_H

#include "net_types.h"

ssize_t sp_io_read(int fd, const struct iovec *vectors, int count);
ssize_t sp_io_receive(int fd, void *bytes, size_t count);
ssize_t sp_io_write(int fd, struct iovec *vectors, int count);

#endif
