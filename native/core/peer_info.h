/* Peer info: the addresses of a connection, and what its peer has said of itself. Guarded by the socket's lock. */
#ifndef SP_CORE_PEER_INFO_H
#define SP_CORE_PEER_INFO_H

#include <nanomsg/loop.h>

#include <stddef.h>

struct nn_chunk;
struct nn_endpoint;
struct nn_pipe;

#define SP_PEER_FACTS (NN_PEER_PROBLEM + 1)

/* Whom a connection connects, as text; empty where that is not known. */
struct sp_peer_info {
    char endpoint[NN_EVENT_ADDRESS_BYTES];
    char local[NN_EVENT_ADDRESS_BYTES];
    char remote[NN_EVENT_ADDRESS_BYTES];
    struct nn_chunk *facts[SP_PEER_FACTS]; /* of the peer, by NN_PEER_...; references; NULL: not known */
};

/* Both ends have the endpoint's address, as where peers have none of their own. Nothing is known of the peer. */
void sp_peer_info_set_endpoint(struct sp_peer_info *info, const struct nn_endpoint *endpoint);

/* Notes a fact by a copy, or by a reference. Without memory it stays unknown. */
void sp_peer_info_note(struct sp_peer_info *info, int what, const void *bytes, size_t count);
void sp_peer_info_note_chunk(struct sp_peer_info *info, int what, struct nn_chunk *chunk);

/* Forgets the facts; with `destroy` the info, which may be NULL, as well. */
void sp_peer_info_clear(struct sp_peer_info *info);
void sp_peer_info_destroy(struct sp_peer_info *info);

/* Asks the pipe's connection while it knows: not any more when it has broken, or when the endpoint is closed. Without
 * memory nothing is known. */
void sp_peer_info_remember(struct nn_pipe *pipe);

/* Facts by themselves: references of their own, and none of them. */
void sp_peer_facts_copy(struct nn_chunk *to[SP_PEER_FACTS], struct nn_chunk *const from[SP_PEER_FACTS]);
void sp_peer_facts_clear(struct nn_chunk *facts[SP_PEER_FACTS]);

#endif
