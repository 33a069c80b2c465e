/* Known protocols and transports. The one place that names the built-in tables. */
#include "core/registry.h"

#include "util/memory.h"
#include "util/thread.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

extern const struct nn_protocol sp_pair_protocol, sp_pair_raw_protocol;
extern const struct nn_protocol sp_bus_protocol, sp_bus_raw_protocol;
extern const struct nn_protocol sp_pub_protocol, sp_pub_raw_protocol;
extern const struct nn_protocol sp_sub_protocol, sp_sub_raw_protocol;
extern const struct nn_protocol sp_push_protocol, sp_push_raw_protocol;
extern const struct nn_protocol sp_pull_protocol, sp_pull_raw_protocol;
extern const struct nn_protocol sp_req_protocol, sp_req_raw_protocol;
extern const struct nn_protocol sp_rep_protocol, sp_rep_raw_protocol;
extern const struct nn_protocol sp_surveyor_protocol, sp_surveyor_raw_protocol;
extern const struct nn_protocol sp_respondent_protocol, sp_respondent_raw_protocol;

static const struct nn_protocol *const built_in_protocols[] = {
    &sp_pair_protocol,     &sp_pair_raw_protocol,     &sp_bus_protocol,        &sp_bus_raw_protocol,
    &sp_pub_protocol,      &sp_pub_raw_protocol,      &sp_sub_protocol,        &sp_sub_raw_protocol,
    &sp_push_protocol,     &sp_push_raw_protocol,     &sp_pull_protocol,       &sp_pull_raw_protocol,
    &sp_req_protocol,      &sp_req_raw_protocol,      &sp_rep_protocol,        &sp_rep_raw_protocol,
    &sp_surveyor_protocol, &sp_surveyor_raw_protocol, &sp_respondent_protocol, &sp_respondent_raw_protocol,
};

extern const struct sp_transport sp_inproc_transport, sp_ipc_transport, sp_tcp_transport, sp_ws_transport;

static const struct sp_transport *const transports[] = {&sp_inproc_transport, &sp_ipc_transport, &sp_tcp_transport,
                                                        &sp_ws_transport};

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* A user's protocols: a list that only grows, so that readers need no lock. */
struct registered {
    const struct nn_protocol *protocol;
    struct registered *next;
};

static _Atomic(struct registered *) registered_protocols;
static pthread_mutex_t registering = PTHREAD_MUTEX_INITIALIZER;

const struct nn_protocol *sp_registry_protocol(int domain, int id, bool *has_domain)
{
    *has_domain = domain == AF_SP || domain == AF_SP_RAW;
    for (size_t i = 0; i < COUNT_OF(built_in_protocols); i++) {
        if (built_in_protocols[i]->domain == domain && built_in_protocols[i]->id == id)
            return built_in_protocols[i];
    }
    for (struct registered *entry = atomic_load(&registered_protocols); entry != NULL; entry = entry->next) {
        if (entry->protocol->domain == domain && entry->protocol->id == id)
            return entry->protocol;
    }
    return NULL;
}

static bool is_sound(const struct nn_protocol *protocol)
{
    bool is_complete = protocol->pipe_added != NULL && protocol->pipe_removed != NULL &&
                       protocol->pipe_readable != NULL && protocol->pipe_writable != NULL && protocol->events != NULL;
    bool has_send = (protocol->flags & NN_PROTOCOL_SENDS) == 0 || protocol->send != NULL;
    bool has_receive = (protocol->flags & NN_PROTOCOL_RECEIVES) == 0 || protocol->receive != NULL;
    bool has_domain = protocol->domain == AF_SP || protocol->domain == AF_SP_RAW;

    return protocol->version == NN_PROTOCOL_VERSION && is_complete && has_send && has_receive && has_domain &&
           protocol->socket_bytes >= sizeof(struct nn_protocol_socket) && protocol->id > 0 &&
           protocol->id <= UINT16_MAX;
}

static int registry_add(const struct nn_protocol *protocol)
{
    bool has_domain;

    if (!is_sound(protocol))
        return -EINVAL;
    if (sp_registry_protocol(protocol->domain, protocol->id, &has_domain) != NULL)
        return -EEXIST;
    struct registered *entry = sp_alloc(sizeof *entry);
    if (entry == NULL)
        return -ENOMEM;
    entry->protocol = protocol;
    entry->next = atomic_load(&registered_protocols);
    atomic_store(&registered_protocols, entry);
    return 0;
}

int nn_protocol_register(const struct nn_protocol *protocol)
{
    pthread_mutex_lock(&registering);
    int rc = protocol != NULL ? registry_add(protocol) : -EINVAL;
    pthread_mutex_unlock(&registering);
    if (rc == 0)
        return 0;
    errno = -rc;
    return -1;
}

int sp_registry_transport(const char *address, const struct sp_transport **transport, const char **rest)
{
    const char *colon;

    if (strlen(address) >= NN_SOCKADDR_MAX)
        return -ENAMETOOLONG;
    colon = strchr(address, ':');
    if (colon == NULL || colon[1] != '/' || colon[2] != '/')
        return -EINVAL;

    size_t scheme_bytes = (size_t)(colon - address);
    for (size_t i = 0; i < COUNT_OF(transports); i++) {
        if (strlen(transports[i]->scheme) == scheme_bytes &&
            memcmp(transports[i]->scheme, address, scheme_bytes) == 0) {
            *transport = transports[i];
            *rest = colon + 3;
            return 0;
        }
    }
    return -EPROTONOSUPPORT;
}
