/* The known protocols and transports: the built-in ones and those registered by the user. */
#ifndef SP_CORE_REGISTRY_H
#define SP_CORE_REGISTRY_H

#include "core/transport.h"

/* The tables that come with the engine, which are named above core only (api/built_in.c). */
struct sp_built_in {
    const struct nn_protocol *const *protocols;
    size_t protocol_count;
    const struct nn_transport *const *transports;
    size_t transport_count;
};

/* Once per process, before everything else here. */
void sp_registry_init(const struct sp_built_in *tables);

/* Add what a user brings; nn_protocol_register and nn_transport_register say what is checked. Return 0 or -errno. */
int sp_registry_add_protocol(const struct nn_protocol *protocol);
int sp_registry_add_transport(const struct nn_transport *transport);

/* Returns NULL when there is none; *has_domain says whether the domain exists at all. */
const struct nn_protocol *sp_registry_protocol(int domain, int id, bool *has_domain);

/* How long the scheme of "scheme://rest" is. Returns 0, -EINVAL (there is none) or -ENAMETOOLONG. */
int sp_registry_scheme(const char *address, size_t *scheme_bytes);

/* The transport of such an address. Returns 0, -EPROTONOSUPPORT, or as sp_registry_scheme. */
int sp_registry_transport(const char *address, const struct nn_transport **transport);

#endif
