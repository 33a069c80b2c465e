/* The queue of a socket's events, which is bounded: what nobody takes in time is dropped and counted. */
#include "core/monitor.h"

#include "message/chunk.h"
#include "core/socket_internal.h"
#include "util/memory.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct sp_monitor_entry {
    struct sp_list_item item;
    struct nn_event event;
    struct nn_chunk *facts[SP_PEER_FACTS]; /* references */
};

struct sp_monitor {
    struct sp_list entries;
    int count;
    uint64_t lost; /* since the last one that was taken */
};

/* ---- Facts ---- */

static void copy_facts(struct nn_chunk *to[SP_PEER_FACTS], struct nn_chunk *const from[SP_PEER_FACTS])
{
    for (int i = 0; i < SP_PEER_FACTS; i++) {
        if ((to[i] = from[i]) != NULL)
            sp_chunk_retain(to[i]);
    }
}

static void clear_facts(struct nn_chunk *facts[SP_PEER_FACTS])
{
    for (int i = 0; i < SP_PEER_FACTS; i++) {
        if (facts[i] != NULL)
            sp_chunk_release(facts[i]);
        facts[i] = NULL;
    }
}

void sp_ends_note_chunk(struct sp_ends *ends, int what, struct nn_chunk *chunk)
{
    if (ends->facts[what] != NULL)
        sp_chunk_release(ends->facts[what]);
    ends->facts[what] = chunk;
    sp_chunk_retain(chunk);
}

void sp_ends_note(struct sp_ends *ends, int what, const void *bytes, size_t count)
{
    struct nn_chunk *chunk = sp_chunk_create(count);

    if (chunk == NULL)
        return;
    memcpy(chunk->bytes, bytes, count);
    sp_ends_note_chunk(ends, what, chunk);
    sp_chunk_release(chunk);
}

void sp_ends_clear(struct sp_ends *ends)
{
    clear_facts(ends->facts);
}

void sp_ends_destroy(struct sp_ends *ends)
{
    if (ends != NULL)
        sp_ends_clear(ends);
    sp_free(ends);
}

/* ---- Addresses ---- */

void sp_ends_set_endpoint(struct sp_ends *ends, const struct nn_endpoint *endpoint)
{
    if (sp_endpoint_write_address(endpoint, ends->endpoint, sizeof ends->endpoint) < 0)
        ends->endpoint[0] = '\0';
    memcpy(ends->local, ends->endpoint, sizeof ends->local);
    memcpy(ends->remote, ends->endpoint, sizeof ends->remote);
    memset(ends->facts, 0, sizeof ends->facts);
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
    if (pipe->tell != NULL)
        pipe->tell(pipe, pipe->ends);
}

/* ---- The queue ---- */

static void entry_destroy(struct sp_monitor_entry *self)
{
    if (self != NULL)
        clear_facts(self->facts);
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
        sp_socket_report(socket, NN_LOOP_EVENTS);
    return entry;
}

static void entry_set_ends(struct sp_monitor_entry *self, const struct sp_ends *ends)
{
    memcpy(self->event.address, ends->endpoint, sizeof self->event.address);
    memcpy(self->event.local_address, ends->local, sizeof self->event.local_address);
    memcpy(self->event.remote_address, ends->remote, sizeof self->event.remote_address);
    copy_facts(self->facts, ends->facts);
}

/* What it tells of a peer can be asked until the next one is taken. */
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
    const struct nn_chunk *fact;

    if (what < 0 || what >= SP_PEER_FACTS)
        return -EINVAL;
    if (taken == NULL || (fact = taken->facts[what]) == NULL)
        return -ENODATA;
    memcpy(value, fact->bytes, *size < fact->size_bytes ? *size : fact->size_bytes);
    *size = fact->size_bytes;
    return 0;
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
    if (pipe->ends != NULL)
        entry_set_ends(self, pipe->ends);
    self->event.pipe = pipe->id;
    self->event.protocol = pipe->socket->protocol->peer_id; /* others are not admitted */
}

int sp_monitor_describe(struct nn_pipe *pipe, struct nn_event *event)
{
    struct sp_monitor_entry *entry = sp_zalloc(sizeof *entry);

    if (entry == NULL)
        return -ENOMEM;
    remember_ends(pipe);
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
    struct sp_monitor_entry *entry = monitor_add(endpoint->socket, NN_EVENT_REJECT, endpoint, error);
    if (entry == NULL)
        return;
    if (ends == NULL)
        sp_ends_set_endpoint(&here, endpoint);
    entry_set_ends(entry, ends != NULL ? ends : &here);
    entry->event.protocol = protocol;
}

void sp_monitor_failed(struct nn_endpoint *endpoint, const char *remote, int error)
{
    struct sp_ends ends;

    if (endpoint->socket->monitor == NULL)
        return;
    struct sp_monitor_entry *entry = monitor_add(endpoint->socket, NN_EVENT_FAILURE, endpoint, error);
    if (entry == NULL)
        return;
    sp_ends_set_endpoint(&ends, endpoint);
    memcpy(entry->event.address, ends.endpoint, sizeof entry->event.address);
    snprintf(entry->event.remote_address, sizeof entry->event.remote_address, "%s", remote);
}
