/* Who is at the other end of a connection, for those who are told of its coming and going, or ask. */
#include "streams/connection_internal.h"

#include "streams/descriptor.h"

#include "util/memory.h"

void sp_connection_remember_ends(struct sp_connection *self)
{
    if (self->socket->monitor == NULL || (self->ends = sp_alloc(sizeof *self->ends)) == NULL)
        return;
    sp_stream_ends(self->ends, self->endpoint, self->watch.fd);
}

void sp_connection_learn(const struct sp_connection *self, struct sp_ends *ends)
{
    struct nn_ipc_credentials credentials;

    if (ends == NULL)
        return;
    if (sp_descriptor_credentials(self->watch.fd, &credentials))
        sp_ends_note(ends, NN_PEER_CREDENTIALS, &credentials, sizeof credentials);
    if (self->stream.filter != NULL)
        self->stream.filter->ops->tell(self->stream.filter, ends);
}

void sp_connection_tell(const struct nn_pipe *pipe, struct sp_ends *ends)
{
    sp_connection_learn(connection_of(pipe), ends);
}

void sp_connection_addresses(struct nn_pipe *pipe, char *local, char *remote)
{
    const struct sp_connection *self = connection_of(pipe);

    sp_stream_addresses(self->endpoint, self->watch.fd, local, remote);
}

void sp_connection_tell_rejected(struct sp_connection *self, int error)
{
    sp_connection_learn(self, self->ends);
    if (self->peer_id != 0 && self->peer_id != self->socket->protocol->peer_id)
        error = -EPROTOTYPE;
    if (self->ends != NULL)
        sp_monitor_rejected(self->endpoint, self->ends, self->peer_id, error);
    else
        sp_stream_rejected(self->endpoint, self->watch.fd, self->peer_id, error);
}
