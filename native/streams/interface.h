/* Network interfaces of this machine: their addresses, and the scopes of link-local addresses. */
#ifndef SP_STREAMS_INTERFACE_H
#define SP_STREAMS_INTERFACE_H

#include "streams/descriptor.h"

#include <stdbool.h>

/* The index of an interface by its name or number, as it stands behind the % of an IPv6 address; 0: there is none. */
unsigned sp_interface_index(const char *scope);

/* Whether it is a link-local address of IPv6: it means nothing without an interface. */
bool sp_interface_is_link_local(const struct sp_socket_address *address);

/* Sets the scope of a link-local address from the text behind the %. Returns 0, -ENODEV, or what the system lacked. */
int sp_interface_set_scope(struct sp_socket_address *address, const char *scope);

/* An address of the interface to bind, with port 0: one of IPv6 where that is allowed, else that of IPv4; a link-local
 * one only where there is no other. Returns 0, -ENODEV, or what the system lacked, such as -EMFILE. */
int sp_interface_find(const char *name, bool ipv4_only, struct sp_socket_address *found);

/* The address of the interface to connect to the destination from: of its family, then of its kind (link-local or not),
 * then of its network. Returns 0 or -ENODEV. */
int sp_interface_find_source(const char *name, const struct sp_socket_address *destination,
                             struct sp_socket_address *found);

/* Makes the two ends of a connection to be fit each other: gives a link-local destination that names no interface that
 * of the source. Returns 0, -ENODEV (other families) or -EINVAL (link-local, on no interface or on another one). */
int sp_interface_join_scopes(struct sp_socket_address *destination, const struct sp_socket_address *source);

#endif
