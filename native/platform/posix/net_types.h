/* The headers of sockets of POSIX. */
#ifndef SP_PLATFORM_POSIX_NET_TYPES_H
#define SP_PLATFORM_POSIX_NET_TYPES_H

#include <arpa/inet.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#endif
