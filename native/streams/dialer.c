/* Connecting, and connecting again. */
#include "streams/dialer.h"

#include "core/socket_settle.h"

#include "streams/interface.h"
#include "streams/net_address.h"
#include "streams/stream_peer_info.h"

#include "util/random.h"

#include <errno.h>
#include <string.h>

/* Even NN_RECONNECT_IVL 0 must not spin. */
#define MIN_DELAY_MS 1

static struct sp_socket *socket_of(const struct sp_dialer *self)
{
    return self->owner.endpoint->socket;
}

static void dialer_set_state(struct sp_dialer *self, enum sp_dialer_state state)
{
    self->state = state;
    self->owner.endpoint->is_connecting = state == SP_DIALER_RESOLVING || state == SP_DIALER_CONNECTING;
}

/* ---- Waiting ---- */

/* Milliseconds before the attempt that follows the n-th failure: none before the first, so that a short break costs
 * nothing; then NN_RECONNECT_IVL (MIN_DELAY_MS for 0), doubling up to NN_RECONNECT_IVL_MAX. Up to a quarter is added at
 * random, so that the clients of a restarted server do not come back all at once. */
static int retry_delay_ms(const struct sp_options *options, unsigned failures)
{
    int64_t delay_ms = options->reconnect_ivl_ms > MIN_DELAY_MS ? options->reconnect_ivl_ms : MIN_DELAY_MS;
    int64_t limit_ms = options->reconnect_ivl_max_ms > delay_ms ? options->reconnect_ivl_max_ms : delay_ms;

    if (failures <= 1)
        return 0;
    /* At most 31 times, however many failures there were. */
    for (unsigned i = 2; i < failures && delay_ms < limit_ms; i++)
        delay_ms *= 2;
    if (delay_ms > limit_ms)
        delay_ms = limit_ms;
    delay_ms += (int64_t)(sp_random_u32() % 256u) * delay_ms / 1024;
    return delay_ms > INT32_MAX ? INT32_MAX : (int)delay_ms;
}

static void dialer_wait(struct sp_dialer *self)
{
    self->failures++;
    dialer_set_state(self, SP_DIALER_WAITING);
    sp_timer_start(&self->retry, sp_deadline_after_ms(retry_delay_ms(&self->owner.endpoint->options, self->failures)));
}

/* The address that was tried last; NULL before a name is resolved. */
static const struct sp_socket_address *address_of(const struct sp_dialer *self)
{
    return self->address_next > 0 ? &self->addresses[self->address_next - 1] : NULL;
}

static void dialer_failed(struct sp_dialer *self, int error)
{
    socket_of(self)->statistics.connect_errors++;
    sp_endpoint_set_error(self->owner.endpoint, error);
    dialer_wait(self);
}

/* There is no connection. */
static void dialer_unreachable(struct sp_dialer *self, int error)
{
    sp_stream_connect_failed(self->owner.endpoint, address_of(self), error);
    dialer_failed(self, error);
}

/* ---- The connection ---- */

static void dialer_admitted(struct sp_connection_owner *owner)
{
    struct sp_dialer *self = SP_CONTAINER(owner, struct sp_dialer, owner);

    self->admitted_ns = sp_now_ns();
    sp_endpoint_set_error(owner->endpoint, 0);
}

static void dialer_ended(struct sp_connection_owner *owner, bool was_admitted, int error)
{
    struct sp_dialer *self = SP_CONTAINER(owner, struct sp_dialer, owner);
    sp_time_ns min_ns = (sp_time_ns)owner->endpoint->options.reconnect_ivl_ms * SP_NS_PER_MS;

    if (self->state == SP_DIALER_CLOSED)
        return;
    /* A peer that turns us away right after the handshake must not make us come back at once, again and again. */
    if (was_admitted && sp_now_ns() - self->admitted_ns >= min_ns)
        self->failures = 0;
    if (error != 0)
        sp_endpoint_set_error(owner->endpoint, error);
    dialer_wait(self);
}

static void dialer_connected(struct sp_dialer *self, int fd)
{
    if (sp_descriptor_is_own_peer(fd)) {
        sp_descriptor_close(fd); /* there is no listener, and there could be none while we had the port */
        dialer_unreachable(self, -ECONNREFUSED);
        return;
    }
    socket_of(self)->statistics.established_connections++;
    dialer_set_state(self, SP_DIALER_CONNECTED);
    int rc = sp_connection_open(&self->owner, fd, NULL);
    if (rc < 0)
        dialer_failed(self, rc);
}

/* ---- Connecting ---- */

static int connect_to(const struct sp_dialer *self, struct sp_socket_address *destination, bool *is_connected)
{
    struct sp_socket_address source;
    int rc = sp_net_address_find_source(&self->target, destination, &source);

    if (rc < 0)
        return rc;
    return sp_descriptor_connect(destination, source.length > 0 ? &source : NULL, &socket_of(self)->options,
                                 is_connected);
}

static void dialer_connect_next(struct sp_dialer *self, int error)
{
    while (self->address_next < self->address_count) {
        bool is_connected;
        int fd = connect_to(self, &self->addresses[self->address_next++], &is_connected);
        if (fd < 0) {
            error = fd;
            continue;
        }
        if (is_connected) {
            dialer_connected(self, fd);
            return;
        }
        dialer_set_state(self, SP_DIALER_CONNECTING);
        self->watch.fd = fd;
        error = sp_watch_want(&self->watch, SP_WRITABLE);
        if (error == 0)
            return;
        sp_descriptor_close(fd);
    }
    dialer_unreachable(self, error);
}

static void dialer_handle(struct sp_watch *watch, unsigned ready)
{
    struct sp_dialer *self = SP_CONTAINER(watch, struct sp_dialer, watch);
    struct sp_socket *socket = socket_of(self);

    (void)ready;
    sp_socket_lock(socket);
    if (self->state == SP_DIALER_CONNECTING && watch->wanted != 0) {
        int fd = watch->fd;
        int rc = sp_net_connect_result(fd);
        sp_watch_want(watch, 0);
        if (rc < 0) {
            sp_descriptor_close(fd);
            dialer_connect_next(self, rc);
        } else {
            dialer_connected(self, fd);
        }
    }
    sp_socket_unlock(socket);
}

/* ---- Resolving ---- */

static void dialer_take_addresses(struct sp_dialer *self, const struct addrinfo *found)
{
    self->address_count = 0;
    self->address_next = 0;
    for (; found != NULL && self->address_count < SP_DIALER_ADDRESSES; found = found->ai_next) {
        struct sp_socket_address *address = &self->addresses[self->address_count];
        if (found->ai_family != AF_INET && found->ai_family != AF_INET6)
            continue;
        memcpy(&address->storage, found->ai_addr, found->ai_addrlen);
        address->length = (socklen_t)found->ai_addrlen;
        sp_net_address_set_port(address, self->target.port);
        self->address_count++;
    }
}

static void dialer_resolved(void *context, struct sp_resolution *resolution, int error, const struct addrinfo *found)
{
    struct sp_dialer *self = context;
    struct sp_socket *socket = socket_of(self);

    sp_socket_lock(socket);
    if (self->state == SP_DIALER_RESOLVING && self->resolution == resolution) {
        self->resolution = NULL;
        dialer_take_addresses(self, found);
        dialer_connect_next(self, error != 0 ? error : -EHOSTUNREACH);
    }
    sp_socket_unlock(socket);
}

static void dialer_begin_literal(struct sp_dialer *self)
{
    struct sp_socket_address *address = &self->addresses[0];
    const char *scope = self->target.scope;

    *address = self->target.address;
    self->address_count = 1;
    self->address_next = 0;
    int rc = scope[0] != '\0' ? sp_interface_set_scope(address, scope) : 0;
    if (rc < 0)
        dialer_unreachable(self, rc);
    else
        dialer_connect_next(self, 0);
}

static void dialer_begin(struct sp_dialer *self)
{
    if (self->target.host[0] == '\0') {
        dialer_begin_literal(self);
        return;
    }
    self->address_next = 0;
    dialer_set_state(self, SP_DIALER_RESOLVING);
    self->resolution = sp_resolve(self->watch.loop, self->target.host, self->target.family, dialer_resolved, self);
    if (self->resolution == NULL)
        dialer_unreachable(self, -ENOMEM);
}

static void dialer_handle_retry(struct sp_timer *timer)
{
    struct sp_dialer *self = SP_CONTAINER(timer, struct sp_dialer, retry);
    struct sp_socket *socket = socket_of(self);

    sp_socket_lock(socket);
    if (sp_timer_is_due(timer) && self->state == SP_DIALER_WAITING)
        dialer_begin(self);
    sp_socket_unlock(socket);
}

/* ---- Life ---- */

int sp_dialer_open(struct sp_dialer *self, struct nn_endpoint *endpoint, const struct sp_framing *framing,
                   struct sp_filter_source *filters, const struct sp_dialer_target *target)
{
    struct sp_loop *loop = &endpoint->socket->loop->base;

    sp_connection_owner_init(&self->owner, endpoint, framing, filters, dialer_admitted, dialer_ended);
    self->target = *target;
    sp_watch_init(&self->watch, loop, -1, dialer_handle);
    int rc = sp_timer_init(&self->retry, loop, dialer_handle_retry);
    if (rc < 0)
        return rc;
    dialer_begin(self);
    return 0;
}

void sp_dialer_close(struct sp_dialer *self)
{
    enum sp_dialer_state state = self->state;

    dialer_set_state(self, SP_DIALER_CLOSED);
    sp_timer_destroy(&self->retry);
    if (state == SP_DIALER_RESOLVING && self->resolution != NULL)
        sp_resolution_cancel(self->resolution);
    if (state == SP_DIALER_CONNECTING && self->watch.wanted != 0) {
        sp_watch_want(&self->watch, 0);
        sp_descriptor_close(self->watch.fd);
    }
    sp_connection_owner_abandon(&self->owner);
}
