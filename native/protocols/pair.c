/* PAIR: one peer at a time, both ways. A second one is refused. */
#include <nanomsg/pair.h>
#include <nanomsg/protocol.h>

#include <errno.h>

struct pair {
    struct nn_protocol_socket base;
    struct nn_pipe *peer; /* NULL: none */
};

static struct pair *pair_of(struct nn_protocol_socket *base)
{
    return NN_CONTAINER(base, struct pair, base);
}

static int pair_pipe_added(struct nn_protocol_socket *base, struct nn_pipe *pipe)
{
    struct pair *self = pair_of(base);

    if (self->peer != NULL)
        return -EBUSY;
    self->peer = pipe;
    return 0;
}

static void pair_pipe_removed(struct nn_protocol_socket *base, struct nn_pipe *pipe)
{
    (void)pipe;
    pair_of(base)->peer = NULL;
}

/* With one pipe there is nothing to choose: it is asked when its state is needed. */
static void pair_pipe_ready(struct nn_protocol_socket *base, struct nn_pipe *pipe)
{
    (void)base;
    (void)pipe;
}

static int pair_send(struct nn_protocol_socket *base, struct nn_message *message)
{
    struct nn_pipe *peer = pair_of(base)->peer;

    return peer != NULL ? nn_pipe_send(peer, message) : -EAGAIN;
}

static int pair_receive(struct nn_protocol_socket *base, struct nn_message *message)
{
    struct nn_pipe *peer = pair_of(base)->peer;

    return peer != NULL ? nn_pipe_receive(peer, message) : -EAGAIN;
}

static int pair_events(struct nn_protocol_socket *base)
{
    const struct nn_pipe *peer = pair_of(base)->peer;

    if (peer == NULL)
        return 0;
    return (nn_pipe_can_receive(peer) ? NN_POLLIN : 0) | (nn_pipe_can_send(peer) ? NN_POLLOUT : 0);
}

static bool pair_is_full(struct nn_protocol_socket *base)
{
    return pair_of(base)->peer != NULL;
}

const struct nn_protocol sp_pair_protocol = {
    .version = NN_PROTOCOL_VERSION,
    .name = "pair",
    .domain = AF_SP | AF_SP_RAW,
    .id = NN_PAIR,
    .peer_id = NN_PAIR,
    .flags = NN_PROTOCOL_SENDS | NN_PROTOCOL_RECEIVES,
    .socket_bytes = sizeof(struct pair),
    .pipe_added = pair_pipe_added,
    .pipe_removed = pair_pipe_removed,
    .pipe_readable = pair_pipe_ready,
    .pipe_writable = pair_pipe_ready,
    .send = pair_send,
    .receive = pair_receive,
    .events = pair_events,
    .is_full = pair_is_full,
};
