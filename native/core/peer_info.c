/* What is known of a peer: chunks that events and messages share. */
#include "core/peer_info.h"

#include "core/pipe.h"
#include "core/transport.h"
#include "message/chunk.h"
#include "util/memory.h"

#include <string.h>

void sp_peer_properties_copy(struct nn_chunk *to[SP_PEER_PROPERTIES], struct nn_chunk *const from[SP_PEER_PROPERTIES])
{
    for (int i = 0; i < SP_PEER_PROPERTIES; i++) {
        if ((to[i] = from[i]) != NULL)
            sp_chunk_retain(to[i]);
    }
}

void sp_peer_properties_clear(struct nn_chunk *properties[SP_PEER_PROPERTIES])
{
    for (int i = 0; i < SP_PEER_PROPERTIES; i++) {
        if (properties[i] != NULL)
            sp_chunk_release(properties[i]);
        properties[i] = NULL;
    }
}

void sp_peer_info_note_chunk(struct sp_peer_info *info, int what, struct nn_chunk *chunk)
{
    if (info->properties[what] != NULL)
        sp_chunk_release(info->properties[what]);
    info->properties[what] = chunk;
    sp_chunk_retain(chunk);
}

void sp_peer_info_note(struct sp_peer_info *info, int what, const void *bytes, size_t count)
{
    struct nn_chunk *chunk = sp_chunk_create(count);

    if (chunk == NULL)
        return;
    memcpy(chunk->bytes, bytes, count);
    sp_peer_info_note_chunk(info, what, chunk);
    sp_chunk_release(chunk);
}

void sp_peer_info_clear(struct sp_peer_info *info)
{
    sp_peer_properties_clear(info->properties);
}

void sp_peer_info_destroy(struct sp_peer_info *info)
{
    if (info != NULL)
        sp_peer_info_clear(info);
    sp_free(info);
}

void sp_peer_info_set_endpoint(struct sp_peer_info *info, const struct nn_endpoint *endpoint)
{
    if (sp_endpoint_write_address(endpoint, info->endpoint, sizeof info->endpoint) < 0)
        info->endpoint[0] = '\0';
    memcpy(info->local, info->endpoint, sizeof info->local);
    memcpy(info->remote, info->endpoint, sizeof info->remote);
    memset(info->properties, 0, sizeof info->properties);
}

void sp_peer_info_remember(struct nn_pipe *pipe)
{
    if (pipe->peer_info != NULL || (pipe->peer_info = sp_alloc(sizeof *pipe->peer_info)) == NULL)
        return;
    sp_peer_info_set_endpoint(pipe->peer_info, pipe->endpoint);
    if (pipe->ops->addresses != NULL)
        pipe->ops->addresses(pipe, pipe->peer_info->local, pipe->peer_info->remote);
    if (pipe->stream != NULL)
        pipe->stream->describe_peer(pipe, pipe->peer_info);
}
