/* The tables of the transports that come with the engine. */
#ifndef SP_TRANSPORTS_TRANSPORTS_H
#define SP_TRANSPORTS_TRANSPORTS_H

#include <nanomsg/transport.h>

extern const struct nn_transport sp_abstract_transport, sp_descriptor_transport, sp_inproc_transport, sp_ipc_transport;
extern const struct nn_transport sp_tcp_transport, sp_tls_tcp_transport, sp_unix_transport, sp_ws_transport,
    sp_wss_transport;

#endif
