/* The bounded queue of a socket's events: the oldest ones are dropped, and counted, when it is full. */
#include "core/monitor.h"

#include "core/admission.h"
#include "core/host_events.h"
#include "core/peer_info.h"
#include "core/pipe.h"
#include "core/socket_state.h"
#include "core/transport.h"
#include "message/chunk.h"
#include "platform/clock.h"
#include "util/memory.h"

#include <nanomsg/admission.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct sp_monitor_entry {
    struct sp_list_item item;
    struct nn_event event;
    struct nn_chunk *properties[SP_PEER_PROPERTIES]; /* references */
    sp_time_ns happened_ns;                          /* of a failure */
};

struct sp_monitor {
    struct sp_list entries;
    int count;
    uint64_t lost; /* since the last one that was taken */
};

/* ---- The queue ---- */

static void entry_destroy(struct sp_monitor_entry *self)
{
    if (self != NULL)
        sp_peer_properties_clear(self->properties);
    sp_free(self);
}

static void monitor_drop_oldest(struct sp_monitor *self)
{
    struct sp_monitor_entry *oldest = SP_CONTAINER(sp_list_pop(&self->entries), struct sp_monitor_entry, item);

    self->count--;
    self->lost++;
    entry_destroy(oldest);
}

static void entry_describe(struct sp_monitor_entry *self, int type, const struct nn_endpoint *endpoint, int error)
{
    self->event.type = type;
    self->event.endpoint = endpoint->id;
    self->event.is_bound = endpoint->is_bound;
    self->event.error = -error;
}

/* Returns the entry to be filled, or NULL: the socket is not monitored, or the event counts as lost. */
static struct sp_monitor_entry *monitor_add(struct sp_socket *socket)
{
    struct sp_monitor *self = socket->monitor;

    if (self == NULL)
        return NULL;
    struct sp_monitor_entry *entry = sp_zalloc(sizeof *entry);

    if (entry == NULL) {
        self->lost++;
        return NULL;
    }
    if (self->count == NN_EVENTS_LIMIT)
        monitor_drop_oldest(self);
    sp_list_append(&self->entries, &entry->item);
    if (self->count++ == 0)
        sp_socket_notify_host(socket, NN_LOOP_EVENTS);
    return entry;
}

static void entry_set_peer_info(struct sp_monitor_entry *self, const struct sp_peer_info *info)
{
    memcpy(self->event.address, info->endpoint, sizeof self->event.address);
    memcpy(self->event.local_address, info->local, sizeof self->event.local_address);
    memcpy(self->event.remote_address, info->remote, sizeof self->event.remote_address);
    sp_peer_properties_copy(self->properties, info->properties);
}

static void entry_set_address(struct sp_monitor_entry *self, const struct nn_endpoint *endpoint)
{
    struct sp_peer_info info;

    sp_peer_info_set_endpoint(&info, endpoint);
    memcpy(self->event.address, info.endpoint, sizeof self->event.address);
}

/* The properties of its peer can be read until the next event is taken. */
static void set_taken(struct sp_socket *socket, struct sp_monitor_entry *entry)
{
    entry_destroy(socket->taken_event);
    socket->taken_event = entry;
}

int sp_monitor_next(struct sp_socket *socket, struct nn_event *event)
{
    struct sp_monitor *self = socket->monitor;

    if (self == NULL || self->count == 0)
        return 0;
    set_taken(socket, SP_CONTAINER(sp_list_pop(&self->entries), struct sp_monitor_entry, item));
    *event = socket->taken_event->event;
    event->lost = self->lost;
    self->lost = 0;
    self->count--;
    return 1;
}

int sp_monitor_peer(const struct sp_socket *socket, int what, void *value, size_t *size)
{
    const struct sp_monitor_entry *taken = socket->taken_event;
    const struct nn_chunk *property;

    if (what < 0 || what >= SP_PEER_PROPERTIES)
        return -EINVAL;
    if (taken == NULL || (property = taken->properties[what]) == NULL)
        return -ENODATA;
    memcpy(value, property->bytes, *size < property->size_bytes ? *size : property->size_bytes);
    *size = property->size_bytes;
    return 0;
}

static void forget_failure(struct sp_socket *socket)
{
    entry_destroy(socket->failure);
    socket->failure = NULL;
}

int sp_monitor_last_failure(struct sp_socket *socket, struct nn_event *event)
{
    if (socket->failure == NULL)
        return 0;
    struct sp_monitor_entry *entry = sp_zalloc(sizeof *entry);
    if (entry == NULL)
        return -ENOMEM;
    entry->event = socket->failure->event;
    sp_peer_properties_copy(entry->properties, socket->failure->properties);
    set_taken(socket, entry);
    *event = entry->event;
    event->age_ms = (uint64_t)((sp_now_ns() - socket->failure->happened_ns) / SP_NS_PER_MS);
    return 1;
}

/* ---- On and off ---- */

/* Asks for the addresses and properties of the peers that are connected already. */
static void remember_peers(struct sp_socket *socket)
{
    for (struct sp_list_item *item = sp_list_first(&socket->pipes); item != NULL;
         item = sp_list_next(&socket->pipes, item))
        sp_peer_info_remember(SP_CONTAINER(item, struct nn_pipe, item));
}

static int switch_on(struct sp_socket *socket)
{
    struct sp_monitor *self = sp_zalloc(sizeof *self);

    if (self == NULL)
        return -ENOMEM;
    sp_list_init(&self->entries);
    socket->monitor = self;
    remember_peers(socket);
    return 0;
}

static void switch_off(struct sp_socket *socket)
{
    struct sp_monitor *self = socket->monitor;

    socket->monitor = NULL;
    while (self->count > 0)
        monitor_drop_oldest(self);
    sp_free(self);
}

int sp_monitor_switch(struct sp_socket *socket, bool is_on)
{
    if (!is_on)
        set_taken(socket, NULL);
    if (is_on == (socket->monitor != NULL))
        return 0;
    if (is_on)
        return switch_on(socket);
    switch_off(socket);
    return 0;
}

void sp_monitor_end(struct sp_socket *socket)
{
    sp_monitor_switch(socket, false);
    forget_failure(socket);
}

/* ---- Peers ---- */

static void entry_set_peer(struct sp_monitor_entry *self, const struct nn_pipe *pipe)
{
    if (pipe->peer_info != NULL)
        entry_set_peer_info(self, pipe->peer_info);
    self->event.pipe = pipe->id;
    self->event.protocol = pipe->socket->protocol->peer_id; /* others are not admitted */
}

int sp_monitor_describe(struct nn_pipe *pipe, struct nn_event *event)
{
    struct sp_monitor_entry *entry = sp_zalloc(sizeof *entry);

    if (entry == NULL)
        return -ENOMEM;
    sp_peer_info_remember(pipe);
    entry->event.type = NN_EVENT_CONNECT;
    entry->event.endpoint = pipe->endpoint->id;
    entry->event.is_bound = pipe->endpoint->is_bound;
    entry_set_peer(entry, pipe);
    set_taken(pipe->socket, entry);
    *event = entry->event;
    return 0;
}

int sp_monitor_describe_candidate(struct sp_socket *socket, const struct sp_candidate *candidate,
                                  struct nn_event *event)
{
    struct sp_monitor_entry *entry = sp_zalloc(sizeof *entry);

    if (entry == NULL)
        return -ENOMEM;
    entry_describe(entry, NN_EVENT_CANDIDATE, candidate->endpoint, 0);
    if (candidate->info != NULL)
        entry_set_peer_info(entry, candidate->info);
    else
        entry_set_address(entry, candidate->endpoint);
    entry->event.pipe = candidate->by_id.id;
    entry->event.protocol = socket->protocol->peer_id; /* others are not held */
    set_taken(socket, entry);
    *event = entry->event;
    return 0;
}

/* ---- What happens ---- */

/* Returns the entry to be filled, or NULL without memory: the event counts as lost. */
static struct sp_monitor_entry *failure_create(struct sp_socket *socket)
{
    struct sp_monitor_entry *entry = sp_zalloc(sizeof *entry);

    if (entry == NULL && socket->monitor != NULL)
        socket->monitor->lost++;
    return entry;
}

/* Strangers that a listener turns away do not hide why this side cannot connect. */
static bool hides(const struct nn_event *later, const struct nn_event *earlier)
{
    return later->is_bound && later->type == NN_EVENT_REJECT && !earlier->is_bound;
}

static void remember_failure(struct sp_socket *socket, struct sp_monitor_entry *entry)
{
    bool is_hidden = socket->failure != NULL && hides(&entry->event, &socket->failure->event);

    if (is_hidden || socket->state != SP_SOCKET_OPEN) {
        entry_destroy(entry);
        return;
    }
    entry_destroy(socket->failure);
    entry->happened_ns = sp_now_ns();
    socket->failure = entry;
}

/* A failure is remembered, and is an event as well. */
static void monitor_add_failure(struct sp_socket *socket, struct sp_monitor_entry *entry)
{
    struct sp_monitor_entry *copy = monitor_add(socket);

    if (copy != NULL) {
        copy->event = entry->event;
        sp_peer_properties_copy(copy->properties, entry->properties);
    }
    remember_failure(socket, entry);
}

static void monitor_add_pipe(struct sp_monitor_entry *entry, int type, struct nn_pipe *pipe, int error)
{
    if (entry == NULL)
        return;
    entry_describe(entry, type, pipe->endpoint, error);
    entry_set_peer(entry, pipe);
}

/* The endpoint has a peer now, or is closed: that it could not connect before is over. That a connection has broken, or
 * that a stranger was turned away, stays the last failure. */
static void forget_failed_attempts(const struct nn_endpoint *endpoint)
{
    struct sp_socket *socket = endpoint->socket;

    if (endpoint->is_bound || socket->failure == NULL || socket->failure->event.endpoint != endpoint->id)
        return;
    if (socket->failure->event.type != NN_EVENT_DISCONNECT)
        forget_failure(socket);
}

void sp_monitor_endpoint_closed(const struct nn_endpoint *endpoint)
{
    forget_failed_attempts(endpoint);
}

void sp_monitor_connected(struct nn_pipe *pipe)
{
    struct sp_socket *socket = pipe->socket;

    forget_failed_attempts(pipe->endpoint);
    if (socket->monitor == NULL)
        return;
    sp_peer_info_remember(pipe);
    monitor_add_pipe(monitor_add(socket), NN_EVENT_CONNECT, pipe, 0);
}

void sp_monitor_disconnected(struct nn_pipe *pipe)
{
    struct sp_socket *socket = pipe->socket;
    bool has_failed = pipe->error != 0 && pipe->error != -ESHUTDOWN;
    struct sp_monitor_entry *entry = has_failed ? failure_create(socket) : monitor_add(socket);

    monitor_add_pipe(entry, NN_EVENT_DISCONNECT, pipe, pipe->error);
    if (!has_failed || entry == NULL)
        return;
    if (pipe->peer_info == NULL)
        entry_set_address(entry, pipe->endpoint);
    monitor_add_failure(socket, entry);
}

void sp_monitor_slow(struct nn_pipe *pipe, size_t queued_bytes)
{
    struct sp_monitor_entry *entry = monitor_add(pipe->socket);

    monitor_add_pipe(entry, NN_EVENT_SLOW, pipe, 0);
    if (entry == NULL)
        return;
    entry->event.messages_dropped = pipe->counts.messages_dropped;
    entry->event.bytes_dropped = pipe->counts.bytes_dropped;
    entry->event.queued_bytes = queued_bytes;
}

/* The errno says the reason; of limits and of the program's decisions others count. */
static void count_failed_handshake(struct sp_statistics *statistics, int error)
{
    statistics->failed_handshakes++;
    if (error == -EPROTOTYPE)
        statistics->wrong_protocols++;
    else if (error == -EPROTO)
        statistics->malformed_handshakes++;
    else if (error == -EACCES)
        statistics->tls_failures++;
    else if (error == -ETIMEDOUT)
        statistics->handshake_timeouts++;
}

void sp_monitor_rejected(struct nn_endpoint *endpoint, const struct sp_peer_info *info, int protocol, int error)
{
    struct sp_monitor_entry *entry = failure_create(endpoint->socket);
    struct sp_peer_info here;

    count_failed_handshake(&endpoint->socket->statistics, error);
    if (entry == NULL)
        return;
    if (info == NULL)
        sp_peer_info_set_endpoint(&here, endpoint);
    entry_describe(entry, NN_EVENT_REJECT, endpoint, error);
    entry_set_peer_info(entry, info != NULL ? info : &here);
    entry->event.protocol = protocol;
    monitor_add_failure(endpoint->socket, entry);
}

void sp_monitor_failed(struct nn_endpoint *endpoint, const char *remote, int error)
{
    struct sp_monitor_entry *entry = failure_create(endpoint->socket);

    if (entry == NULL)
        return;
    entry_describe(entry, NN_EVENT_FAILURE, endpoint, error);
    entry_set_address(entry, endpoint);
    snprintf(entry->event.remote_address, sizeof entry->event.remote_address, "%s", remote);
    monitor_add_failure(endpoint->socket, entry);
}
