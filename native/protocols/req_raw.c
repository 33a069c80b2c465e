/* REQ as a raw socket: balances requests and passes what comes back, with the first word as header. */
#include "protocols/parts/backtrace.h"
#include "protocols/parts/filtered_queue.h"
#include "protocols/parts/load_balancer.h"

#include <nanomsg/protocol.h>
#include <nanomsg/reqrep.h>

struct req_raw {
    struct nn_protocol_socket base;
    struct sp_load_balancer peers;
    struct sp_filtered_queue received;
};

struct req_raw_pipe {
    struct sp_priority_slot sending;
    struct sp_priority_slot receiving;
};

static struct req_raw *req_raw_of(struct nn_protocol_socket *base)
{
    return NN_CONTAINER(base, struct req_raw, base);
}

/* A reply's first word is the header, whatever it says. */
static bool req_raw_accept(struct sp_filtered_queue *received, struct nn_message *message, struct nn_pipe *from)
{
    (void)received;
    return sp_filtered_queue_count(sp_backtrace_unstack_id(message) == 0, message, from);
}

static int req_raw_open(struct nn_protocol_socket *base)
{
    sp_filtered_queue_init(&req_raw_of(base)->received, req_raw_accept);
    return 0;
}

static void req_raw_close(struct nn_protocol_socket *base)
{
    sp_filtered_queue_forget(&req_raw_of(base)->received);
}

static int req_raw_pipe_added(struct nn_protocol_socket *base, struct nn_pipe *pipe)
{
    struct req_raw_pipe *data = nn_pipe_data(pipe);

    (void)base;
    sp_load_balancer_add(&data->sending, pipe);
    sp_fair_queue_add(&data->receiving, pipe);
    return 0;
}

static void req_raw_pipe_removed(struct nn_protocol_socket *base, struct nn_pipe *pipe)
{
    struct req_raw *self = req_raw_of(base);
    struct req_raw_pipe *data = nn_pipe_data(pipe);

    sp_load_balancer_remove(&self->peers, &data->sending);
    sp_fair_queue_remove(&self->received.pipes, &data->receiving);
}

static void req_raw_pipe_readable(struct nn_protocol_socket *base, struct nn_pipe *pipe)
{
    struct req_raw_pipe *data = nn_pipe_data(pipe);

    sp_fair_queue_readable(&req_raw_of(base)->received.pipes, &data->receiving);
}

static void req_raw_pipe_writable(struct nn_protocol_socket *base, struct nn_pipe *pipe)
{
    struct req_raw_pipe *data = nn_pipe_data(pipe);

    sp_load_balancer_writable(&req_raw_of(base)->peers, &data->sending);
}

static int req_raw_send(struct nn_protocol_socket *base, struct nn_message *message)
{
    return sp_load_balancer_send(&req_raw_of(base)->peers, message, NULL);
}

static int req_raw_receive(struct nn_protocol_socket *base, struct nn_message *message)
{
    return sp_filtered_queue_receive(&req_raw_of(base)->received, message);
}

static int req_raw_events(struct nn_protocol_socket *base)
{
    struct req_raw *self = req_raw_of(base);

    return (sp_filtered_queue_can_receive(&self->received) ? NN_POLLIN : 0) |
           (sp_load_balancer_can_send(&self->peers) ? NN_POLLOUT : 0);
}

static int req_raw_send_priority(struct nn_protocol_socket *base)
{
    return sp_load_balancer_priority(&req_raw_of(base)->peers);
}

const struct nn_protocol sp_req_raw_protocol = {
    .version = NN_PROTOCOL_VERSION,
    .name = "req",
    .domain = AF_SP_RAW,
    .id = NN_REQ,
    .peer_id = NN_REP,
    .flags = NN_PROTOCOL_SENDS | NN_PROTOCOL_RECEIVES,
    .socket_bytes = sizeof(struct req_raw),
    .pipe_bytes = sizeof(struct req_raw_pipe),
    .open = req_raw_open,
    .close = req_raw_close,
    .pipe_added = req_raw_pipe_added,
    .pipe_removed = req_raw_pipe_removed,
    .pipe_readable = req_raw_pipe_readable,
    .pipe_writable = req_raw_pipe_writable,
    .send = req_raw_send,
    .receive = req_raw_receive,
    .events = req_raw_events,
    .send_priority = req_raw_send_priority,
};
