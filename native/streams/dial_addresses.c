/* Addresses of a name, families in turn. */
#include "streams/dial_addresses.h"

#include <string.h>

static const struct addrinfo *next_of_family(const struct addrinfo *found, int family)
{
    while (found != NULL && found->ai_family != family)
        found = found->ai_next;
    return found;
}

static void add(struct sp_dial_addresses *self, const struct addrinfo *found, uint16_t port)
{
    struct sp_socket_address *address = &self->list[self->count++];

    memcpy(&address->storage, found->ai_addr, found->ai_addrlen);
    address->length = (socklen_t)found->ai_addrlen;
    sp_net_address_set_port(address, port);
}

void sp_dial_addresses_take(struct sp_dial_addresses *self, const struct addrinfo *found, uint16_t port)
{
    const struct addrinfo *next4 = next_of_family(found, AF_INET);
    const struct addrinfo *next6 = next_of_family(found, AF_INET6);
    const struct addrinfo *first = found;

    while (first != NULL && first != next4 && first != next6)
        first = first->ai_next;
    bool is_turn_of_6 = first == next6; /* the family that the resolver prefers comes first */
    self->count = 0;
    while (self->count < SP_DIAL_ADDRESSES && (next4 != NULL || next6 != NULL)) {
        const struct addrinfo **next = (is_turn_of_6 && next6 != NULL) || next4 == NULL ? &next6 : &next4;
        add(self, *next, port);
        *next = next_of_family((*next)->ai_next, (*next)->ai_family);
        is_turn_of_6 = !is_turn_of_6;
    }
}
