/* The bytes of stream sockets. A peer that is gone is an error, and no signal. */
#ifndef SP_PLATFORM_STREAM_IO_H
#define SP_PLATFORM_STREAM_IO_H

#include "platform/net.h"

#include <stddef.h>

/* sp_io_read(fd, vectors, count): the number of bytes, 0 at the end of the stream, or -errno (-EAGAIN: there are none).
 * sp_io_receive(fd, bytes, count): the same into one place.
 * sp_io_write(fd, vectors, count): the number of bytes that the kernel has taken, which may be 0, or -errno.
 * None of them blocks. They are inline: each is a system call on every message's way. */
#include "stream_io_inline.h" /* of the platform that is built for */

/* How many bytes have come that are not read; 0 where that cannot be known. */
size_t sp_io_unread_bytes(int fd);

#endif
