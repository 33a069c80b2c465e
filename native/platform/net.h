/* Sockets of the network: their types, and calls on them. What is bytes of streams stands in platform/stream_io.h, how
 * sockets are opened and closed in platform/descriptor.h. Functions return 0 or -errno. */
#ifndef SP_PLATFORM_NET_H
#define SP_PLATFORM_NET_H

#include "net_types.h" /* of the platform that is built for */

int sp_net_bind(int fd, const struct sockaddr *address, socklen_t length);
/* Up to SP_MAX_WAITING_PEERS are connected before they are accepted, or fewer where the system has a lower limit. The
 * system drops what others say first, and they try again a second later. */
#define SP_MAX_WAITING_PEERS 4096
int sp_net_listen(int fd);
/* -EINPROGRESS, also where a signal has come: the descriptor is writable when the attempt has ended. */
int sp_net_connect(int fd, const struct sockaddr *address, socklen_t length);
/* How the attempt has ended. */
int sp_net_connect_result(int fd);

/* The addresses of the two ends; *length is the room, and becomes what is used of it. */
int sp_net_own_name(int fd, struct sockaddr *address, socklen_t *length);
int sp_net_peer_name(int fd, struct sockaddr *address, socklen_t *length);

int sp_net_set_option(int fd, int level, int option, int value);
int sp_net_get_option(int fd, int level, int option, int *value);
/* Lets a socket be bound to a port on which connections of an earlier socket are still ending. */
void sp_net_reuse_port(int fd);
/* Has the kernel ask a silent peer of tcp whether it is there. 0: as the system does. */
void sp_net_keep_alive(int fd, int idle_s, int interval_s, int count);
/* Nothing more is sent. */
void sp_net_finish(int fd);

/* Looks a host's name up, which may block; freeaddrinfo() frees what is found. family: AF_UNSPEC for all. */
int sp_net_find_host(const char *name, int family, struct addrinfo **found);

/* An address of a network interface. */
struct sp_net_interface {
    const char *name;
    const struct sockaddr *address;
    const struct sockaddr *mask; /* NULL: unknown */
};

/* Calls visit for each address of each interface. */
int sp_net_visit_interfaces(void (*visit)(void *context, const struct sp_net_interface *found), void *context);

#endif
