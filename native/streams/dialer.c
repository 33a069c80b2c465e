/* Connecting, and connecting again. */
#include "streams/dialer.h"

#include "core/socket_settle.h"

#include "streams/interface.h"
#include "streams/net_address.h"
#include "streams/retry_delay.h"
#include "streams/stream_peer_info.h"

#include <errno.h>
#include <string.h>

/* How long an attempt may take before the next address is tried beside it (RFC 8305, section 5), and how long the last
 * one may take: Linux tries for two minutes. */
#define ATTEMPT_DELAY_MS 250
#define ATTEMPT_LIMIT_MS 10000

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

static void dialer_wait(struct sp_dialer *self)
{
    self->failures++;
    dialer_set_state(self, SP_DIALER_WAITING);
    sp_timer_start(&self->timer,
                   sp_deadline_after_ms(sp_retry_delay_ms(&self->owner.endpoint->options, self->failures)));
}

/* The address of the attempt that has failed last; NULL before a name is resolved. */
static const struct sp_socket_address *address_of(const struct sp_dialer *self)
{
    return self->address_failed >= 0 ? &self->addresses.list[self->address_failed] : NULL;
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

/* Ends an attempt, and leaves its descriptor to the caller. */
static int attempt_take(struct sp_dial_attempt *self)
{
    sp_watch_want(&self->watch, 0);
    self->dialer->attempts_active--;
    return self->watch.fd;
}

static void dialer_abandon_attempts(struct sp_dialer *self)
{
    for (int i = 0; i < self->address_next; i++) {
        if (self->attempts[i].watch.wanted != 0)
            sp_descriptor_close(attempt_take(&self->attempts[i]));
    }
}

/* The first attempt that succeeds ends the others. */
static void dialer_reached(struct sp_dialer *self, int fd)
{
    dialer_abandon_attempts(self);
    sp_timer_stop(&self->timer);
    dialer_connected(self, fd);
}

static int attempt_watch(struct sp_dial_attempt *self, int fd)
{
    self->watch.fd = fd;
    int rc = sp_watch_want(&self->watch, SP_WRITABLE);
    if (rc < 0)
        sp_descriptor_close(fd);
    else
        self->dialer->attempts_active++;
    return rc;
}

/* Begins the next attempt, beside those that are under way. When there is none any more, the last error counts. */
static void dialer_connect_next(struct sp_dialer *self, int error)
{
    bool is_begun = false;
    bool is_tried = self->address_next < self->addresses.count;

    while (!is_begun && self->address_next < self->addresses.count) {
        int index = self->address_next++;
        bool is_connected;
        int fd = connect_to(self, &self->addresses.list[index], &is_connected);
        if (fd >= 0 && is_connected) {
            dialer_reached(self, fd);
            return;
        }
        int rc = fd < 0 ? fd : attempt_watch(&self->attempts[index], fd);
        is_begun = rc >= 0;
        if (rc < 0) {
            self->address_failed = index;
            error = rc;
        }
    }
    if (self->attempts_active == 0) {
        sp_timer_stop(&self->timer);
        dialer_unreachable(self, error);
        return;
    }
    dialer_set_state(self, SP_DIALER_CONNECTING);
    if (is_tried) { /* if it failed at once, those that are under way are the last ones */
        bool has_more = self->address_next < self->addresses.count;
        sp_timer_start(&self->timer, sp_deadline_after_ms(has_more ? ATTEMPT_DELAY_MS : ATTEMPT_LIMIT_MS));
    }
}

/* The time of the last attempts is over: the name is asked for again, its addresses may be others by now. */
static void dialer_give_up(struct sp_dialer *self)
{
    for (int i = 0; i < self->address_next; i++) {
        if (self->attempts[i].watch.wanted != 0)
            self->address_failed = i;
    }
    dialer_abandon_attempts(self);
    dialer_unreachable(self, -ETIMEDOUT);
}

static void dialer_handle_attempt(struct sp_watch *watch, unsigned ready)
{
    struct sp_dial_attempt *attempt = SP_CONTAINER(watch, struct sp_dial_attempt, watch);
    struct sp_dialer *self = attempt->dialer;
    struct sp_socket *socket = socket_of(self);

    (void)ready;
    sp_socket_lock(socket);
    if (self->state == SP_DIALER_CONNECTING && watch->wanted != 0) {
        int rc = sp_net_connect_result(watch->fd);
        int fd = attempt_take(attempt);
        if (rc >= 0) {
            dialer_reached(self, fd);
        } else {
            sp_descriptor_close(fd);
            self->address_failed = (int)(attempt - self->attempts);
            dialer_connect_next(self, rc);
        }
    }
    sp_socket_unlock(socket);
}

/* ---- Resolving ---- */

static void dialer_resolved(void *context, struct sp_resolution *resolution, int error, const struct addrinfo *found)
{
    struct sp_dialer *self = context;
    struct sp_socket *socket = socket_of(self);

    sp_socket_lock(socket);
    if (self->state == SP_DIALER_RESOLVING && self->resolution == resolution) {
        self->resolution = NULL;
        sp_dial_addresses_take(&self->addresses, found, self->target.port);
        self->address_next = 0;
        dialer_connect_next(self, error != 0 ? error : -EHOSTUNREACH);
    }
    sp_socket_unlock(socket);
}

static void dialer_begin_literal(struct sp_dialer *self)
{
    struct sp_socket_address *address = &self->addresses.list[0];
    const char *scope = self->target.scope;

    *address = self->target.address;
    self->addresses.count = 1;
    int rc = scope[0] != '\0' ? sp_interface_set_scope(address, scope) : 0;
    if (rc < 0)
        dialer_unreachable(self, rc);
    else
        dialer_connect_next(self, 0);
}

static void dialer_begin(struct sp_dialer *self)
{
    self->address_next = 0;
    self->address_failed = -1;
    if (self->target.host[0] == '\0') {
        dialer_begin_literal(self);
        return;
    }
    dialer_set_state(self, SP_DIALER_RESOLVING);
    self->resolution =
        sp_resolve(&socket_of(self)->loop->base, self->target.host, self->target.family, dialer_resolved, self);
    if (self->resolution == NULL)
        dialer_unreachable(self, -ENOMEM);
}

static void dialer_handle_timer(struct sp_timer *timer)
{
    struct sp_dialer *self = SP_CONTAINER(timer, struct sp_dialer, timer);
    struct sp_socket *socket = socket_of(self);

    sp_socket_lock(socket);
    if (sp_timer_is_due(timer)) {
        if (self->state == SP_DIALER_WAITING)
            dialer_begin(self);
        else if (self->state == SP_DIALER_CONNECTING && self->address_next < self->addresses.count)
            dialer_connect_next(self, -ETIMEDOUT);
        else if (self->state == SP_DIALER_CONNECTING)
            dialer_give_up(self);
    }
    sp_socket_unlock(socket);
}

/* ---- Life ---- */

int sp_dialer_open(struct sp_dialer *self, struct nn_endpoint *endpoint, const struct sp_framing *framing,
                   struct sp_filter_source *filters, const struct sp_dialer_target *target)
{
    struct sp_loop *loop = &endpoint->socket->loop->base;

    sp_connection_owner_init(&self->owner, endpoint, framing, filters, dialer_admitted, dialer_ended);
    self->target = *target;
    for (int i = 0; i < SP_DIAL_ADDRESSES; i++) {
        self->attempts[i].dialer = self;
        sp_watch_init(&self->attempts[i].watch, loop, -1, dialer_handle_attempt);
    }
    int rc = sp_timer_init(&self->timer, loop, dialer_handle_timer);
    if (rc < 0)
        return rc;
    dialer_begin(self);
    return 0;
}

void sp_dialer_close(struct sp_dialer *self)
{
    enum sp_dialer_state state = self->state;

    dialer_set_state(self, SP_DIALER_CLOSED);
    sp_timer_destroy(&self->timer);
    if (state == SP_DIALER_RESOLVING && self->resolution != NULL)
        sp_resolution_cancel(self->resolution);
    dialer_abandon_attempts(self);
    sp_connection_owner_abandon(&self->owner);
}
