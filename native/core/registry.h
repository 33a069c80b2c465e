/* The known protocols and transports: the built-in ones and those registered by the user. */
#ifndef SP_CORE_REGISTRY_H
#define SP_CORE_REGISTRY_H

#include "core/transport.h"

/* Returns NULL when there is none; *has_domain tells whether the domain exists at all. */
const struct nn_protocol *sp_registry_protocol(int domain, int id, bool *has_domain);

/* How long the scheme of "scheme://rest" is. Returns 0, -EINVAL (there is none) or -ENAMETOOLONG. */
int sp_registry_scheme(const char *address, size_t *scheme_bytes);

/* The transport of such an address. Returns 0, -EPROTONOSUPPORT, or as sp_registry_scheme. */
int sp_registry_transport(const char *address, const struct nn_transport **transport);

#endif
