/* What a connection is to all its parts: its memory, its owner, its peer, its end. */
#include "streams/connection_state.h"

#include "core/monitor.h"
#include "core/waiting_reads.h"

#include "streams/descriptor.h"
#include "streams/net_address.h"
#include "streams/stream_peer_info.h"

#include "message/chunk.h"
#include "util/invariant.h"
#include "util/memory.h"
#include "util/memory_return.h"

#include <errno.h>
#include <string.h>

/* What a connection takes by itself, and what OpenSSL takes for one. */
#define CONNECTION_BYTES ((size_t)4 * 1024)
#define FILTER_BYTES ((size_t)48 * 1024)

/* ---- The owner ---- */

void sp_connection_owner_init(struct sp_connection_owner *self, struct nn_endpoint *endpoint,
                              const struct sp_framing *framing, struct sp_filter_source *filters,
                              void (*admitted)(struct sp_connection_owner *),
                              void (*ended)(struct sp_connection_owner *, bool, int))
{
    self->endpoint = endpoint;
    self->framing = framing;
    self->filters = filters;
    self->admitted = admitted;
    self->ended = ended;
    sp_list_init(&self->handshaking);
}

void sp_connection_owner_abandon(struct sp_connection_owner *owner)
{
    struct sp_list_item *item;

    while ((item = sp_list_first(&owner->handshaking)) != NULL) {
        struct sp_connection *self = SP_CONTAINER(item, struct sp_connection_handshake, item)->connection;
        sp_connection_close_stream(self);
        sp_connection_release(self);
    }
}

/* ---- Memory ---- */

static void handshake_free(struct sp_connection *self)
{
    if (self->handshake == NULL)
        return;
    sp_peer_info_destroy(self->handshake->peer_info);
    sp_free(self->handshake);
    self->handshake = NULL;
}

/* The socket counts it no more as one that has no pipe yet. */
static void handshake_leave(struct sp_connection *self)
{
    sp_limits_end(self->endpoint, &self->handshake->limits);
    sp_admission_forget(self->socket, &self->handshake->candidate);
    if (sp_list_is_linked(&self->handshake->item))
        sp_list_remove(&self->handshake->item);
}

void sp_connection_end_handshake(struct sp_connection *self)
{
    handshake_leave(self);
    handshake_free(self);
}

void sp_connection_free(struct sp_connection *self)
{
    sp_timer_destroy(&self->timer);
    sp_timer_destroy(&self->limit);
    handshake_free(self);
    sp_free(self->room);
    if (self->certificate != NULL)
        sp_chunk_release(self->certificate);
    sp_free(self);
}

static void run_free(struct sp_task *task)
{
    sp_connection_free(SP_CONTAINER(task, struct sp_connection, release));
}

struct sp_connection *sp_connection_create(struct sp_connection_owner *owner)
{
    struct sp_connection *self = sp_zalloc(sizeof *self + owner->framing->session_bytes);

    if (self == NULL)
        return NULL;
    self->handshake = sp_alloc(sizeof *self->handshake + owner->framing->handshake_limit_bytes);
    if (self->handshake == NULL) {
        sp_free(self);
        return NULL;
    }
    *self->handshake = (struct sp_connection_handshake){.connection = self, .limits.place = &self->place};
    self->socket = owner->endpoint->socket;
    self->owner = owner;
    self->endpoint = owner->endpoint;
    return self;
}

/* ---- The peer ---- */

static void connection_find_peer(struct sp_connection *self)
{
    struct sp_peer_info **info = &self->handshake->peer_info;

    if (*info == NULL && (*info = sp_alloc(sizeof **info)) != NULL)
        sp_stream_peer_info(*info, self->endpoint, self->watch.fd);
}

void sp_connection_remember_peer(struct sp_connection *self)
{
    if (self->socket->monitor != NULL || sp_connection_asks(self))
        connection_find_peer(self);
}

void sp_connection_remember_server(struct sp_connection *self)
{
    if (!self->endpoint->is_bound)
        connection_find_peer(self);
}

bool sp_connection_credentials(const struct sp_connection *self, struct nn_ipc_credentials *credentials)
{
    return framing_of(self)->is_local && sp_descriptor_credentials(self->watch.fd, credentials);
}

void sp_connection_peer_info(const struct sp_connection *self, struct sp_peer_info *info)
{
    struct nn_ipc_credentials credentials;

    if (info == NULL)
        return;
    if (sp_connection_credentials(self, &credentials))
        sp_peer_info_note(info, NN_PEER_CREDENTIALS, &credentials, sizeof credentials);
    if (self->stream.filter != NULL)
        self->stream.filter->ops->describe_peer(self->stream.filter, info);
}

void sp_connection_describe_peer(const struct nn_pipe *pipe, struct sp_peer_info *info)
{
    sp_connection_peer_info(connection_of(pipe), info);
}

void sp_connection_addresses(struct nn_pipe *pipe, char *local, char *remote)
{
    const struct sp_connection *self = connection_of(pipe);

    if (!self->is_hosted) /* or else they are the endpoint's already */
        sp_stream_addresses(self->endpoint, self->watch.fd, local, remote);
}

void sp_connection_report_rejected(struct sp_connection *self, int error)
{
    const struct sp_connection_handshake *handshake = self->handshake;

    sp_connection_remember_server(self);
    sp_connection_peer_info(self, handshake->peer_info);
    if (handshake->peer_id != 0 && handshake->peer_id != self->socket->protocol->peer_id)
        error = -EPROTOTYPE;
    if (handshake->peer_info != NULL)
        sp_monitor_rejected(self->endpoint, handshake->peer_info, handshake->peer_id, error);
    else
        sp_stream_rejected(self->endpoint, self->watch.fd, handshake->peer_id, error, NULL);
}

void sp_connection_note_problem(struct sp_connection *self, const char *problem)
{
    if (self->handshake->peer_info != NULL)
        sp_peer_info_note(self->handshake->peer_info, NN_PEER_PROBLEM, problem, strlen(problem));
}

int sp_connection_count(struct sp_connection *self, const struct sp_socket_address *peer, const char **problem)
{
    uint8_t network[SP_NETWORK_BYTES];
    bool has_network = peer != NULL && sp_net_address_network(peer, network);

    return sp_limits_count(self->endpoint, &self->place, has_network ? network : NULL, problem);
}

/* ---- The end ---- */

void sp_connection_release(struct sp_connection *self)
{
    struct nn_endpoint *endpoint = self->endpoint;

    SP_INVARIANT(self->state != CONNECTION_CLOSED, "a connection is released twice");
    SP_INVARIANT(self->pipe == NULL, "a connection is released that has a pipe");
    SP_INVARIANT(!self->place.is_counted, "a connection is released that is counted");
    SP_INVARIANT(!has_room(self), "a connection is released that has a share of the room");
    self->state = CONNECTION_CLOSED;
    sp_receive_buffer_clear(&self->received);
    self->socket->remains_bytes -= self->remains_bytes;
    sp_remains_destroy(self->remains);
    self->remains = NULL;
    if (framing_of(self)->close != NULL)
        framing_of(self)->close(session_of(self));
    if (self->owner->released != NULL)
        self->owner->released(self->owner);
    self->release.run = run_free;
    /* The loop's thread may free it at once. */
    sp_loop_discard(&self->socket->loop->base, &self->release);
    sp_endpoint_release(endpoint);
}

/* About what goes with a connection. */
static void note_freed(const struct sp_connection *self)
{
    size_t filter_bytes = self->stream.filter != NULL ? FILTER_BYTES + self->stream.filter->unsent_bytes : 0;

    sp_memory_note_freed(CONNECTION_BYTES + filter_bytes + sp_receive_buffer_partial_bytes(&self->received) +
                         self->queue.bytes);
}

void sp_connection_close_stream(struct sp_connection *self)
{
    note_freed(self);
    leave_room(self);
    sp_limits_leave(self->endpoint, &self->place);
    if (self->handshake != NULL)
        handshake_leave(self);
    sp_timer_stop(&self->timer);
    sp_timer_stop(&self->limit);
    want(self, 0);
    if (self->pipe != NULL) {
        sp_pipe_leave_reads(self->pipe);
        self->pipe->direct_poll = NULL;
    }
    if (self->stream.filter != NULL)
        sp_stream_shutdown_write(&self->stream);
    if (sp_direct_poll_drop(self->socket, &self->direct_poll))
        self->stream = (struct sp_stream){.fd = -1}; /* owned by the polling thread, which closes it */
    else
        sp_stream_close(&self->stream);
    self->watch.fd = -1;
    sp_send_queue_clear(&self->queue);
}

size_t sp_connection_kept_bytes(struct sp_connection *self)
{
    return CONNECTION_BYTES + session_held_bytes(self) + sp_receive_buffer_bytes(&self->received);
}

void sp_connection_count_unfinished(struct sp_connection *self, int error)
{
    size_t bytes = sp_receive_buffer_unfinished_bytes(&self->received);

    if (session_of(self) != NULL)
        bytes += session_of(self)->arrived_bytes;
    if (error == -EMSGSIZE || error == -EPROTO)
        bytes += (size_t)(self->received.end - self->received.begin);
    if (bytes > 0)
        sp_pipe_count_dropped(self->pipe, bytes);
}

/* What waits for the user in memory counts for the socket's limit. */
static void keep_messages(struct sp_connection *self)
{
    if (!self->pipe->can_receive)
        return;
    self->remains_bytes = sp_connection_kept_bytes(self) + sp_remains_bytes(self->remains);
    self->socket->remains_bytes += self->remains_bytes;
}

void sp_connection_end(struct sp_connection *self, int error)
{
    bool was_admitted = self->pipe != NULL;

    SP_INVARIANT(self->state <= CONNECTION_OPEN, "a connection ends that has ended");
    self->socket->statistics.broken_connections++;
    if (!was_admitted && self->stream.filter != NULL && !self->endpoint->is_bound)
        self->socket->statistics.connect_errors++; /* most likely one does not accept the other's certificate */
    if (error == -EPERM && !was_admitted && self->endpoint->is_bound)
        self->socket->statistics.refused_peers++;
    if (!was_admitted)
        sp_connection_report_rejected(self, error);
    else if (self->stream.filter != NULL && self->pipe->peer_info != NULL)
        self->stream.filter->ops->describe_peer(self->stream.filter, self->pipe->peer_info);
    sp_connection_close_stream(self);
    self->state = CONNECTION_ENDED;
    if (was_admitted) {
        self->error = error;
        keep_messages(self);
        sp_pipe_end_sending(self->pipe);
        if (!self->pipe->can_receive) {
            sp_connection_count_unfinished(self, error);
            sp_pipe_break(self->pipe, error);
        }
    }
    self->owner->ended(self->owner, was_admitted, error != -ESHUTDOWN ? error : -ECONNRESET);
    if (!was_admitted)
        sp_connection_release(self);
}
