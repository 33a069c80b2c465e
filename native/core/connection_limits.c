/* Counts of accepted connections, and who is one too many. */
#include "core/connection_limits.h"

#include "core/socket_state.h"
#include "core/transport.h"
#include "util/invariant.h"
#include "util/memory.h"

#include <errno.h>
#include <string.h>

/* So long a handshake gives way to no other. */
#define PATIENCE_NS ((sp_time_ns)50 * SP_NS_PER_MS)

struct sp_address_count {
    struct sp_id_map_item item;
    struct sp_address_count *next; /* of the same id */
    uint8_t bytes[SP_NETWORK_BYTES];
    unsigned connections;
};

/* ---- Addresses ---- */

static uint32_t id_of(const uint8_t *bytes)
{
    uint64_t number;

    memcpy(&number, bytes, sizeof number);
    number *= UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)(number >> 32);
}

static struct sp_address_count *first_of(const struct sp_connection_limits *self, uint32_t id)
{
    struct sp_id_map_item *item = sp_id_map_find(&self->addresses, id);

    return item != NULL ? SP_CONTAINER(item, struct sp_address_count, item) : NULL;
}

static struct sp_address_count *find(const struct sp_connection_limits *self, const uint8_t *bytes)
{
    struct sp_address_count *count = first_of(self, id_of(bytes));

    while (count != NULL && memcmp(count->bytes, bytes, SP_NETWORK_BYTES) != 0)
        count = count->next;
    return count;
}

/* Those of one id are a list, whose first one is in the map. */
static struct sp_address_count *add(struct sp_connection_limits *self, const uint8_t *bytes)
{
    struct sp_address_count *count = sp_zalloc(sizeof *count);
    struct sp_address_count *first = first_of(self, id_of(bytes));

    if (count == NULL)
        return NULL;
    memcpy(count->bytes, bytes, SP_NETWORK_BYTES);
    if (first != NULL) {
        count->next = first->next;
        first->next = count;
    } else {
        sp_id_map_add(&self->addresses, &count->item, id_of(bytes));
    }
    return count;
}

static void remove_count(struct sp_connection_limits *self, struct sp_address_count *count)
{
    struct sp_address_count *first = first_of(self, id_of(count->bytes));
    struct sp_address_count *before = first;

    if (first == count) {
        sp_id_map_remove(&self->addresses, &count->item);
        if (count->next != NULL)
            sp_id_map_add(&self->addresses, &count->next->item, id_of(count->bytes));
    } else {
        while (before->next != count)
            before = before->next;
        before->next = count->next;
    }
    sp_free(count);
}

/* ---- Connections ---- */

static bool is_reached(int limit, unsigned count)
{
    return limit >= 0 && count >= (unsigned)limit;
}

static const char *problem_of(const struct nn_endpoint *endpoint, const struct sp_address_count *from)
{
    const struct sp_socket *socket = endpoint->socket;

    if (is_reached(socket->options.max_connections, socket->limits.connections))
        return "the socket has as many connections as it may have";
    if (is_reached(endpoint->options.max_connections_per_endpoint, endpoint->accepted))
        return "the endpoint has as many connections as it may have";
    if (from != NULL && is_reached(socket->options.max_connections_per_address, from->connections))
        return "its address has as many connections as it may have";
    return NULL;
}

/* Finds what counts the address. Returns 0 or -ENOMEM. */
static int find_from(struct sp_connection_limits *self, const uint8_t *network, struct sp_address_count **from)
{
    *from = NULL;
    if (network == NULL)
        return 0;
    *from = find(self, network);
    if (*from == NULL)
        *from = add(self, network);
    return *from != NULL ? 0 : -ENOMEM;
}

int sp_limits_count(struct nn_endpoint *endpoint, struct sp_limits_entry *entry, const uint8_t *network,
                    const char **problem)
{
    struct sp_connection_limits *self = &endpoint->socket->limits;
    struct sp_address_count *from;
    int rc = find_from(self, network, &from);

    if (rc < 0)
        return rc;
    *problem = problem_of(endpoint, from);
    if (*problem != NULL) {
        endpoint->socket->statistics.rejected_connections++;
        if (from != NULL && from->connections == 0)
            remove_count(self, from);
        return -EMLINK;
    }
    if (from != NULL)
        from->connections++;
    entry->from = from;
    entry->is_counted = true;
    endpoint->accepted++;
    self->connections++;
    return 0;
}

void sp_limits_begin(struct nn_endpoint *endpoint, struct sp_limits_entry *entry)
{
    struct sp_connection_limits *self = &endpoint->socket->limits;

    entry->begun_ns = sp_now_ns();
    self->handshakes++;
    sp_list_append(&self->shaking, &entry->item);
}

void sp_limits_admit(struct nn_endpoint *endpoint, struct sp_limits_entry *entry)
{
    if (!sp_list_is_linked(&entry->item))
        return;
    sp_list_remove(&entry->item);
    endpoint->socket->limits.handshakes--;
}

void sp_limits_leave(struct nn_endpoint *endpoint, struct sp_limits_entry *entry)
{
    struct sp_connection_limits *self = &endpoint->socket->limits;

    sp_limits_admit(endpoint, entry);
    if (!entry->is_counted)
        return;
    SP_INVARIANT(self->connections > 0 && endpoint->accepted > 0, "a connection leaves that was not counted");
    self->connections--;
    endpoint->accepted--;
    if (entry->from != NULL && --entry->from->connections == 0)
        remove_count(self, entry->from);
    entry->from = NULL;
    entry->is_counted = false;
}

/* The handshake that gives way to the next one; NULL: none has to. */
static struct sp_limits_entry *next_to_go(const struct sp_socket *socket)
{
    struct sp_list_item *item = sp_list_first(&socket->limits.shaking);

    if (item == NULL || !is_reached(socket->options.max_handshakes, socket->limits.handshakes))
        return NULL;
    return SP_CONTAINER(item, struct sp_limits_entry, item);
}

sp_time_ns sp_limits_waits_until(const struct sp_socket *socket)
{
    const struct sp_limits_entry *oldest = next_to_go(socket);
    bool is_young = oldest != NULL && sp_now_ns() - oldest->begun_ns < PATIENCE_NS;

    return is_young ? oldest->begun_ns + PATIENCE_NS : 0;
}

void sp_limits_make_place(struct sp_socket *socket)
{
    struct sp_limits_entry *oldest = next_to_go(socket);

    if (oldest == NULL)
        return;
    socket->statistics.rejected_connections++;
    oldest->give_way(oldest);
}

void sp_limits_init(struct sp_connection_limits *self)
{
    sp_list_init(&self->shaking);
    sp_id_map_init(&self->addresses);
}

void sp_limits_destroy(struct sp_connection_limits *self)
{
    SP_INVARIANT(self->connections == 0 && self->handshakes == 0, "a socket ends with counted connections");
    sp_id_map_destroy(&self->addresses);
}
