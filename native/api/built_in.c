/* The protocols and transports that come with the engine: the one place that names them all. */
#include "api/built_in.h"

#include "core/registry.h"
#include "platform/thread.h"
#include "protocols/protocols.h"
#include "transports/transports.h"

static const struct nn_protocol *const built_in_protocols[] = {
    &sp_pair_protocol,         &sp_pub_protocol,        &sp_sub_protocol,
    &sp_push_protocol,         &sp_pull_protocol,       &sp_bus_protocol,
    &sp_bus_raw_protocol,      &sp_req_protocol,        &sp_req_raw_protocol,
    &sp_rep_protocol,          &sp_rep_raw_protocol,    &sp_surveyor_protocol,
    &sp_surveyor_raw_protocol, &sp_respondent_protocol, &sp_respondent_raw_protocol,
};

static const struct nn_transport *const built_in_transports[] = {
    &sp_inproc_transport,     &sp_ipc_transport,  &sp_tcp_transport,     &sp_ws_transport,  &sp_abstract_transport,
    &sp_descriptor_transport, &sp_unix_transport, &sp_tls_tcp_transport, &sp_wss_transport,
};

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static void built_in_init(void)
{
    sp_registry_init(&(struct sp_built_in){
        .protocols = built_in_protocols,
        .protocol_count = COUNT_OF(built_in_protocols),
        .transports = built_in_transports,
        .transport_count = COUNT_OF(built_in_transports),
    });
}

void sp_built_in_register(void)
{
    static struct sp_once once = SP_ONCE_INIT;

    sp_once_run(&once, built_in_init);
}
