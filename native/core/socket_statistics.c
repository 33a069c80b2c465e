/* What a socket has counted, and what is measured when it is asked for. */
#include "core/pipe.h"
#include "core/socket.h"
#include "core/socket_settle.h"
#include "core/socket_state.h"
#include "core/transport.h"
#include "platform/clock.h"

#include <nanomsg/admission.h>
#include <nanomsg/limits.h>
#include <nanomsg/statistics.h>

#include <errno.h>

static uint64_t count_endpoints(const struct sp_socket *self, bool (*is_counted)(const struct nn_endpoint *))
{
    uint64_t count = 0;

    for (struct sp_list_item *item = sp_list_first(&self->endpoints); item != NULL;
         item = sp_list_next(&self->endpoints, item)) {
        if (is_counted(SP_CONTAINER(item, struct nn_endpoint, item)))
            count++;
    }
    return count;
}

static bool endpoint_is_connecting(const struct nn_endpoint *endpoint)
{
    return endpoint->is_connecting;
}

static bool endpoint_has_error(const struct nn_endpoint *endpoint)
{
    return endpoint->has_error;
}

/* As in libnanomsg, 0 where nothing was sent by priority yet; -1: all peers are gone or full. */
static int socket_send_priority(struct sp_socket *self)
{
    return self->protocol->send_priority != NULL && self->has_had_pipe ? self->protocol->send_priority(self->instance)
                                                                       : 0;
}

/* What was accepted and no peer has taken yet: it waits for a peer, or for the kernel. */
static uint64_t socket_queued_bytes(const struct sp_socket *self)
{
    uint64_t bytes = self->queue.bytes;

    for (struct sp_list_item *item = sp_list_first(&self->pipes); item != NULL; item = sp_list_next(&self->pipes, item))
        bytes += sp_pipe_queued_bytes(SP_CONTAINER(item, struct nn_pipe, item));
    return bytes;
}

static void pipe_statistics(const struct nn_pipe *pipe, struct nn_pipe_statistics *statistics)
{
    const struct sp_pipe_counts *counts = &pipe->counts;

    *statistics = (struct nn_pipe_statistics){
        .age_ms = (uint64_t)((sp_now_ns() - pipe->opened_ns) / SP_NS_PER_MS),
        .messages_sent = counts->messages_sent,
        .bytes_sent = counts->bytes_sent,
        .messages_received = counts->messages_received,
        .bytes_received = counts->bytes_received,
        .messages_dropped = counts->messages_dropped,
        .bytes_dropped = counts->bytes_dropped,
        .queued_bytes = sp_pipe_queued_bytes(pipe),
    };
}

/* What only grows. Returns NULL when it is none of them. */
static const uint64_t *socket_counter(const struct sp_socket *self, int statistic)
{
    const struct sp_statistics *counted = &self->statistics;

    switch (statistic) {
    case NN_STAT_ESTABLISHED_CONNECTIONS:
        return &counted->established_connections;
    case NN_STAT_ACCEPTED_CONNECTIONS:
        return &counted->accepted_connections;
    case NN_STAT_DROPPED_CONNECTIONS:
        return &counted->dropped_connections;
    case NN_STAT_BROKEN_CONNECTIONS:
        return &counted->broken_connections;
    case NN_STAT_CONNECT_ERRORS:
        return &counted->connect_errors;
    case NN_STAT_BIND_ERRORS:
        return &counted->bind_errors;
    case NN_STAT_ACCEPT_ERRORS:
        return &counted->accept_errors;
    case NN_STAT_MESSAGES_SENT:
        return &counted->messages_sent;
    case NN_STAT_MESSAGES_RECEIVED:
        return &counted->messages_received;
    case NN_STAT_BYTES_SENT:
        return &counted->bytes_sent;
    case NN_STAT_BYTES_RECEIVED:
        return &counted->bytes_received;
    case NN_STAT_MESSAGES_DROPPED:
        return &counted->messages_dropped;
    case NN_STAT_BYTES_DROPPED:
        return &counted->bytes_dropped;
    case NN_STAT_SLOW_PEERS:
        return &counted->slow_peers;
    case NN_STAT_SLOW_DISCONNECTS:
        return &counted->slow_disconnects;
    default:
        return NULL;
    }
}

/* The same of peers that were not let in. */
static const uint64_t *socket_counter_of_strangers(const struct sp_socket *self, int statistic)
{
    const struct sp_statistics *counted = &self->statistics;

    switch (statistic) {
    case NN_STAT_REJECTED_CONNECTIONS:
        return &counted->rejected_connections;
    case NN_STAT_REFUSED_PEERS:
        return &counted->refused_peers;
    case NN_STAT_FAILED_HANDSHAKES:
        return &counted->failed_handshakes;
    case NN_STAT_WRONG_PROTOCOLS:
        return &counted->wrong_protocols;
    case NN_STAT_MALFORMED_HANDSHAKES:
        return &counted->malformed_handshakes;
    case NN_STAT_TLS_FAILURES:
        return &counted->tls_failures;
    case NN_STAT_HANDSHAKE_TIMEOUTS:
        return &counted->handshake_timeouts;
    case NN_STAT_REFUSED_ORIGINS:
        return &counted->refused_origins;
    default:
        return NULL;
    }
}

/* What the protocol counts itself; 0 where it does not. */
static uint64_t socket_ask_protocol(struct sp_socket *self, int statistic)
{
    const struct nn_protocol *protocol = self->protocol;

    return protocol->version >= 4 && protocol->statistic != NULL ? protocol->statistic(self->instance, statistic) : 0;
}

/* What is so at this moment, and what is counted elsewhere. */
static int socket_measure(struct sp_socket *self, int statistic, uint64_t *value)
{
    switch (statistic) {
    case NN_STAT_CURRENT_CONNECTIONS:
        *value = self->statistics.current_connections;
        return 0;
    case NN_STAT_INPROGRESS_CONNECTIONS:
        *value = count_endpoints(self, endpoint_is_connecting);
        return 0;
    case NN_STAT_CURRENT_EP_ERRORS:
        *value = count_endpoints(self, endpoint_has_error);
        return 0;
    case NN_STAT_PEER_CONNECTIONS:
        *value = self->limits.connections;
        return 0;
    case NN_STAT_HANDSHAKES:
        *value = self->limits.handshakes;
        return 0;
    case NN_STAT_UNFINISHED_BYTES:
        *value = sp_room_bytes(&self->room);
        return 0;
    case NN_STAT_QUEUED_BYTES:
        *value = socket_queued_bytes(self);
        return 0;
    case NN_STAT_REQUESTS_IN_FLIGHT:
    case NN_STAT_RESENDS:
        *value = socket_ask_protocol(self, statistic);
        return 0;
    case NN_STAT_CURRENT_SND_PRIORITY:
        *value = (uint64_t)(int64_t)socket_send_priority(self);
        return 0;
    default:
        return -EINVAL;
    }
}

static int socket_count(struct sp_socket *self, int statistic, uint64_t *value)
{
    const uint64_t *counter = socket_counter(self, statistic);

    if (counter == NULL)
        counter = socket_counter_of_strangers(self, statistic);
    if (counter == NULL)
        return socket_measure(self, statistic, value);
    *value = *counter;
    return 0;
}

int sp_socket_pipe_statistics(struct sp_socket *self, uint32_t id, struct nn_pipe_statistics *statistics)
{
    int rc = -EBADF;

    sp_socket_lock(self);
    if (self->state == SP_SOCKET_OPEN) {
        const struct nn_pipe *pipe = sp_socket_find_pipe(self, id);
        if (pipe != NULL)
            pipe_statistics(pipe, statistics);
        rc = pipe != NULL ? 0 : -ENOENT;
    }
    sp_socket_unlock(self);
    return rc;
}

int sp_socket_statistic(struct sp_socket *self, int statistic, uint64_t *value)
{
    sp_socket_lock(self);
    int rc = self->state == SP_SOCKET_OPEN ? socket_count(self, statistic, value) : -EBADF;
    sp_socket_unlock(self);
    return rc;
}
