/* The known protocols and transports: the built-in ones and those registered by the user. */
#ifndef SP_CORE_REGISTRY_H
#define SP_CORE_REGISTRY_H

#include "core/transport.h"

/* Returns NULL when there is none; *has_domain tells whether the domain exists at all. */
const struct nn_protocol *sp_registry_protocol(int domain, int id, bool *has_domain);

/* The transport of "scheme://rest"; *rest points behind the slashes. Returns 0, -EINVAL (no scheme),
 * -ENAMETOOLONG or -EPROTONOSUPPORT. */
int sp_registry_transport(const char *address, const struct nn_transport **transport, const char **rest);

#endif
