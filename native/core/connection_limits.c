/* Counts of accepted connections, and which connection is one too many. */
#include "core/connection_limits.h"

#include "core/socket_state.h"
#include "core/transport.h"
#include "util/invariant.h"
#include "util/memory.h"
#include "util/random.h"

#include <errno.h>
#include <string.h>

/* The age from which a handshake gives way to another one. */
#define MIN_GIVING_WAY_AGE_NS ((sp_time_ns)50 * SP_NS_PER_MS)

struct sp_address_count {
    struct sp_id_map_item item;
    struct sp_address_count *next; /* of the same id */
    uint8_t bytes[SP_NETWORK_BYTES];
    unsigned connections;
};

/* ---- Addresses ---- */

/* The factor is secret: a peer with many networks cannot choose those that have one id. */
static uint32_t id_of(const struct sp_connection_limits *self, const uint8_t *bytes)
{
    uint64_t number;

    memcpy(&number, bytes, sizeof number);
    return (uint32_t)(number * self->factor >> 32);
}

static struct sp_address_count *first_of(const struct sp_connection_limits *self, uint32_t id)
{
    struct sp_id_map_item *item = sp_id_map_find(&self->addresses, id);

    return item != NULL ? SP_CONTAINER(item, struct sp_address_count, item) : NULL;
}

static struct sp_address_count *find(const struct sp_connection_limits *self, const uint8_t *bytes)
{
    struct sp_address_count *count = first_of(self, id_of(self, bytes));

    while (count != NULL && memcmp(count->bytes, bytes, SP_NETWORK_BYTES) != 0)
        count = count->next;
    return count;
}

/* Those of one id are a list, whose first one is in the map. */
static struct sp_address_count *add(struct sp_connection_limits *self, const uint8_t *bytes)
{
    struct sp_address_count *count = sp_zalloc(sizeof *count);
    uint32_t id = id_of(self, bytes);
    struct sp_address_count *first = first_of(self, id);

    if (count == NULL)
        return NULL;
    memcpy(count->bytes, bytes, SP_NETWORK_BYTES);
    if (first != NULL) {
        count->next = first->next;
        first->next = count;
    } else {
        sp_id_map_add(&self->addresses, &count->item, id);
    }
    return count;
}

static void remove_count(struct sp_connection_limits *self, struct sp_address_count *count)
{
    uint32_t id = id_of(self, count->bytes);
    struct sp_address_count *first = first_of(self, id);
    struct sp_address_count *before = first;

    if (first == count) {
        sp_id_map_remove(&self->addresses, &count->item);
        if (count->next != NULL)
            sp_id_map_add(&self->addresses, &count->next->item, id);
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

enum limit { LIMIT_NONE, LIMIT_SOCKET, LIMIT_ENDPOINT, LIMIT_ADDRESS };

static const char *const problems[] = {
    [LIMIT_SOCKET] = "the socket has as many connections as it may have",
    [LIMIT_ENDPOINT] = "the endpoint has as many connections as it may have",
    [LIMIT_ADDRESS] = "its address has as many connections as it may have",
};

static enum limit reached(const struct nn_endpoint *endpoint, const struct sp_address_count *from)
{
    const struct sp_socket *socket = endpoint->socket;

    if (from != NULL && is_reached(socket->options.max_connections_per_address, from->connections))
        return LIMIT_ADDRESS;
    if (is_reached(endpoint->options.max_connections_per_endpoint, endpoint->accepted))
        return LIMIT_ENDPOINT;
    if (is_reached(socket->options.max_connections, socket->limits.connections))
        return LIMIT_SOCKET;
    return LIMIT_NONE;
}

static struct sp_limits_handshake *handshake_of(struct sp_list_item *item)
{
    return SP_CONTAINER(item, struct sp_limits_handshake, item);
}

static bool is_old(const struct sp_limits_handshake *handshake)
{
    return sp_now_ns() - handshake->begun_ns >= MIN_GIVING_WAY_AGE_NS;
}

static void give_way(struct sp_socket *socket, struct sp_limits_handshake *handshake)
{
    socket->statistics.rejected_connections++;
    handshake->give_way(handshake);
}

/* Lets the oldest handshake that is counted go, of the endpoint if that is what has too many. Returns false when there
 * is none that is old enough. */
static bool make_room(const struct nn_endpoint *endpoint, enum limit limit)
{
    const struct sp_list *shaking = &endpoint->socket->limits.shaking;
    struct sp_list_item *item = limit != LIMIT_ADDRESS ? sp_list_first(shaking) : NULL;

    for (; item != NULL && is_old(handshake_of(item)); item = sp_list_next(shaking, item)) {
        struct sp_limits_handshake *handshake = handshake_of(item);
        if (!handshake->place->is_counted || (limit == LIMIT_ENDPOINT && handshake->endpoint != endpoint))
            continue;
        give_way(endpoint->socket, handshake);
        return true;
    }
    return false;
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

/* Returns 0, -EMLINK or -ENOMEM. What counts the address may go with a handshake that gives way: it is found anew. */
static int find_place(struct nn_endpoint *endpoint, const uint8_t *network, struct sp_address_count **from,
                      const char **problem)
{
    struct sp_connection_limits *self = &endpoint->socket->limits;
    enum limit limit;
    int rc;

    while ((rc = find_from(self, network, from)) == 0 && (limit = reached(endpoint, *from)) != LIMIT_NONE) {
        if (*from != NULL && (*from)->connections == 0)
            remove_count(self, *from);
        if (make_room(endpoint, limit))
            continue;
        *problem = problems[limit];
        endpoint->socket->statistics.rejected_connections++;
        return -EMLINK;
    }
    return rc;
}

int sp_limits_count(struct nn_endpoint *endpoint, struct sp_limits_place *place, const uint8_t *network,
                    const char **problem)
{
    struct sp_address_count *from;
    int rc = find_place(endpoint, network, &from, problem);

    if (rc < 0)
        return rc;
    if (from != NULL)
        from->connections++;
    place->from = from;
    place->is_counted = true;
    endpoint->accepted++;
    endpoint->socket->limits.connections++;
    return 0;
}

/* The handshake that gives way to the next one; NULL: none has to. */
static struct sp_limits_handshake *next_to_go(const struct sp_socket *socket)
{
    struct sp_list_item *item = sp_list_first(&socket->limits.shaking);

    if (item == NULL || !is_reached(socket->options.max_handshakes, socket->limits.handshakes))
        return NULL;
    return handshake_of(item);
}

void sp_limits_begin(struct nn_endpoint *endpoint, struct sp_limits_handshake *handshake)
{
    struct sp_connection_limits *self = &endpoint->socket->limits;
    struct sp_limits_handshake *oldest = next_to_go(endpoint->socket);

    /* Accepting has waited until it is old. A stream that is handed over or attached cannot wait: then there is one
     * handshake more. */
    if (oldest != NULL && is_old(oldest))
        give_way(endpoint->socket, oldest);
    handshake->endpoint = endpoint;
    handshake->begun_ns = sp_now_ns();
    self->handshakes++;
    sp_list_append(&self->shaking, &handshake->item);
}

void sp_limits_end(struct nn_endpoint *endpoint, struct sp_limits_handshake *handshake)
{
    if (!sp_list_is_linked(&handshake->item))
        return;
    sp_list_remove(&handshake->item);
    endpoint->socket->limits.handshakes--;
}

void sp_limits_leave(struct nn_endpoint *endpoint, struct sp_limits_place *place)
{
    struct sp_connection_limits *self = &endpoint->socket->limits;

    if (!place->is_counted)
        return;
    SP_INVARIANT(self->connections > 0 && endpoint->accepted > 0, "a connection leaves that was not counted");
    self->connections--;
    endpoint->accepted--;
    if (place->from != NULL && --place->from->connections == 0)
        remove_count(self, place->from);
    place->from = NULL;
    place->is_counted = false;
}

sp_time_ns sp_limits_waits_until(const struct sp_socket *socket)
{
    const struct sp_limits_handshake *oldest = next_to_go(socket);

    return oldest != NULL && !is_old(oldest) ? oldest->begun_ns + MIN_GIVING_WAY_AGE_NS : 0;
}

void sp_limits_init(struct sp_connection_limits *self)
{
    self->factor = (uint64_t)sp_random_unpredictable_u32() << 32 | sp_random_unpredictable_u32() | 1;
    sp_list_init(&self->shaking);
    sp_id_map_init(&self->addresses);
}

void sp_limits_destroy(struct sp_connection_limits *self)
{
    SP_INVARIANT(self->connections == 0 && self->handshakes == 0, "a socket ends with counted connections");
    sp_id_map_destroy(&self->addresses);
}
