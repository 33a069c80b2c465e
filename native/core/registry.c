/* Known protocols and transports: tables that are handed in from above, and those of users. */
#include "core/registry.h"

#include "platform/thread.h"
#include "util/memory.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

static struct sp_built_in built_in;

void sp_registry_init(const struct sp_built_in *tables)
{
    built_in = *tables;
}

/* A user's protocols and transports: lists that only grow, so that readers need no lock. */
struct registered {
    const void *table;
    struct registered *next;
};

typedef _Atomic(struct registered *) registered_list;

static registered_list registered_protocols;
static registered_list registered_transports;
static struct sp_mutex registering = SP_MUTEX_INIT(SP_RANK_NONE);

/* The protocol of that id in one of the domains, which are bits. */
static const struct nn_protocol *find_protocol(int domains, int id)
{
    for (size_t i = 0; i < built_in.protocol_count; i++) {
        if ((built_in.protocols[i]->domain & domains) && built_in.protocols[i]->id == id)
            return built_in.protocols[i];
    }
    for (struct registered *entry = atomic_load(&registered_protocols); entry != NULL; entry = entry->next) {
        const struct nn_protocol *protocol = entry->table;
        if ((protocol->domain & domains) && protocol->id == id)
            return protocol;
    }
    return NULL;
}

const struct nn_protocol *sp_registry_protocol(int domain, int id, bool *has_domain)
{
    *has_domain = domain == AF_SP || domain == AF_SP_RAW;
    return *has_domain ? find_protocol(domain, id) : NULL;
}

static bool is_sound(const struct nn_protocol *protocol)
{
    bool is_complete = protocol->pipe_added != NULL && protocol->pipe_removed != NULL &&
                       protocol->pipe_readable != NULL && protocol->pipe_writable != NULL && protocol->events != NULL;
    bool has_send = (protocol->flags & NN_PROTOCOL_SENDS) == 0 || protocol->send != NULL;
    bool has_receive = (protocol->flags & NN_PROTOCOL_RECEIVES) == 0 || protocol->receive != NULL;
    bool has_domain = protocol->domain > 0 && (protocol->domain & ~(AF_SP | AF_SP_RAW)) == 0;

    return protocol->version >= 1 && protocol->version <= NN_PROTOCOL_VERSION && is_complete && has_send &&
           has_receive && has_domain && protocol->socket_bytes >= sizeof(struct nn_protocol_socket) &&
           protocol->id > 0 && protocol->id <= UINT16_MAX;
}

/* Called under the lock of registering. */
static int list_add(registered_list *list, const void *table)
{
    struct registered *entry = sp_alloc(sizeof *entry);

    if (entry == NULL)
        return -ENOMEM;
    entry->table = table;
    entry->next = atomic_load(list);
    atomic_store(list, entry);
    return 0;
}

int sp_registry_add_protocol(const struct nn_protocol *protocol)
{
    int rc = -EEXIST;

    if (protocol == NULL || !is_sound(protocol))
        return -EINVAL;
    sp_mutex_lock(&registering);
    if (find_protocol(protocol->domain, protocol->id) == NULL)
        rc = list_add(&registered_protocols, protocol);
    sp_mutex_unlock(&registering);
    return rc;
}

/* ---- Transports ---- */

static bool is_scheme(const struct nn_transport *transport, const char *scheme, size_t count)
{
    return strlen(transport->scheme) == count && memcmp(transport->scheme, scheme, count) == 0;
}

static const struct nn_transport *find_transport(const char *scheme, size_t count)
{
    for (size_t i = 0; i < built_in.transport_count; i++) {
        if (is_scheme(built_in.transports[i], scheme, count))
            return built_in.transports[i];
    }
    for (struct registered *entry = atomic_load(&registered_transports); entry != NULL; entry = entry->next) {
        if (is_scheme(entry->table, scheme, count))
            return entry->table;
    }
    return NULL;
}

int sp_registry_scheme(const char *address, size_t *scheme_bytes)
{
    if (strlen(address) >= NN_SOCKADDR_MAX)
        return -ENAMETOOLONG;
    *scheme_bytes = strcspn(address, ":");
    return strncmp(address + *scheme_bytes, "://", 3) == 0 ? 0 : -EINVAL;
}

int sp_registry_transport(const char *address, const struct nn_transport **transport)
{
    size_t scheme_bytes;
    int rc = sp_registry_scheme(address, &scheme_bytes);

    if (rc < 0)
        return rc;
    *transport = find_transport(address, scheme_bytes);
    return *transport != NULL ? 0 : -EPROTONOSUPPORT;
}

static bool is_scheme_sound(const char *scheme)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.";

    /* An address must have room for more. */
    return scheme != NULL && *scheme != '\0' && strlen(scheme) < NN_SOCKADDR_MAX / 2 &&
           strspn(scheme, allowed) == strlen(scheme);
}

static bool is_transport_sound(const struct nn_transport *transport)
{
    return transport->version == NN_TRANSPORT_VERSION && is_scheme_sound(transport->scheme) &&
           transport->bind != NULL && transport->connect != NULL && transport->close != NULL &&
           transport->pipe != NULL && transport->pipe->send != NULL && transport->pipe->receive != NULL &&
           transport->pipe->close != NULL;
}

int sp_registry_add_transport(const struct nn_transport *transport)
{
    int rc = -EEXIST;

    if (transport == NULL || !is_transport_sound(transport))
        return -EINVAL;
    sp_mutex_lock(&registering);
    if (find_transport(transport->scheme, strlen(transport->scheme)) == NULL)
        rc = list_add(&registered_transports, transport);
    sp_mutex_unlock(&registering);
    return rc;
}
