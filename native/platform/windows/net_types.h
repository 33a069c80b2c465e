/* The headers of Winsock, and what POSIX has beside them. A socket's handle is kept as an int: handles fit in
 * 32 bits. */
#ifndef SP_PLATFORM_WINDOWS_NET_TYPES_H
#define SP_PLATFORM_WINDOWS_NET_TYPES_H

#include "windows_headers.h"

#include <errno.h>
#include <iphlpapi.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <ws2tcpip.h>

#undef interface

/* Which some headers name and do not define. */
#ifndef NDIS_IF_MAX_STRING_SIZE
#define NDIS_IF_MAX_STRING_SIZE IF_MAX_STRING_SIZE
#endif

struct iovec {
    void *iov_base;
    size_t iov_len;
};

static inline SOCKET sp_socket_of(int fd)
{
    return fd < 0 ? INVALID_SOCKET : (SOCKET)(unsigned)fd;
}

/* What an error of Windows or of Winsock is in errno.h. */
int sp_windows_errno(DWORD code);

static inline int sp_winsock_errno(void)
{
    return sp_windows_errno((DWORD)WSAGetLastError());
}

/* Once, before any socket is used. Returns 0 or -errno. */
int sp_winsock_start(void);

#endif
