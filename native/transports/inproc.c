/* inproc://NAME: sockets of one process, in any of its threads. The names, and who connects to whom. */
#include "transports/inproc_channel.h"

#include "util/fork.h"
#include "util/memory.h"

#include <errno.h>
#include <string.h>

struct inproc_endpoint {
    struct sp_endpoint base;   /* first */
    struct sp_list_item named; /* in names.bound or names.connecting; guarded by names.lock */
    struct sp_timer retry;     /* after a connection has ended or was refused; connecting endpoints only */
    bool is_connected;         /* connecting endpoints: a channel exists; guarded by names.lock */
};

static struct {
    struct sp_mutex lock;
    pthread_once_t once;
    struct sp_list bound;
    struct sp_list connecting;
} names = {.once = PTHREAD_ONCE_INIT};

/* Nobody is bound or connecting; in a forked child again. */
static void names_clear(void)
{
    sp_mutex_init(&names.lock, SP_RANK_INPROC);
    sp_list_init(&names.bound);
    sp_list_init(&names.connecting);
}

static void names_init(void)
{
    names_clear();
    sp_fork_at_child(names_clear);
}

static struct inproc_endpoint *inproc_endpoint_of(struct sp_endpoint *base)
{
    return SP_CONTAINER(base, struct inproc_endpoint, base);
}

static const char *name_of(const struct inproc_endpoint *self)
{
    return self->base.address + strlen("inproc://");
}

/* Called under names.lock. */
static struct inproc_endpoint *find_bound(const char *name)
{
    for (struct sp_list_item *item = sp_list_first(&names.bound); item != NULL;
         item = sp_list_next(&names.bound, item)) {
        struct inproc_endpoint *endpoint = SP_CONTAINER(item, struct inproc_endpoint, named);
        if (strcmp(name_of(endpoint), name) == 0)
            return endpoint;
    }
    return NULL;
}

static bool do_types_match(const struct sp_socket *one, const struct sp_socket *other)
{
    return one->protocol->peer_id == other->protocol->id && other->protocol->peer_id == one->protocol->id;
}

static struct sp_channel_end end_of(const struct inproc_endpoint *self)
{
    return (struct sp_channel_end){
        .socket = self->base.socket,
        .endpoint_id = self->base.id,
        .limit_bytes = (size_t)self->base.options.receive_buffer_bytes,
    };
}

/* Connects to whoever is bound to the name now, if anybody of the right type is. Under the socket's lock. */
static void inproc_try(struct inproc_endpoint *self)
{
    struct sp_channel_end bound = {0};

    sp_mutex_lock(&names.lock);
    struct inproc_endpoint *peer = self->is_connected ? NULL : find_bound(name_of(self));
    if (peer != NULL && do_types_match(self->base.socket, peer->base.socket)) {
        bound = end_of(peer);
        sp_socket_retain(bound.socket); /* it stays when the name goes */
        self->is_connected = true;
    }
    sp_mutex_unlock(&names.lock);

    if (bound.socket == NULL)
        return;
    self->base.is_connecting = false;
    if (sp_channel_connect(end_of(self), bound) < 0)
        sp_inproc_disconnected(&self->base);
    sp_socket_release_reference(bound.socket);
}

static void start_retry(struct inproc_endpoint *self)
{
    int delay_ms = self->base.options.reconnect_ivl_ms;

    sp_timer_start(&self->retry, sp_deadline_after_ms(delay_ms > 0 ? delay_ms : 1));
}

void sp_inproc_disconnected(struct sp_endpoint *base)
{
    struct inproc_endpoint *self = inproc_endpoint_of(base);

    sp_mutex_lock(&names.lock);
    self->is_connected = false;
    sp_mutex_unlock(&names.lock);
    if (base->is_closed)
        return;
    base->is_connecting = true;
    start_retry(self);
}

static void inproc_handle_retry(struct sp_timer *timer)
{
    struct inproc_endpoint *self = SP_CONTAINER(timer, struct inproc_endpoint, retry);
    struct sp_socket *socket = self->base.socket;

    sp_socket_lock(socket);
    if (sp_timer_is_due(timer) && !self->base.is_closed)
        inproc_try(self);
    sp_socket_unlock(socket);
}

/* ---- Binding meets those who wait ---- */

/* An errand for a socket whose endpoint may connect now. */
struct attempt {
    struct sp_task task;
    struct sp_socket *socket; /* referenced */
    int endpoint_id;
};

static void attempt_run(struct sp_task *task)
{
    struct attempt *self = SP_CONTAINER(task, struct attempt, task);
    struct sp_socket *socket = self->socket;

    sp_socket_lock(socket);
    struct sp_endpoint *endpoint = sp_endpoint_find(socket, self->endpoint_id);
    if (endpoint != NULL)
        inproc_try(inproc_endpoint_of(endpoint));
    sp_socket_unlock(socket);
    sp_socket_release_reference(socket);
    sp_free(self);
}

/* Called under names.lock. */
static void invite(struct inproc_endpoint *waiting, struct sp_socket *from)
{
    struct attempt *attempt = sp_zalloc(sizeof *attempt);

    if (attempt == NULL)
        return;
    attempt->task.run = attempt_run;
    attempt->socket = waiting->base.socket;
    attempt->endpoint_id = waiting->base.id;
    sp_socket_retain(attempt->socket);
    sp_socket_add_errand(from, &attempt->task);
}

static int inproc_bind(struct sp_endpoint *base, const char *name)
{
    struct inproc_endpoint *self = inproc_endpoint_of(base);
    int rc = 0;

    pthread_once(&names.once, names_init);
    sp_mutex_lock(&names.lock);
    if (find_bound(name) != NULL) {
        rc = -EADDRINUSE;
    } else {
        sp_list_append(&names.bound, &self->named);
        for (struct sp_list_item *item = sp_list_first(&names.connecting); item != NULL;
             item = sp_list_next(&names.connecting, item)) {
            struct inproc_endpoint *waiting = SP_CONTAINER(item, struct inproc_endpoint, named);
            if (!waiting->is_connected && strcmp(name_of(waiting), name) == 0)
                invite(waiting, base->socket);
        }
    }
    sp_mutex_unlock(&names.lock);
    return rc;
}

static int inproc_connect(struct sp_endpoint *base, const char *name)
{
    struct inproc_endpoint *self = inproc_endpoint_of(base);

    (void)name;
    pthread_once(&names.once, names_init);
    int rc = sp_timer_init(&self->retry, &base->socket->loop->base, inproc_handle_retry);
    if (rc < 0)
        return rc;
    sp_mutex_lock(&names.lock);
    sp_list_append(&names.connecting, &self->named);
    sp_mutex_unlock(&names.lock);
    base->is_connecting = true;
    inproc_try(self);
    return 0;
}

static void inproc_close(struct sp_endpoint *base)
{
    struct inproc_endpoint *self = inproc_endpoint_of(base);

    sp_mutex_lock(&names.lock);
    sp_list_remove(&self->named);
    sp_mutex_unlock(&names.lock);
    base->is_connecting = false;
    if (!base->is_bound)
        sp_timer_destroy(&self->retry);
}

const struct sp_transport sp_inproc_transport = {
    .scheme = "inproc",
    .endpoint_bytes = sizeof(struct inproc_endpoint),
    .bind = inproc_bind,
    .connect = inproc_connect,
    .close = inproc_close,
};
