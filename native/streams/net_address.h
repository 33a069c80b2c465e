/* The text of internet addresses: "host:port", "interface;host:port", "[fe80::1%interface]:port". */
#ifndef SP_STREAMS_NET_ADDRESS_H
#define SP_STREAMS_NET_ADDRESS_H

#include "streams/descriptor.h"

#include <stdint.h>

/* Where a dialer connects to. */
struct sp_dialer_target {
    struct sp_socket_address address; /* when host is empty */
    struct sp_socket_address local;   /* to bind before connecting; length 0: none */
    /* Names of interfaces, or empty; looked up at every attempt, since interfaces and their addresses come and go. */
    char scope[IF_NAMESIZE];       /* of a link-local `address` */
    char local_scope[IF_NAMESIZE]; /* of a link-local `local` */
    char interface[IF_NAMESIZE];   /* to connect from, by an address that fits to the destination */
    char host[256];                /* to be resolved at every attempt, or empty */
    uint16_t port;
    int family; /* of the answers wanted: AF_INET or AF_UNSPEC */
};

/* Fills the address to bind: `*`, a literal, an interface's name or a host's name, and a port (0: the system
 * chooses). Looks a host's name up, which may block. Returns 0, -EINVAL (syntax) or -ENODEV (no such place here). */
int sp_net_address_to_bind(const char *text, bool ipv4_only, struct sp_socket_address *address);

/* Fills the target of a connect: an optional local place (`*`, literal, interface) before a semicolon, a host (literal
 * or name, looked up later) and a port from 1. Returns 0, -EINVAL (syntax; link-local without an interface) or
 * -ENODEV (no such interface, or none with an address of the destination's family). */
int sp_net_address_to_connect(const char *text, bool ipv4_only, struct sp_dialer_target *target);

/* Finds the address to connect from, of length 0 when the system chooses it, and gives a link-local destination that
 * names no interface that of the source. Looks interfaces up anew. Returns 0, -ENODEV (the interface has no such
 * address, or is gone) or -EINVAL (link-local, without an interface or with two). */
int sp_net_address_find_source(const struct sp_dialer_target *target, struct sp_socket_address *destination,
                               struct sp_socket_address *source);

void sp_net_address_set_port(struct sp_socket_address *address, uint16_t port);

/* What counts as the peer's address where connections are limited: SP_NETWORK_BYTES. Returns false where peers have no
 * addresses. */
bool sp_net_address_network(const struct sp_socket_address *address, uint8_t *network);

/* Writes "literal:port", with brackets around IPv6 and the scope of a link-local address: fit to be connected to. */
void sp_net_address_write(const struct sp_socket_address *address, char *buffer, size_t size_bytes);

#endif
