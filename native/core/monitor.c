/* The queue of a socket's events, which is bounded: what nobody takes in time is dropped and counted. */
#include "core/monitor.h"

#include "core/socket_internal.h"
#include "util/memory.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct entry {
    struct sp_list_item item;
    struct nn_event event;
};

struct sp_monitor {
    struct sp_list entries;
    int count;
    uint64_t lost; /* since the last one that was taken */
};

/* ---- Addresses ---- */

void sp_ends_set_endpoint(struct sp_ends *ends, const struct nn_endpoint *endpoint)
{
    if (sp_endpoint_write_address(endpoint, ends->endpoint, sizeof ends->endpoint) < 0)
        ends->endpoint[0] = '\0';
    memcpy(ends->local, ends->endpoint, sizeof ends->local);
    memcpy(ends->remote, ends->endpoint, sizeof ends->remote);
}

/* Asks while it is known: not any more when the connection has broken, or the endpoint is closed. Without memory the
 * addresses stay unknown. */
static void remember_ends(struct nn_pipe *pipe)
{
    if (pipe->ends != NULL || (pipe->ends = sp_alloc(sizeof *pipe->ends)) == NULL)
        return;
    sp_ends_set_endpoint(pipe->ends, pipe->endpoint);
    if (pipe->ops->addresses != NULL)
        pipe->ops->addresses(pipe, pipe->ends->local, pipe->ends->remote);
}

/* ---- The queue ---- */

static void monitor_drop_oldest(struct sp_monitor *self)
{
    struct entry *oldest = SP_CONTAINER(sp_list_pop(&self->entries), struct entry, item);

    self->count--;
    self->lost++;
    sp_free(oldest);
}

/* Returns the event to be filled, or NULL when it counts as lost. */
static struct nn_event *monitor_add(struct sp_socket *socket, int type, const struct nn_endpoint *endpoint, int error)
{
    struct sp_monitor *self = socket->monitor;
    struct entry *entry = sp_zalloc(sizeof *entry);

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
        sp_socket_report(socket, NN_LOOP_EVENTS);
    return &entry->event;
}

static void event_set_ends(struct nn_event *event, const struct sp_ends *ends)
{
    memcpy(event->address, ends->endpoint, sizeof event->address);
    memcpy(event->local_address, ends->local, sizeof event->local_address);
    memcpy(event->remote_address, ends->remote, sizeof event->remote_address);
}

int sp_monitor_next(struct sp_socket *socket, struct nn_event *event)
{
    struct sp_monitor *self = socket->monitor;

    if (self == NULL || self->count == 0)
        return 0;
    struct entry *entry = SP_CONTAINER(sp_list_pop(&self->entries), struct entry, item);
    *event = entry->event;
    event->lost = self->lost;
    self->lost = 0;
    self->count--;
    sp_free(entry);
    return 1;
}

/* ---- On and off ---- */

/* Peers of before are asked who they are now. */
static void remember_peers(struct sp_socket *socket)
{
    for (struct sp_list_item *item = sp_list_first(&socket->pipes); item != NULL;
         item = sp_list_next(&socket->pipes, item))
        remember_ends(SP_CONTAINER(item, struct nn_pipe, item));
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
    if (is_on == (socket->monitor != NULL))
        return 0;
    if (is_on)
        return switch_on(socket);
    switch_off(socket);
    return 0;
}

/* ---- Peers ---- */

static void event_set_peer(struct nn_event *event, const struct nn_pipe *pipe)
{
    if (pipe->ends != NULL)
        event_set_ends(event, pipe->ends);
    event->pipe = pipe->id;
    event->protocol = pipe->socket->protocol->peer_id; /* others are not admitted */
}

void sp_monitor_describe(struct nn_pipe *pipe, struct nn_event *event)
{
    remember_ends(pipe);
    *event = (struct nn_event){
        .type = NN_EVENT_CONNECT, .endpoint = pipe->endpoint->id, .is_bound = pipe->endpoint->is_bound};
    event_set_peer(event, pipe);
}

/* ---- What happens ---- */

static void monitor_add_pipe(int type, struct nn_pipe *pipe, int error)
{
    struct nn_event *event = monitor_add(pipe->socket, type, pipe->endpoint, error);

    if (event != NULL)
        event_set_peer(event, pipe);
}

void sp_monitor_connected(struct nn_pipe *pipe)
{
    if (pipe->socket->monitor == NULL)
        return;
    remember_ends(pipe);
    monitor_add_pipe(NN_EVENT_CONNECT, pipe, 0);
}

void sp_monitor_disconnected(struct nn_pipe *pipe)
{
    if (pipe->socket->monitor != NULL)
        monitor_add_pipe(NN_EVENT_DISCONNECT, pipe, pipe->error);
}

void sp_monitor_rejected(struct nn_endpoint *endpoint, const struct sp_ends *ends, int protocol, int error)
{
    struct sp_ends here;

    if (endpoint->socket->monitor == NULL)
        return;
    struct nn_event *event = monitor_add(endpoint->socket, NN_EVENT_REJECT, endpoint, error);
    if (event == NULL)
        return;
    if (ends == NULL)
        sp_ends_set_endpoint(&here, endpoint);
    event_set_ends(event, ends != NULL ? ends : &here);
    event->protocol = protocol;
}

void sp_monitor_failed(struct nn_endpoint *endpoint, const char *remote, int error)
{
    struct sp_ends ends;

    if (endpoint->socket->monitor == NULL)
        return;
    struct nn_event *event = monitor_add(endpoint->socket, NN_EVENT_FAILURE, endpoint, error);
    if (event == NULL)
        return;
    sp_ends_set_endpoint(&ends, endpoint);
    memcpy(event->address, ends.endpoint, sizeof event->address);
    snprintf(event->remote_address, sizeof event->remote_address, "%s", remote);
}
