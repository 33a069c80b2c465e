/* The addresses of a byte-stream connection as text, for the events of a socket. */
#ifndef SP_STREAMS_STREAM_PEER_INFO_H
#define SP_STREAMS_STREAM_PEER_INFO_H

#include "core/peer_info.h"
#include "core/transport.h"
#include "streams/descriptor.h"

/* Asks the kernel, which knows the peer as long as the connection lives. */
void sp_stream_addresses(const struct nn_endpoint *endpoint, int fd, char *local, char *remote);
/* fd: -1 for a stream of the host, which has no address but the endpoint's */
void sp_stream_peer_info(struct sp_peer_info *info, const struct nn_endpoint *endpoint, int fd);

/* An attempt to connect to this address has failed; NULL: it was not known yet. */
void sp_stream_connect_failed(struct nn_endpoint *endpoint, const struct sp_socket_address *address, int error);

/* A peer is turned away. protocol: what it says it is, or 0; problem: why, or NULL: as the errno says. */
void sp_stream_rejected(struct nn_endpoint *endpoint, int fd, int protocol, int error, const char *problem);

#endif
