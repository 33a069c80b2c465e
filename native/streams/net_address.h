/* The text of internet addresses: "host:port", "interface;host:port". */
#ifndef SP_STREAMS_NET_ADDRESS_H
#define SP_STREAMS_NET_ADDRESS_H

#include "streams/dialer.h"

/* Fills the address to bind: `*`, a literal, an interface's name or a host's name, and a port (0: the system
 * chooses). Looks a host's name up, which may block. Returns 0, -EINVAL (syntax) or -ENODEV (no such place here). */
int sp_net_address_to_bind(const char *text, bool ipv4_only, struct sp_socket_address *address);

/* Fills the target of a connect: an optional local place (`*`, literal, interface) before a semicolon, a host (literal
 * or name, looked up later) and a port from 1. Returns 0, -EINVAL or -ENODEV (local part). */
int sp_net_address_to_connect(const char *text, bool ipv4_only, struct sp_dialer_target *target);

/* Writes "literal:port", with brackets around IPv6. */
void sp_net_address_write(const struct sp_socket_address *address, char *buffer, size_t size_bytes);

#endif
