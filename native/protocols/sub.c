/* SUB: of all that the pubs send, what begins with a prefix that was subscribed to. The raw socket
 * filters as well. Without a subscription nothing is received. */
#include "protocols/parts/filtered_queue.h"
#include "protocols/parts/int_option.h"
#include "protocols/parts/subscriptions.h"

#include <nanomsg/protocol.h>
#include <nanomsg/pubsub.h>

#include <errno.h>
#include <limits.h>

struct sub {
    struct nn_protocol_socket base;
    struct sp_filtered_queue received;
    struct sp_subscriptions subscriptions;
};

static struct sub *sub_of(struct nn_protocol_socket *base)
{
    return NN_CONTAINER(base, struct sub, base);
}

static bool sub_matches(const struct sub *self, const struct nn_message *message)
{
    return sp_subscriptions_match(&self->subscriptions, message->body, message->body_bytes);
}

static bool sub_accept(struct sp_filtered_queue *received, struct nn_message *message, struct nn_pipe *from)
{
    (void)from;
    return sub_matches(NN_CONTAINER(received, struct sub, received), message);
}

static int sub_open(struct nn_protocol_socket *base)
{
    sp_filtered_queue_init(&sub_of(base)->received, sub_accept);
    return 0;
}

static void sub_close(struct nn_protocol_socket *base)
{
    struct sub *self = sub_of(base);

    sp_filtered_queue_forget(&self->received);
    sp_subscriptions_destroy(&self->subscriptions);
}

static int sub_pipe_added(struct nn_protocol_socket *base, struct nn_pipe *pipe)
{
    (void)base;
    sp_fair_queue_add(nn_pipe_data(pipe), pipe);
    return 0;
}

static void sub_pipe_removed(struct nn_protocol_socket *base, struct nn_pipe *pipe)
{
    sp_fair_queue_remove(&sub_of(base)->received.pipes, nn_pipe_data(pipe));
}

static void sub_pipe_readable(struct nn_protocol_socket *base, struct nn_pipe *pipe)
{
    sp_fair_queue_readable(&sub_of(base)->received.pipes, nn_pipe_data(pipe));
}

static void sub_pipe_writable(struct nn_protocol_socket *base, struct nn_pipe *pipe)
{
    (void)base;
    (void)pipe;
}

static int sub_receive(struct nn_protocol_socket *base, struct nn_message *message)
{
    return sp_filtered_queue_receive(&sub_of(base)->received, message);
}

static int sub_events(struct nn_protocol_socket *base)
{
    return sp_filtered_queue_can_receive(&sub_of(base)->received) ? NN_POLLIN : 0;
}

/* Taking back a prefix that is not subscribed to is no error. */
static void sub_unsubscribe(struct sub *self, const void *prefix, size_t prefix_bytes)
{
    bool was_last = sp_subscriptions_remove(&self->subscriptions, prefix, prefix_bytes);

    /* Nothing that has not been received yet is received for it any more. */
    if (was_last && self->received.has_ahead && !sub_matches(self, &self->received.ahead))
        sp_filtered_queue_forget(&self->received);
}

static int sub_set_option(struct nn_protocol_socket *base, int option, const void *value, size_t size)
{
    struct sub *self = sub_of(base);

    switch (option) {
    case NN_SUB_SUBSCRIBE:
        return sp_subscriptions_add(&self->subscriptions, value, size);
    case NN_SUB_UNSUBSCRIBE:
        sub_unsubscribe(self, value, size);
        return 0;
    default:
        return -ENOPROTOOPT;
    }
}

static int sub_get_option(struct nn_protocol_socket *base, int option, void *value, size_t *size)
{
    size_t count = sub_of(base)->subscriptions.count;

    if (option != NN_SUB_SUBSCRIPTIONS)
        return -ENOPROTOOPT;
    return sp_int_option_get(count < INT_MAX ? (int)count : INT_MAX, value, size);
}

const struct nn_protocol sp_sub_protocol = {
    .version = NN_PROTOCOL_VERSION,
    .name = "sub",
    .domain = AF_SP | AF_SP_RAW,
    .id = NN_SUB,
    .peer_id = NN_PUB,
    .flags = NN_PROTOCOL_RECEIVES | NN_PROTOCOL_TAKES_TURNS,
    .socket_bytes = sizeof(struct sub),
    .pipe_bytes = sizeof(struct sp_priority_slot),
    .open = sub_open,
    .close = sub_close,
    .pipe_added = sub_pipe_added,
    .pipe_removed = sub_pipe_removed,
    .pipe_readable = sub_pipe_readable,
    .pipe_writable = sub_pipe_writable,
    .receive = sub_receive,
    .events = sub_events,
    .set_option = sub_set_option,
    .get_option = sub_get_option,
};
