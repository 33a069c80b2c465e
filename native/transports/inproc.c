/* inproc://NAME: sockets of one process, in any of its threads. The names, and which endpoints connect. */
#include "platform/fork.h"
#include "platform/thread.h"
#include "transports/inproc_channel.h"

#include <errno.h>
#include <string.h>

struct inproc_endpoint {
    const char *name;
    struct sp_list_item named; /* in names.bound or names.connecting; guarded by names.lock */
    struct nn_signal *signal;  /* bound: channels have arrived; connecting: the name has been bound */

    /* Bound endpoints. */
    struct sp_list arrivals; /* struct sp_channel_arrival; guarded by names.lock */

    /* Connecting endpoints. */
    struct nn_timer *retry;          /* after a connection has ended or was refused */
    struct sp_channel_side *channel; /* NULL: none */
    bool is_closed;
};

static struct {
    struct sp_mutex lock;
    struct sp_once once;
    struct sp_list bound;
    struct sp_list connecting;
} names = {.once = SP_ONCE_INIT};

/* No name is bound or awaited; in a forked child again. */
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

/* Called under names.lock. */
static struct inproc_endpoint *find_bound(const char *name)
{
    for (struct sp_list_item *item = sp_list_first(&names.bound); item != NULL;
         item = sp_list_next(&names.bound, item)) {
        struct inproc_endpoint *endpoint = SP_CONTAINER(item, struct inproc_endpoint, named);
        if (strcmp(endpoint->name, name) == 0)
            return endpoint;
    }
    return NULL;
}

static bool do_types_match(const struct nn_endpoint *one, const struct nn_endpoint *other)
{
    return nn_endpoint_peer_protocol(one) == nn_endpoint_protocol(other) &&
           nn_endpoint_peer_protocol(other) == nn_endpoint_protocol(one);
}

/* ---- Connecting ---- */

/* An endpoint without a peer counts as connecting. */
static void set_channel(struct inproc_endpoint *self, struct sp_channel_side *channel)
{
    self->channel = channel;
    nn_endpoint_set_connecting(nn_endpoint_of_data(self), channel == NULL);
}

static void start_retry(struct inproc_endpoint *self)
{
    int delay_ms = 0;

    nn_endpoint_option(nn_endpoint_of_data(self), NN_SOL_SOCKET, NN_RECONNECT_IVL, &delay_ms);
    nn_timer_start(self->retry, delay_ms > 0 ? delay_ms : 1);
}

static void inproc_ended(struct nn_endpoint *endpoint)
{
    struct inproc_endpoint *self = nn_endpoint_data(endpoint);

    set_channel(self, NULL);
    if (!self->is_closed)
        start_retry(self);
}

/* Connects to the endpoint that is bound to the name, if there is one of the right type. */
static void inproc_try(void *context)
{
    struct inproc_endpoint *self = context;
    struct nn_endpoint *endpoint = nn_endpoint_of_data(self);
    struct sp_channel_arrival *arrival;
    int wrong_type = 0;

    if (self->channel != NULL)
        return;
    sp_mutex_lock(&names.lock);
    struct inproc_endpoint *peer = find_bound(self->name);
    if (peer != NULL && do_types_match(endpoint, nn_endpoint_of_data(peer))) {
        set_channel(self, sp_channel_open(endpoint, inproc_ended, &arrival));
        if (self->channel != NULL) {
            sp_list_append(&peer->arrivals, &arrival->item);
            nn_signal_raise(peer->signal, endpoint);
        } else {
            start_retry(self);
        }
    } else if (peer != NULL) {
        wrong_type = nn_endpoint_protocol(nn_endpoint_of_data(peer));
    }
    sp_mutex_unlock(&names.lock);
    if (wrong_type != 0)
        nn_endpoint_report_rejected(endpoint, wrong_type, -EPROTOTYPE);
}

static int inproc_connect(struct nn_endpoint *endpoint, const char *name)
{
    struct inproc_endpoint *self = nn_endpoint_data(endpoint);

    sp_once_run(&names.once, names_init);
    self->name = name;
    self->retry = nn_timer_open(endpoint, inproc_try, self);
    if (self->retry == NULL)
        return -ENOMEM;
    self->signal = nn_signal_open(endpoint, inproc_try, self);
    if (self->signal == NULL) {
        nn_timer_close(self->retry);
        return -ENOMEM;
    }
    sp_mutex_lock(&names.lock);
    sp_list_append(&names.connecting, &self->named);
    sp_mutex_unlock(&names.lock);
    set_channel(self, NULL);
    inproc_try(self);
    return 0;
}

/* ---- Binding ---- */

static struct sp_channel_arrival *next_arrival(struct inproc_endpoint *self)
{
    sp_mutex_lock(&names.lock);
    struct sp_list_item *item = sp_list_pop(&self->arrivals);
    sp_mutex_unlock(&names.lock);
    return item != NULL ? SP_CONTAINER(item, struct sp_channel_arrival, item) : NULL;
}

static void inproc_accept(void *context)
{
    struct inproc_endpoint *self = context;
    struct sp_channel_arrival *arrival;

    while ((arrival = next_arrival(self)) != NULL)
        sp_channel_accept(arrival, nn_endpoint_of_data(self));
}

/* Signals the endpoints that wait for the name. Called under names.lock. */
static void invite(const char *name, struct nn_endpoint *from)
{
    for (struct sp_list_item *item = sp_list_first(&names.connecting); item != NULL;
         item = sp_list_next(&names.connecting, item)) {
        struct inproc_endpoint *waiting = SP_CONTAINER(item, struct inproc_endpoint, named);
        if (strcmp(waiting->name, name) == 0)
            nn_signal_raise(waiting->signal, from);
    }
}

static int inproc_bind(struct nn_endpoint *endpoint, const char *name)
{
    struct inproc_endpoint *self = nn_endpoint_data(endpoint);
    int rc = 0;

    sp_once_run(&names.once, names_init);
    self->name = name;
    sp_list_init(&self->arrivals);
    self->signal = nn_signal_open(endpoint, inproc_accept, self);
    if (self->signal == NULL)
        return -ENOMEM;

    sp_mutex_lock(&names.lock);
    if (find_bound(name) != NULL) {
        rc = -EADDRINUSE;
    } else {
        sp_list_append(&names.bound, &self->named);
        invite(name, endpoint);
    }
    sp_mutex_unlock(&names.lock);
    if (rc < 0)
        nn_signal_close(self->signal);
    return rc;
}

/* ---- Closing ---- */

static void inproc_close(struct nn_endpoint *endpoint)
{
    struct inproc_endpoint *self = nn_endpoint_data(endpoint);
    struct sp_channel_arrival *arrival;

    self->is_closed = true;
    /* Out of the list first: an endpoint that finds us there raises the signal. */
    sp_mutex_lock(&names.lock);
    sp_list_remove(&self->named);
    sp_mutex_unlock(&names.lock);
    nn_signal_close(self->signal);

    if (nn_endpoint_is_bound(endpoint)) {
        while ((arrival = next_arrival(self)) != NULL)
            sp_channel_refuse(arrival, endpoint);
        return;
    }
    nn_timer_close(self->retry);
    if (self->channel != NULL)
        sp_channel_abandon(self->channel);
}

const struct nn_transport sp_inproc_transport = {
    .version = NN_TRANSPORT_VERSION,
    .scheme = "inproc",
    .endpoint_bytes = sizeof(struct inproc_endpoint),
    .bind = inproc_bind,
    .connect = inproc_connect,
    .close = inproc_close,
    .pipe = &sp_channel_pipe_operations,
};
