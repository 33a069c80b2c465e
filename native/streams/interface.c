/* Network interfaces of this machine. */
#include "streams/interface.h"

#include "platform/descriptor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct sockaddr_in6 *ipv6_of(struct sp_socket_address *address)
{
    return (struct sockaddr_in6 *)&address->storage;
}

static const struct sockaddr_in6 *const_ipv6_of(const struct sp_socket_address *address)
{
    return (const struct sockaddr_in6 *)&address->storage;
}

/* ---- Scopes ---- */

unsigned sp_interface_index(const char *scope)
{
    char name[IF_NAMESIZE];
    unsigned index = if_nametoindex(scope);

    if (index != 0 || scope[0] == '\0' || scope[strspn(scope, "0123456789")] != '\0')
        return index;
    unsigned long number = strtoul(scope, NULL, 10);
    return number <= INT32_MAX && if_indextoname((unsigned)number, name) != NULL ? (unsigned)number : 0;
}

bool sp_interface_is_link_local(const struct sp_socket_address *address)
{
    if (address->storage.ss_family != AF_INET6)
        return false;
    struct in6_addr ip = const_ipv6_of(address)->sin6_addr; /* the macro of musl takes no constant one */
    return IN6_IS_ADDR_LINKLOCAL(&ip);
}

int sp_interface_set_scope(struct sp_socket_address *address, const char *scope)
{
    unsigned index = sp_interface_index(scope);

    if (index == 0) {
        int shortage = sp_fd_shortage();
        return shortage < 0 ? shortage : -ENODEV;
    }
    ipv6_of(address)->sin6_scope_id = index;
    return 0;
}

int sp_interface_join_scopes(struct sp_socket_address *destination, const struct sp_socket_address *source)
{
    bool has_source = source != NULL && source->length > 0;

    if (has_source && source->storage.ss_family != destination->storage.ss_family)
        return -ENODEV;
    if (!sp_interface_is_link_local(destination))
        return 0;
    struct sockaddr_in6 *to = ipv6_of(destination);
    unsigned scope = has_source ? const_ipv6_of(source)->sin6_scope_id : 0;
    if (to->sin6_scope_id == 0)
        to->sin6_scope_id = scope;
    /* The kernel would answer the same to every attempt. */
    return to->sin6_scope_id == 0 || (scope != 0 && scope != to->sin6_scope_id) ? -EINVAL : 0;
}

/* ---- Addresses ---- */

static void take_address(struct sp_socket_address *to, const struct sockaddr *from)
{
    memset(to, 0, sizeof *to);
    to->length = from->sa_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
    memcpy(&to->storage, from, (size_t)to->length);
}

static bool shares_network(const uint8_t *one, const uint8_t *other, const uint8_t *mask, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (((one[i] ^ other[i]) & mask[i]) != 0)
            return false;
    }
    return true;
}

static bool is_neighbour(const struct sp_net_interface *entry, const struct sp_socket_address *destination)
{
    if (entry->mask == NULL)
        return false;
    if (entry->address->sa_family == AF_INET)
        return shares_network((const uint8_t *)&((const struct sockaddr_in *)entry->address)->sin_addr,
                              (const uint8_t *)&((const struct sockaddr_in *)&destination->storage)->sin_addr,
                              (const uint8_t *)&((const struct sockaddr_in *)entry->mask)->sin_addr,
                              sizeof(struct in_addr));
    return shares_network(((const struct sockaddr_in6 *)entry->address)->sin6_addr.s6_addr,
                          const_ipv6_of(destination)->sin6_addr.s6_addr,
                          ((const struct sockaddr_in6 *)entry->mask)->sin6_addr.s6_addr, sizeof(struct in6_addr));
}

/* What an address is chosen for. */
struct wish {
    const struct sp_socket_address *destination; /* or NULL: to bind */
    bool ipv4_only;
};

/* How well an address fits; 0: not at all. */
static int fitness(const struct sp_net_interface *entry, const struct wish *wish)
{
    const struct sp_socket_address *destination = wish->destination;
    struct sp_socket_address address;
    int family = entry->address->sa_family;

    if (family != AF_INET && (family != AF_INET6 || wish->ipv4_only))
        return 0;
    take_address(&address, entry->address);
    bool is_link_local = sp_interface_is_link_local(&address);
    if (destination == NULL)
        return family == AF_INET ? 2 : is_link_local ? 1 : 3;
    if (family != destination->storage.ss_family)
        return 0;
    return 1 + (is_link_local == sp_interface_is_link_local(destination) ? 2 : 0) +
           (is_neighbour(entry, destination) ? 1 : 0);
}

/* The first of those that fit best. */
struct search {
    const char *name;
    const struct wish *wish;
    struct sp_socket_address *found;
    int best; /* 0: none */
};

static void look_at(void *search, const struct sp_net_interface *entry)
{
    struct search *self = search;
    int fit = strcmp(entry->name, self->name) == 0 ? fitness(entry, self->wish) : 0;

    if (fit > self->best) {
        self->best = fit;
        take_address(self->found, entry->address);
    }
}

static int find(const char *name, const struct wish *wish, struct sp_socket_address *found)
{
    struct search search = {.name = name, .wish = wish, .found = found};
    int rc = sp_net_visit_interfaces(look_at, &search);

    return rc < 0 ? rc : search.best > 0 ? 0 : -ENODEV;
}

int sp_interface_find(const char *name, bool ipv4_only, struct sp_socket_address *found)
{
    return find(name, &(struct wish){.ipv4_only = ipv4_only}, found);
}

int sp_interface_find_source(const char *name, const struct sp_socket_address *destination,
                             struct sp_socket_address *found)
{
    return find(name, &(struct wish){.destination = destination}, found);
}
