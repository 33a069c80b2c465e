/* PUB: each message to every sub that can take it. Never waits: slow subscribers miss messages. */
#include "protocols/parts/distributor.h"

#include <nanomsg/protocol.h>
#include <nanomsg/pubsub.h>

struct pub {
    struct nn_protocol_socket base;
    struct sp_distributor peers;
};

static struct pub *pub_of(struct nn_protocol_socket *base)
{
    return NN_CONTAINER(base, struct pub, base);
}

static int pub_open(struct nn_protocol_socket *base)
{
    sp_distributor_init(&pub_of(base)->peers);
    return 0;
}

static int pub_pipe_added(struct nn_protocol_socket *base, struct nn_pipe *pipe)
{
    sp_distributor_add(&pub_of(base)->peers, nn_pipe_data(pipe), pipe);
    return 0;
}

/* Or nothing can be sent to it any more: it misses nothing then. */
static void pub_pipe_removed(struct nn_protocol_socket *base, struct nn_pipe *pipe)
{
    (void)base;
    sp_distributor_remove(nn_pipe_data(pipe));
}

/* A sub has nothing to say; one that talks anyway is not listened to. */
static void pub_pipe_readable(struct nn_protocol_socket *base, struct nn_pipe *pipe)
{
    struct nn_message message;

    (void)base;
    while (nn_pipe_receive(pipe, &message) == 0) {
        nn_pipe_count_dropped(pipe, &message);
        nn_message_free(&message);
    }
}

static void pub_pipe_writable(struct nn_protocol_socket *base, struct nn_pipe *pipe)
{
    sp_distributor_writable(&pub_of(base)->peers, nn_pipe_data(pipe));
}

static int pub_send(struct nn_protocol_socket *base, struct nn_message *message)
{
    return sp_distributor_send(&pub_of(base)->peers, message, 0);
}

static int pub_events(struct nn_protocol_socket *base)
{
    (void)base;
    return NN_POLLOUT;
}

const struct nn_protocol sp_pub_protocol = {
    .version = NN_PROTOCOL_VERSION,
    .name = "pub",
    .domain = AF_SP | AF_SP_RAW,
    .id = NN_PUB,
    .peer_id = NN_SUB,
    .flags = NN_PROTOCOL_SENDS | NN_PROTOCOL_BUFFERS,
    .socket_bytes = sizeof(struct pub),
    .pipe_bytes = sizeof(struct sp_distributor_slot),
    .open = pub_open,
    .pipe_added = pub_pipe_added,
    .pipe_removed = pub_pipe_removed,
    .pipe_readable = pub_pipe_readable,
    .pipe_writable = pub_pipe_writable,
    .send = pub_send,
    .events = pub_events,
    .pipe_sending_ended = pub_pipe_removed,
};
