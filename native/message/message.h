/* Making messages and turning them into what users hold. The operations that protocols use are in
 * nanomsg/protocol.h. */
#ifndef SP_MESSAGE_MESSAGE_H
#define SP_MESSAGE_MESSAGE_H

#include "message/chunk.h"

#include <nanomsg/protocol.h>

/* A message that points at the caller's memory: allocates nothing, valid during the call. */
static inline void sp_message_borrow(struct nn_message *message, const void *body, size_t body_bytes)
{
    message->body = (const uint8_t *)body;
    message->body_bytes = body_bytes;
    message->chunk = NULL;
    message->header_bytes = 0;
    message->type = 0;
    message->is_from_known = false;
    message->has_peer_info = false;
    message->pipe = 0;
}

/* A view on a chunk; takes one reference from the caller. */
static inline void sp_message_view(struct nn_message *message, struct nn_chunk *chunk, const uint8_t *body,
                                   size_t body_bytes)
{
    message->body = body;
    message->body_bytes = body_bytes;
    message->chunk = chunk;
    message->header_bytes = 0;
    message->type = 0;
    message->is_from_known = false;
    message->has_peer_info = false;
    message->pipe = 0;
}

/* Drops the properties of its sender. */
static inline void sp_message_forget_peer(struct nn_message *message)
{
    if (message->has_peer_info && message->peer.headers != NULL)
        sp_chunk_release(message->peer.headers);
    if (message->has_peer_info && message->peer.certificate != NULL)
        sp_chunk_release(message->peer.certificate);
    message->is_from_known = false;
    message->has_peer_info = false;
}

/* Says what its peer has said of itself: shares the chunks, which may be NULL. */
static inline void sp_message_attach_peer_info(struct nn_message *message, struct nn_chunk *headers,
                                               struct nn_chunk *certificate)
{
    if (headers == NULL && certificate == NULL)
        return;
    message->has_peer_info = true;
    message->peer.headers = headers;
    message->peer.certificate = certificate;
    if (headers != NULL)
        sp_chunk_retain(headers);
    if (certificate != NULL)
        sp_chunk_retain(certificate);
}

/* The same, besides what is attached already. */
static inline void sp_message_add_certificate(struct nn_message *message, struct nn_chunk *certificate)
{
    if (!message->has_peer_info)
        message->peer.headers = NULL;
    message->has_peer_info = true;
    message->peer.certificate = certificate;
    sp_chunk_retain(certificate);
}

/* Length on the wire: header and body. */
static inline size_t sp_message_bytes(const struct nn_message *message)
{
    return message->header_bytes + message->body_bytes;
}

/* Whether nn_message_detach has to copy the message. */
bool sp_message_is_attached(const struct nn_message *message);

/* Makes a copy of header and body in one piece. Returns 0 or -ENOMEM. */
int sp_message_copy_flat(struct nn_message *to, const struct nn_message *from);

/* Takes the body out of the message as memory for a C program (nn_freemsg), copying only when it is shared
 * or part of a slab; the message is left empty. Returns NULL when memory is short, nothing changed. */
void *sp_message_expose_body(struct nn_message *message);

#endif
