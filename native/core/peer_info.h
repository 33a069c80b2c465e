/* Peer info: the addresses of a connection, and what its peer has said of itself. Guarded by the socket's lock. */
#ifndef SP_CORE_PEER_INFO_H
#define SP_CORE_PEER_INFO_H

#include <nanomsg/loop.h>

#include <stddef.h>

struct nn_chunk;
struct nn_endpoint;
struct nn_pipe;

#define SP_PEER_PROPERTIES (NN_PEER_PROBLEM + 1)

/* Addresses as text; empty where they are not known. */
struct sp_peer_info {
    char endpoint[NN_EVENT_ADDRESS_BYTES];
    char local[NN_EVENT_ADDRESS_BYTES];
    char remote[NN_EVENT_ADDRESS_BYTES];
    struct nn_chunk *properties[SP_PEER_PROPERTIES]; /* by NN_PEER_...; references; NULL: not known */
};

/* Both ends have the endpoint's address, as where peers have none of their own. Nothing is known of the peer. */
void sp_peer_info_set_endpoint(struct sp_peer_info *info, const struct nn_endpoint *endpoint);

/* Sets a property by a copy, or by a reference. Without memory it stays unknown. */
void sp_peer_info_note(struct sp_peer_info *info, int what, const void *bytes, size_t count);
void sp_peer_info_note_chunk(struct sp_peer_info *info, int what, struct nn_chunk *chunk);

/* Forgets the properties; with `destroy` the info, which may be NULL, as well. */
void sp_peer_info_clear(struct sp_peer_info *info);
void sp_peer_info_destroy(struct sp_peer_info *info);

/* Asks the pipe's connection, which knows its peer until it has broken or its endpoint is closed. Without memory
 * nothing is known. */
void sp_peer_info_remember(struct nn_pipe *pipe);

/* Copies properties, with references of their own, or releases them. */
void sp_peer_properties_copy(struct nn_chunk *to[SP_PEER_PROPERTIES], struct nn_chunk *const from[SP_PEER_PROPERTIES]);
void sp_peer_properties_clear(struct nn_chunk *properties[SP_PEER_PROPERTIES]);

#endif
