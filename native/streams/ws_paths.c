/* Which endpoint serves which path of a port. */
#include "streams/ws_paths.h"

#include "core/socket_settle.h"

#include "platform/fork.h"

#include <string.h>

/* All bound endpoints of the process. */
static struct {
    struct sp_mutex lock;
    struct sp_once once;
    struct sp_list endpoints;
} ports = {.once = SP_ONCE_INIT};

/* In a forked child, whose parent's sockets are none of its own. */
static void ports_clear(void)
{
    sp_mutex_init(&ports.lock, SP_RANK_PORTS);
    sp_list_init(&ports.endpoints);
}

static void ports_init(void)
{
    ports_clear();
    sp_fork_at_child(ports_clear);
}

void sp_ws_paths_lock(void)
{
    sp_once_run(&ports.once, ports_init);
    sp_mutex_lock(&ports.lock);
}

void sp_ws_paths_unlock(void)
{
    sp_mutex_unlock(&ports.lock);
}

static bool is_same_port(const struct sp_socket_address *one, const struct sp_socket_address *other)
{
    return one->length == other->length && memcmp(&one->storage, &other->storage, (size_t)one->length) == 0;
}

static bool has_path(const struct sp_ws_endpoint *self, const char *path, size_t path_bytes)
{
    return strlen(self->path) == path_bytes && memcmp(self->path, path, path_bytes) == 0;
}

/* The first endpoint on the port, of the path; path NULL: of any. */
static struct sp_ws_endpoint *find(const struct sp_socket_address *address, const char *path, size_t path_bytes)
{
    for (struct sp_list_item *item = sp_list_first(&ports.endpoints); item != NULL;
         item = sp_list_next(&ports.endpoints, item)) {
        struct sp_ws_endpoint *endpoint = SP_CONTAINER(item, struct sp_ws_endpoint, item);
        if (is_same_port(&endpoint->port_address, address) && (path == NULL || has_path(endpoint, path, path_bytes)))
            return endpoint;
    }
    return NULL;
}

struct sp_ws_endpoint *sp_ws_paths_on_port(const struct sp_socket_address *address)
{
    return find(address, NULL, 0);
}

struct sp_ws_endpoint *sp_ws_paths_bound(const struct sp_socket_address *address, const char *path, size_t path_bytes)
{
    return find(address, path, path_bytes);
}

struct sp_ws_endpoint *sp_ws_paths_serving(const struct sp_socket_address *address, const char *path, size_t path_bytes)
{
    struct sp_ws_endpoint *exact = find(address, path, path_bytes);

    return exact != NULL ? exact : find(address, "", 0);
}

void sp_ws_paths_add(struct sp_ws_endpoint *self)
{
    sp_list_append(&ports.endpoints, &self->item);
}

void sp_ws_paths_remove(struct sp_ws_endpoint *self)
{
    sp_list_remove(&self->item);
}

enum sp_ws_place sp_ws_endpoint_find(struct sp_ws_endpoint *self, const char *path, size_t path_bytes)
{
    if (self->is_alone)
        return *self->path == '\0' || has_path(self, path, path_bytes) ? SP_WS_HERE : SP_WS_NOWHERE;
    sp_ws_paths_lock();
    const struct sp_ws_endpoint *serving = sp_ws_paths_serving(&self->port_address, path, path_bytes);
    sp_ws_paths_unlock();
    return serving == NULL ? SP_WS_NOWHERE : serving == self ? SP_WS_HERE : SP_WS_ELSEWHERE;
}
