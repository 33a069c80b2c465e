/* PUSH: each message to one of the pulls, which share the work. */
#include "protocols/parts/load_balancer.h"

#include <nanomsg/pipeline.h>
#include <nanomsg/protocol.h>

struct push {
    struct nn_protocol_socket base;
    struct sp_load_balancer peers;
};

static struct push *push_of(struct nn_protocol_socket *base)
{
    return NN_CONTAINER(base, struct push, base);
}

static int push_pipe_added(struct nn_protocol_socket *base, struct nn_pipe *pipe)
{
    (void)base;
    sp_load_balancer_add(nn_pipe_data(pipe), pipe);
    return 0;
}

static void push_pipe_removed(struct nn_protocol_socket *base, struct nn_pipe *pipe)
{
    sp_load_balancer_remove(&push_of(base)->peers, nn_pipe_data(pipe));
}

/* A pull has nothing to say; one that talks anyway is not listened to. */
static void push_pipe_readable(struct nn_protocol_socket *base, struct nn_pipe *pipe)
{
    struct nn_message message;

    (void)base;
    while (nn_pipe_receive(pipe, &message) == 0) {
        nn_pipe_count_dropped(pipe, &message);
        nn_message_free(&message);
    }
}

static void push_pipe_writable(struct nn_protocol_socket *base, struct nn_pipe *pipe)
{
    sp_load_balancer_writable(&push_of(base)->peers, nn_pipe_data(pipe));
}

static int push_send(struct nn_protocol_socket *base, struct nn_message *message)
{
    return sp_load_balancer_send(&push_of(base)->peers, message, NULL);
}

static int push_events(struct nn_protocol_socket *base)
{
    return sp_load_balancer_can_send(&push_of(base)->peers) ? NN_POLLOUT : 0;
}

static int push_send_priority(struct nn_protocol_socket *base)
{
    return sp_load_balancer_priority(&push_of(base)->peers);
}

const struct nn_protocol sp_push_protocol = {
    .version = NN_PROTOCOL_VERSION,
    .name = "push",
    .domain = AF_SP | AF_SP_RAW,
    .id = NN_PUSH,
    .peer_id = NN_PULL,
    .flags = NN_PROTOCOL_SENDS,
    .socket_bytes = sizeof(struct push),
    .pipe_bytes = sizeof(struct sp_priority_slot),
    .pipe_added = push_pipe_added,
    .pipe_removed = push_pipe_removed,
    .pipe_readable = push_pipe_readable,
    .pipe_writable = push_pipe_writable,
    .send = push_send,
    .events = push_events,
    .send_priority = push_send_priority,
};
