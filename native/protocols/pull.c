/* PULL: takes from each push in turn. */
#include "protocols/parts/fair_queue.h"

#include <nanomsg/pipeline.h>
#include <nanomsg/protocol.h>

struct pull {
    struct nn_protocol_socket base;
    struct sp_fair_queue peers;
};

static struct pull *pull_of(struct nn_protocol_socket *base)
{
    return NN_CONTAINER(base, struct pull, base);
}

static int pull_pipe_added(struct nn_protocol_socket *base, struct nn_pipe *pipe)
{
    (void)base;
    sp_fair_queue_add(nn_pipe_data(pipe), pipe);
    return 0;
}

static void pull_pipe_removed(struct nn_protocol_socket *base, struct nn_pipe *pipe)
{
    sp_fair_queue_remove(&pull_of(base)->peers, nn_pipe_data(pipe));
}

static void pull_pipe_readable(struct nn_protocol_socket *base, struct nn_pipe *pipe)
{
    sp_fair_queue_readable(&pull_of(base)->peers, nn_pipe_data(pipe));
}

static void pull_pipe_writable(struct nn_protocol_socket *base, struct nn_pipe *pipe)
{
    (void)base;
    (void)pipe;
}

static int pull_receive(struct nn_protocol_socket *base, struct nn_message *message)
{
    return sp_fair_queue_receive(&pull_of(base)->peers, message, NULL);
}

static int pull_events(struct nn_protocol_socket *base)
{
    return sp_fair_queue_can_receive(&pull_of(base)->peers) ? NN_POLLIN : 0;
}

const struct nn_protocol sp_pull_protocol = {
    .version = NN_PROTOCOL_VERSION,
    .name = "pull",
    .domain = AF_SP | AF_SP_RAW,
    .id = NN_PULL,
    .peer_id = NN_PUSH,
    .flags = NN_PROTOCOL_RECEIVES | NN_PROTOCOL_TAKES_TURNS,
    .socket_bytes = sizeof(struct pull),
    .pipe_bytes = sizeof(struct sp_priority_slot),
    .pipe_added = pull_pipe_added,
    .pipe_removed = pull_pipe_removed,
    .pipe_readable = pull_pipe_readable,
    .pipe_writable = pull_pipe_writable,
    .receive = pull_receive,
    .events = pull_events,
};
