/* Channels: how a message goes from one socket's pipe to another's without being copied. */
#include "transports/inproc_channel.h"

#include "core/chunk.h"
#include "util/memory.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

/* A body that fills less than this share of its memory is copied before it is handed over: it must not keep a whole
 * receive slab alive in another socket's queue. */
#define LEAST_SHARE 8

/* A queue up to this size lets the next message in as soon as there is room; a larger one waits until half of it is
 * gone, so that a full queue does not cost a wake-up for each message. */
#define EXACT_QUEUE_BYTES ((size_t)4 * 1024)

struct side {
    struct sp_channel *channel;
    struct sp_task errand;
    atomic_bool has_errand;    /* the errand is on its way: later news will be seen by it too */
    struct sp_channel_end end; /* constant; the socket is referenced while the side is open */
    bool is_bound;             /* constant: which of the two ends this is */

    /* Guarded by the channel's lock. */
    bool is_attached;
    bool is_closed;
    struct sp_message_queue queue; /* to this side */

    atomic_size_t queued_bytes; /* in `queue` and `taken`, by room_of() */
    atomic_size_t queued_count;
    atomic_bool is_sender_blocked; /* the other side waits for room */

    /* Guarded by this side's socket. */
    struct nn_pipe *pipe;
    struct sp_message_queue taken; /* moved out of `queue` in one go */
};

struct sp_channel {
    struct sp_mutex lock;
    atomic_uint references; /* one for each open side and each errand */
    struct side sides[2];
};

static struct side *other_side(struct side *side)
{
    struct side *sides = side->channel->sides;

    return side == &sides[0] ? &sides[1] : &sides[0];
}

static struct side *side_of(const struct nn_pipe *pipe)
{
    return pipe->connection;
}

static void channel_release(struct sp_channel *self)
{
    if (atomic_fetch_sub(&self->references, 1) > 1)
        return;
    for (int i = 0; i < 2; i++) {
        sp_message_queue_clear(&self->sides[i].queue);
        sp_message_queue_clear(&self->sides[i].taken);
    }
    sp_mutex_destroy(&self->lock);
    sp_free(self);
}

/* Lets the other side look at the channel, once the caller's lock is left. */
static void tell(struct side *to, struct sp_socket *from)
{
    if (atomic_exchange(&to->has_errand, true))
        return;
    atomic_fetch_add(&to->channel->references, 1);
    sp_socket_add_errand(from, &to->errand);
}

/* What a message counts for. An empty one takes memory too, so that it must not count for nothing. */
static size_t room_of(const struct nn_message *message)
{
    return message->body_bytes > 0 ? message->body_bytes : 1;
}

/* ---- Sending ---- */

/* As in libnanomsg, a queue takes one message beyond its limit, of any size, and then no more. */
static bool is_full(const struct side *to)
{
    return atomic_load(&to->queued_count) > 1 && atomic_load(&to->queued_bytes) >= to->end.limit_bytes;
}

/* Marks us as waiting for room. Returns false when room has come up meanwhile. */
static bool block(struct side *to)
{
    atomic_store(&to->is_sender_blocked, true);
    if (is_full(to))
        return true;
    atomic_store(&to->is_sender_blocked, false);
    return false;
}

/* Makes the message fit for another socket: header in front, memory of its own. */
static int prepare(struct nn_message *message)
{
    struct nn_chunk *chunk = message->chunk;

    if (message->header_bytes > 0)
        return sp_message_flatten(message);
    if (chunk == NULL)
        return nn_message_own(message);
    if (!chunk->is_in_slab && message->body_bytes >= chunk->capacity_bytes / LEAST_SHARE)
        return 0;

    struct nn_message copy = *message;
    copy.chunk = NULL;
    int rc = nn_message_own(&copy);
    if (rc < 0)
        return rc;
    sp_chunk_release(chunk);
    *message = copy;
    return 0;
}

static int push(struct side *to, struct nn_message *message)
{
    struct sp_channel *channel = to->channel;
    size_t room_bytes = room_of(message);
    int rc = -EPIPE;

    sp_mutex_lock(&channel->lock);
    if (!to->is_closed)
        rc = sp_message_queue_push(&to->queue, message);
    if (rc == 0) {
        atomic_fetch_add(&to->queued_bytes, room_bytes);
        atomic_fetch_add(&to->queued_count, 1);
    }
    sp_mutex_unlock(&channel->lock);
    return rc;
}

static int channel_send(struct nn_pipe *pipe, struct nn_message *message)
{
    struct side *to = other_side(side_of(pipe));

    if ((is_full(to) && block(to)) || prepare(message) < 0 || push(to, message) < 0) {
        pipe->can_send = false;
        return -EAGAIN;
    }
    tell(to, pipe->socket);
    if (is_full(to) && block(to))
        pipe->can_send = false;
    return 0;
}

/* ---- Receiving ---- */

/* Moves what has come meanwhile to our side of the lock. Returns whether there is anything. */
static bool take_queue(struct side *side)
{
    if (side->taken.count > 0)
        return true;
    sp_mutex_lock(&side->channel->lock);
    struct sp_message_queue empty = side->taken;
    side->taken = side->queue;
    side->queue = empty;
    sp_mutex_unlock(&side->channel->lock);
    return side->taken.count > 0;
}

static void make_room(struct side *side, struct sp_socket *socket, size_t room_bytes)
{
    size_t limit_bytes = side->end.limit_bytes;
    size_t left_bytes = atomic_fetch_sub(&side->queued_bytes, room_bytes) - room_bytes;
    size_t left_count = atomic_fetch_sub(&side->queued_count, 1) - 1;
    bool has_room = left_bytes < limit_bytes && (left_bytes <= limit_bytes / 2 || limit_bytes <= EXACT_QUEUE_BYTES);

    if ((has_room || left_count <= 1) && atomic_load(&side->is_sender_blocked)) {
        atomic_store(&side->is_sender_blocked, false);
        tell(other_side(side), socket);
    }
}

static bool is_too_big(const struct sp_socket *socket, const struct nn_message *message)
{
    int limit_bytes = socket->options.receive_max_bytes;

    return limit_bytes >= 0 && message->body_bytes > (size_t)limit_bytes;
}

/* Drops messages over NN_RCVMAXSIZE. Returns whether one within it waits. */
static bool find_message(struct side *side, struct sp_socket *socket)
{
    struct nn_message message;

    while (take_queue(side)) {
        if (!is_too_big(socket, sp_message_queue_first(&side->taken)))
            return true;
        sp_message_queue_pop(&side->taken, &message);
        make_room(side, socket, room_of(&message));
        nn_message_free(&message);
    }
    return false;
}

static bool is_other_closed(struct side *side)
{
    sp_mutex_lock(&side->channel->lock);
    bool is_closed = other_side(side)->is_closed;
    sp_mutex_unlock(&side->channel->lock);
    return is_closed;
}

/* Nothing more will come from the other side, and all that came has been received. */
static void channel_end(struct nn_pipe *pipe)
{
    pipe->socket->statistics.broken_connections++;
    sp_pipe_break(pipe);
}

static int channel_receive(struct nn_pipe *pipe, struct nn_message *message)
{
    struct side *side = side_of(pipe);

    sp_message_queue_pop(&side->taken, message);
    make_room(side, pipe->socket, room_of(message));
    if (!find_message(side, pipe->socket)) {
        pipe->can_receive = false;
        if (is_other_closed(side))
            channel_end(pipe);
    }
    return 0;
}

/* ---- Attaching, closing ---- */

/* What is still queued to the other side stays for it to receive; what was meant for us is dropped. */
static void side_close(struct side *side, struct sp_socket *socket)
{
    struct sp_channel *channel = side->channel;
    struct sp_message_queue unwanted;

    sp_mutex_lock(&channel->lock);
    bool was_open = !side->is_closed;
    side->is_closed = true;
    unwanted = side->queue;
    side->queue = (struct sp_message_queue){0};
    sp_mutex_unlock(&channel->lock);

    sp_message_queue_clear(&unwanted);
    if (!was_open)
        return;
    tell(other_side(side), socket);
    sp_socket_release_reference(socket);
    channel_release(channel);
}

static void channel_close(struct nn_pipe *pipe, bool may_linger)
{
    struct side *side = side_of(pipe);
    struct sp_endpoint *endpoint = pipe->endpoint;

    (void)may_linger; /* what we sent is with the other side already */
    side->pipe = NULL;
    sp_message_queue_clear(&side->taken);
    side_close(side, pipe->socket);
    if (!side->is_bound)
        sp_inproc_disconnected(endpoint);
    sp_endpoint_release(endpoint);
}

static void channel_flush(struct nn_pipe *pipe)
{
    (void)pipe; /* nothing is gathered here */
}

static size_t channel_queued_bytes(const struct nn_pipe *pipe)
{
    (void)pipe;
    return 0;
}

static const struct sp_pipe_ops channel_pipe_ops = {
    .send = channel_send,
    .receive = channel_receive,
    .flush = channel_flush,
    .close = channel_close,
    .queued_bytes = channel_queued_bytes,
};

static void count_connection(struct side *side, struct sp_socket *socket)
{
    if (side->is_bound)
        socket->statistics.accepted_connections++;
    else
        socket->statistics.established_connections++;
}

static void side_attach(struct side *side, struct sp_socket *socket)
{
    struct sp_endpoint *endpoint =
        socket->state == SP_SOCKET_OPEN ? sp_endpoint_find(socket, side->end.endpoint_id) : NULL;
    int error;

    if (endpoint != NULL && !is_other_closed(side)) {
        count_connection(side, socket);
        side->pipe = sp_pipe_open(endpoint, &channel_pipe_ops, side, &error);
    }
    if (side->pipe == NULL) {
        side_close(side, socket);
        if (endpoint != NULL) {
            socket->statistics.broken_connections++;
            if (!side->is_bound)
                sp_inproc_disconnected(endpoint);
        }
        return;
    }
    endpoint->users++;
    sp_mutex_lock(&side->channel->lock);
    side->is_attached = true;
    sp_mutex_unlock(&side->channel->lock);
    tell(other_side(side), socket);
}

struct view {
    bool is_attached;
    bool is_closed;
    bool is_other_attached;
    bool is_other_closed;
};

static struct view look(struct side *side)
{
    const struct side *other = other_side(side);

    sp_mutex_lock(&side->channel->lock);
    struct view view = {side->is_attached, side->is_closed, other->is_attached, other->is_closed};
    sp_mutex_unlock(&side->channel->lock);
    return view;
}

/* Brings the pipe up to what the channel says, under the socket's lock. */
static void side_update(struct side *side, struct sp_socket *socket)
{
    struct view view = look(side);

    if (view.is_closed)
        return;
    if (!view.is_attached) {
        side_attach(side, socket);
        view = look(side);
    }
    if (side->pipe == NULL)
        return;
    if (view.is_other_attached && !view.is_other_closed && !atomic_load(&other_side(side)->is_sender_blocked))
        sp_pipe_set_writable(side->pipe);
    if (view.is_other_closed)
        side->pipe->can_send = false;
    if (!side->pipe->can_receive && find_message(side, socket))
        sp_pipe_set_readable(side->pipe);
    if (view.is_other_closed && !side->pipe->can_receive)
        channel_end(side->pipe);
}

static void side_run_errand(struct sp_task *task)
{
    struct side *side = SP_CONTAINER(task, struct side, errand);
    struct sp_channel *channel = side->channel;
    struct sp_socket *socket = NULL;

    atomic_store(&side->has_errand, false);
    sp_mutex_lock(&channel->lock);
    if (!side->is_closed) {
        socket = side->end.socket;
        sp_socket_retain(socket);
    }
    sp_mutex_unlock(&channel->lock);

    if (socket != NULL) {
        sp_socket_lock(socket);
        side_update(side, socket);
        sp_socket_unlock(socket);
        sp_socket_release_reference(socket);
    }
    channel_release(channel);
}

static void side_init(struct side *side, struct sp_channel *channel, struct sp_channel_end end, bool is_bound)
{
    side->channel = channel;
    side->errand.run = side_run_errand;
    side->end = end;
    side->is_bound = is_bound;
    sp_socket_retain(end.socket);
}

int sp_channel_connect(struct sp_channel_end connecting, struct sp_channel_end bound)
{
    struct sp_channel *self = sp_zalloc(sizeof *self);

    if (self == NULL)
        return -ENOMEM;
    sp_mutex_init(&self->lock, SP_RANK_INPROC);
    atomic_init(&self->references, 2);
    side_init(&self->sides[0], self, connecting, false);
    side_init(&self->sides[1], self, bound, true);
    tell(&self->sides[1], connecting.socket);
    return 0;
}
