/* Protocols and transports that users bring. */
#include "api/built_in.h"
#include "api/fail.h"
#include "core/registry.h"

int nn_protocol_register(const struct nn_protocol *protocol)
{
    sp_built_in_register();
    return nn_result(sp_registry_add_protocol(protocol));
}

int nn_transport_register(const struct nn_transport *transport)
{
    sp_built_in_register();
    return nn_result(sp_registry_add_transport(transport));
}
