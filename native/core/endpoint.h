/* Endpoints: one bind or connect, from the user's address to the end of its last pipe. */
#ifndef SP_CORE_ENDPOINT_H
#define SP_CORE_ENDPOINT_H

#include "core/transport.h"

struct sp_socket;

int sp_endpoint_open(struct sp_socket *socket, const char *address, bool is_bound);
/* The same for a transport that no address names; the address is "scheme://...". */
int sp_endpoint_open_with(struct sp_socket *socket, const struct nn_transport *transport, const char *address,
                          bool is_bound);
struct nn_endpoint *sp_endpoint_find(struct sp_socket *socket, int id);

/* Stops the endpoint and closes its pipes; what they accepted is delivered while linger lasts. */
void sp_endpoint_close(struct nn_endpoint *self);

#endif
