/* The bounded queue of a socket's events: the oldest ones are dropped, and counted, when it is full. */
#include "core/monitor.h"

#include "core/host_events.h"
#include "core/peer_info.h"
#include "core/pipe.h"
#include "core/socket_state.h"
#include "core/transport.h"
#include "message/chunk.h"
#include "util/memory.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct sp_monitor_entry {
    struct sp_list_item item;
    struct nn_event event;
    struct nn_chunk *properties[SP_PEER_PROPERTIES]; /* references */
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

/* Returns the entry to be filled, or NULL when it counts as lost. */
static struct sp_monitor_entry *monitor_add(struct sp_socket *socket, int type, const struct nn_endpoint *endpoint,
                                            int error)
{
    struct sp_monitor *self = socket->monitor;
    struct sp_monitor_entry *entry = sp_zalloc(sizeof *entry);

    if (entry == NULL) {
        self->lost++;
        return NULL;
    }
    if (self->count == NN_EVENTS_LIMIT)
        monitor_drop_oldest(self);
    sp_list_append(&self->entries, &entry->item);
    entry->event.type = type;
    entry->event.endpoint = endpoint->id;
    entry->event.is_bound = endpoint->is_bound;
    entry->event.error = -error;
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

/* ---- What happens ---- */

static void monitor_add_pipe(int type, struct nn_pipe *pipe, int error)
{
    struct sp_monitor_entry *entry = monitor_add(pipe->socket, type, pipe->endpoint, error);

    if (entry != NULL)
        entry_set_peer(entry, pipe);
}

void sp_monitor_connected(struct nn_pipe *pipe)
{
    if (pipe->socket->monitor == NULL)
        return;
    sp_peer_info_remember(pipe);
    monitor_add_pipe(NN_EVENT_CONNECT, pipe, 0);
}

void sp_monitor_disconnected(struct nn_pipe *pipe)
{
    if (pipe->socket->monitor != NULL)
        monitor_add_pipe(NN_EVENT_DISCONNECT, pipe, pipe->error);
}

void sp_monitor_rejected(struct nn_endpoint *endpoint, const struct sp_peer_info *info, int protocol, int error)
{
    struct sp_peer_info here;

    if (endpoint->socket->monitor == NULL)
        return;
    struct sp_monitor_entry *entry = monitor_add(endpoint->socket, NN_EVENT_REJECT, endpoint, error);
    if (entry == NULL)
        return;
    if (info == NULL)
        sp_peer_info_set_endpoint(&here, endpoint);
    entry_set_peer_info(entry, info != NULL ? info : &here);
    entry->event.protocol = protocol;
}

void sp_monitor_failed(struct nn_endpoint *endpoint, const char *remote, int error)
{
    struct sp_peer_info info;

    if (endpoint->socket->monitor == NULL)
        return;
    struct sp_monitor_entry *entry = monitor_add(endpoint->socket, NN_EVENT_FAILURE, endpoint, error);
    if (entry == NULL)
        return;
    sp_peer_info_set_endpoint(&info, endpoint);
    memcpy(entry->event.address, info.endpoint, sizeof entry->event.address);
    snprintf(entry->event.remote_address, sizeof entry->event.remote_address, "%s", remote);
}
