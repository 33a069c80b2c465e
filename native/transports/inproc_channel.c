/* Channels: how a message goes from one socket's pipe to another's without being copied. */
#include "transports/inproc_channel.h"

#include "message/body_arena.h"
#include "message/message_queue.h"
#include "platform/thread.h"
#include "util/invariant.h"
#include "util/memory.h"
#include "util/memory_return.h"

#include <errno.h>
#include <stdatomic.h>

/* A queue up to this size lets the next message in as soon as there is room; a larger one waits until half of it is
 * gone, so that a full queue does not cost a wake-up for each message. */
#define EXACT_QUEUE_BYTES ((size_t)4 * 1024)
/* How many messages of any size a queue takes while NN_RCVBUF is not set: large ones are passed by reference, and with
 * fewer the two threads would wake each other for each of them. */
#define MIN_MESSAGES 16
/* What processors pass to each other, two lines at a time. */
#define LINE_BYTES 128

struct sp_channel_side {
    /* Looked at for each message, and seldom written to. Processors pass a line of memory to and fro when one writes to
     * it and the other looks at it: what is written to for each message lies elsewhere, each side's by itself. */
    char apart_from_lock[LINE_BYTES];
    struct sp_channel *channel;
    void (*ended)(struct nn_endpoint *endpoint); /* constant; NULL: the bound end */
    size_t limit_bytes;            /* NN_RCVBUF: what may be queued to this side; constant once it is attached */
    size_t kept_bytes;             /* NN_SNDBUF of this side, where it is set: adds to the other side's limit */
    size_t limit_count;            /* messages that may be queued in any case; likewise */
    atomic_bool is_sender_blocked; /* the other side waits for room */

    /* Guarded by the channel's lock. */
    char apart_from_flags[LINE_BYTES];
    struct nn_signal *signal; /* NULL: not there yet, or closed */
    bool is_attached;
    bool is_closed;
    struct sp_message_queue queue; /* to this side */
    bool is_searching;             /* this side has found its queue empty: it wants to be notified */

    /* Written by the other side, which sends to this one. */
    char apart_from_queue[LINE_BYTES];
    atomic_size_t sent_bytes; /* by room_of() */
    atomic_size_t sent_count;
    size_t seen_bytes; /* what the sender knows of received_bytes and received_count */
    size_t seen_count;

    /* Written by this side. */
    char apart_from_sender[LINE_BYTES];
    atomic_size_t received_bytes;
    atomic_size_t received_count;

    /* Guarded by this side's socket. */
    struct nn_endpoint *endpoint;
    struct nn_pipe *pipe;
    struct sp_message_queue taken; /* moved out of `queue` in one go */
    struct sp_body_arena bodies;   /* of messages that this side sends */
};

struct sp_channel {
    struct sp_mutex lock;
    atomic_uint references;            /* one for each open side */
    struct sp_channel_arrival arrival; /* at the bound endpoint */
    struct sp_channel_side sides[2];   /* the connecting one, the bound one */
};

static struct sp_channel_side *other_side(struct sp_channel_side *side)
{
    struct sp_channel_side *sides = side->channel->sides;

    return side == &sides[0] ? &sides[1] : &sides[0];
}

static struct sp_channel_side *side_of(const struct nn_pipe *pipe)
{
    return nn_pipe_connection(pipe);
}

static void channel_release(struct sp_channel *self)
{
    unsigned before = atomic_fetch_sub(&self->references, 1);

    SP_INVARIANT(before > 0, "a channel without references is released");
    if (before > 1)
        return;
    for (int i = 0; i < 2; i++) {
        sp_message_queue_clear(&self->sides[i].queue);
        sp_message_queue_clear(&self->sides[i].taken);
    }
    sp_mutex_destroy(&self->lock);
    sp_free(self);
}

/* Lets the other side look at the channel, once the lock of `from` is left. Under the channel's lock. */
static void notify(struct sp_channel_side *to, struct nn_endpoint *from)
{
    if (to->signal != NULL)
        nn_signal_raise(to->signal, from);
}

/* What a message counts for. An empty one takes memory too, so that it must not count for nothing. */
static size_t room_of(const struct nn_message *message)
{
    return message->body_bytes > 0 ? message->body_bytes : 1;
}

/* Of a counter with one writer. */
static void count_up(atomic_size_t *counter, size_t change, memory_order order)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + change, order);
}

/* ---- Sending ---- */

/* As in libnanomsg, a queue takes one message beyond its limit, of any size, and then no more. */
static bool seems_full(const struct sp_channel_side *to)
{
    size_t sent_bytes = atomic_load_explicit(&to->sent_bytes, memory_order_relaxed);
    size_t sent_count = atomic_load_explicit(&to->sent_count, memory_order_relaxed);

    return sent_count - to->seen_count > to->limit_count && sent_bytes - to->seen_bytes >= to->limit_bytes;
}

/* Called by the sender, which reads the receiver's counter only when it must. */
static bool is_full(struct sp_channel_side *to)
{
    if (!seems_full(to))
        return false;
    to->seen_count = atomic_load(&to->received_count); /* first: what was counted before it is seen as well */
    to->seen_bytes = atomic_load_explicit(&to->received_bytes, memory_order_relaxed);
    return seems_full(to);
}

/* Marks us as waiting for room. Returns false when room has come up meanwhile. */
static bool block(struct sp_channel_side *to)
{
    atomic_store(&to->is_sender_blocked, true);
    if (is_full(to))
        return true;
    atomic_store(&to->is_sender_blocked, false);
    return false;
}

static int push(struct sp_channel_side *to, struct nn_message *message, struct nn_endpoint *from)
{
    struct sp_channel *channel = to->channel;
    size_t room_bytes = room_of(message);
    int rc = -EPIPE;

    sp_mutex_lock(&channel->lock);
    if (!to->is_closed)
        rc = sp_message_queue_push(&to->queue, message);
    if (rc == 0) {
        /* The other side looks at these when it has seen that we are blocked. */
        count_up(&to->sent_bytes, room_bytes, memory_order_relaxed);
        count_up(&to->sent_count, 1, memory_order_relaxed);
    }
    if (rc == 0 && to->is_searching) {
        to->is_searching = false; /* what follows is found with it, or when that is taken */
        notify(to, from);
    }
    sp_mutex_unlock(&channel->lock);
    return rc;
}

/* Detaches the message and pushes it. On failure it is still what it was: a copy would take the place of memory that is
 * the user's again. */
static int push_detached(struct sp_channel_side *from, struct nn_message *message)
{
    struct sp_channel_side *to = other_side(from);
    struct nn_message copy;

    if (!sp_message_is_attached(message)) {
        int rc = sp_body_arena_detach(&from->bodies, message);
        return rc == 0 ? push(to, message, from->endpoint) : rc;
    }
    int rc = sp_message_copy_flat(&copy, message);
    if (rc < 0)
        return rc;
    rc = push(to, &copy, from->endpoint);
    nn_message_free(rc == 0 ? message : &copy);
    return rc;
}

static int channel_send(struct nn_pipe *pipe, struct nn_message *message)
{
    struct sp_channel_side *from = side_of(pipe);
    struct sp_channel_side *to = other_side(from);

    int rc = is_full(to) && block(to) ? -EAGAIN : push_detached(from, message);
    if (rc < 0)
        nn_pipe_count_refused(pipe, message);
    if (rc == -ENOMEM)
        return rc;
    if (rc < 0) {
        nn_pipe_set_writable(pipe, false);
        return -EAGAIN;
    }
    if (is_full(to) && block(to))
        nn_pipe_set_writable(pipe, false);
    return 0;
}

/* ---- Receiving ---- */

/* Moves what has come meanwhile to our side of the lock. Returns whether there is anything. */
static bool take_queue(struct sp_channel_side *side)
{
    if (side->taken.count > 0)
        return true;
    sp_mutex_lock(&side->channel->lock);
    struct sp_message_queue empty = side->taken;
    side->taken = side->queue;
    side->queue = empty;
    side->is_searching = side->taken.count == 0;
    sp_mutex_unlock(&side->channel->lock);
    return side->taken.count > 0;
}

/* Whether a sender that waits may go on. It has counted all that it has sent. */
static bool has_room_again(struct sp_channel_side *side)
{
    size_t limit_bytes = side->limit_bytes;
    size_t left_bytes = atomic_load(&side->sent_bytes) - atomic_load(&side->received_bytes);
    size_t left_count = atomic_load(&side->sent_count) - atomic_load(&side->received_count);

    if (left_count <= (side->limit_count + 1) / 2)
        return true;
    return left_bytes < limit_bytes && (left_bytes <= limit_bytes / 2 || limit_bytes <= EXACT_QUEUE_BYTES);
}

static void make_room(struct sp_channel_side *side, size_t room_bytes)
{
    /* Either we see that the sender is blocked, or the sender, which looks again after saying so, sees what we
     * count. */
    count_up(&side->received_bytes, room_bytes, memory_order_relaxed);
    count_up(&side->received_count, 1, memory_order_seq_cst);
    if (atomic_load(&side->is_sender_blocked) && has_room_again(side)) {
        atomic_store(&side->is_sender_blocked, false);
        sp_mutex_lock(&side->channel->lock);
        notify(other_side(side), side->endpoint);
        sp_mutex_unlock(&side->channel->lock);
    }
}

/* Drops messages over NN_RCVMAXSIZE. Returns whether one within it waits. */
static bool find_message(struct sp_channel_side *side)
{
    struct nn_message message;

    while (take_queue(side)) {
        if (sp_message_queue_first(&side->taken)->body_bytes <= nn_pipe_receive_limit(side->pipe))
            return true;
        sp_message_queue_pop(&side->taken, &message);
        make_room(side, room_of(&message));
        nn_pipe_count_dropped(side->pipe, &message);
        nn_message_free(&message);
    }
    return false;
}

static bool is_other_closed(struct sp_channel_side *side)
{
    sp_mutex_lock(&side->channel->lock);
    bool is_closed = other_side(side)->is_closed;
    sp_mutex_unlock(&side->channel->lock);
    return is_closed;
}

static int channel_receive(struct nn_pipe *pipe, struct nn_message *message)
{
    struct sp_channel_side *side = side_of(pipe);

    sp_message_queue_pop(&side->taken, message);
    make_room(side, room_of(message));
    if (!find_message(side)) {
        nn_pipe_set_readable(pipe, false);
        if (is_other_closed(side))
            nn_pipe_end(pipe);
    }
    return 0;
}

/* ---- Closing ---- */

/* What is still queued to the other side stays for it to receive; what was meant for us is dropped. `self` is the
 * endpoint of this side. */
static void side_close(struct sp_channel_side *side, struct nn_endpoint *self)
{
    struct sp_channel *channel = side->channel;
    struct sp_message_queue unwanted;

    sp_mutex_lock(&channel->lock);
    bool was_open = !side->is_closed;
    struct nn_signal *signal = side->signal;
    side->is_closed = true;
    side->signal = NULL;
    unwanted = side->queue;
    side->queue = (struct sp_message_queue){0};
    if (was_open)
        notify(other_side(side), self);
    sp_mutex_unlock(&channel->lock);

    sp_memory_note_freed(unwanted.bytes);
    sp_message_queue_clear(&unwanted);
    if (signal != NULL)
        nn_signal_close(signal);
    if (was_open)
        channel_release(channel);
}

static void channel_close(struct nn_pipe *pipe, bool may_linger)
{
    struct sp_channel_side *side = side_of(pipe);
    void (*ended)(struct nn_endpoint *) = side->ended; /* the side may be freed when it is closed */

    (void)may_linger; /* what we sent is with the other side already */
    side->pipe = NULL;
    sp_body_arena_clear(&side->bodies);
    sp_message_queue_clear(&side->taken);
    side_close(side, nn_pipe_endpoint(pipe));
    if (ended != NULL)
        ended(nn_pipe_endpoint(pipe));
}

const struct nn_pipe_operations sp_channel_pipe_operations = {
    .send = channel_send,
    .receive = channel_receive,
    .close = channel_close,
};

/* ---- The program's end ---- */

/* What the other side has not taken yet, and what only this side knows of. */
static size_t channel_held_bytes(const struct nn_pipe *pipe)
{
    struct sp_channel_side *side = side_of(pipe);
    struct sp_channel_side *other = other_side(side);

    sp_mutex_lock(&side->channel->lock);
    size_t sent = other->is_closed ? 0 : atomic_load(&other->sent_bytes) - atomic_load(&other->received_bytes);
    size_t orphaned = other->is_closed ? atomic_load(&side->sent_bytes) - atomic_load(&side->received_bytes) : 0;
    sp_mutex_unlock(&side->channel->lock);
    return sent + orphaned;
}

/* ---- Attaching ---- */

/* The peer is there: asks the protocol for a pipe. Returns whether it has one now; the side is closed otherwise. */
static bool side_attach(struct sp_channel_side *side)
{
    struct nn_endpoint *endpoint = side->endpoint;
    void (*ended)(struct nn_endpoint *) = side->ended;
    bool is_turned_away = is_other_closed(side);

    if (is_turned_away) {
        nn_endpoint_count_broken(endpoint);
        nn_endpoint_report_rejected(endpoint, nn_endpoint_peer_protocol(endpoint), -ECONNRESET);
    }
    if (is_turned_away || nn_pipe_open(endpoint, side, &side->pipe) < 0) {
        side_close(side, endpoint);
        if (ended != NULL)
            ended(endpoint);
        return false;
    }
    nn_pipe_set_held_bytes(side->pipe, channel_held_bytes, true);
    sp_mutex_lock(&side->channel->lock);
    side->is_attached = true;
    notify(other_side(side), endpoint);
    sp_mutex_unlock(&side->channel->lock);
    return true;
}

struct view {
    bool is_attached;
    bool is_other_attached;
    bool is_other_closed;
};

static struct view look(struct sp_channel_side *side)
{
    const struct sp_channel_side *other = other_side(side);

    sp_mutex_lock(&side->channel->lock);
    struct view view = {side->is_attached, other->is_attached, other->is_closed};
    sp_mutex_unlock(&side->channel->lock);
    return view;
}

/* Brings the pipe up to what the channel says. */
static void side_update(void *context)
{
    struct sp_channel_side *side = context;
    struct view view = look(side);

    if (!view.is_attached) {
        if (!side_attach(side))
            return;
        view = look(side);
    }
    if (view.is_other_closed)
        nn_pipe_end_sending(side->pipe);
    else if (view.is_other_attached && !atomic_load(&other_side(side)->is_sender_blocked))
        nn_pipe_set_writable(side->pipe, true);
    if (!nn_pipe_can_receive(side->pipe) && find_message(side))
        nn_pipe_set_readable(side->pipe, true);
    if (view.is_other_closed && !nn_pipe_can_receive(side->pipe))
        nn_pipe_end(side->pipe);
}

/* What a sender has asked to be kept, where it has: there is no kernel between to keep it. */
static size_t sender_limit(const struct nn_endpoint *endpoint)
{
    int limit_bytes = 0;

    if (nn_endpoint_option_is_set(endpoint, NN_SOL_SOCKET, NN_SNDBUF))
        nn_endpoint_option(endpoint, NN_SOL_SOCKET, NN_SNDBUF, &limit_bytes);
    return (size_t)limit_bytes;
}

/* Gives the side its endpoint. Returns the signal by which the other side shall reach it, or NULL. */
static struct nn_signal *side_prepare(struct sp_channel_side *side, struct nn_endpoint *endpoint)
{
    int limit_bytes = 0;

    nn_endpoint_option(endpoint, NN_SOL_SOCKET, NN_RCVBUF, &limit_bytes);
    side->limit_bytes = (size_t)limit_bytes;
    side->limit_count = nn_endpoint_option_is_set(endpoint, NN_SOL_SOCKET, NN_RCVBUF) ? 1 : MIN_MESSAGES;
    side->kept_bytes = sender_limit(endpoint);
    side->endpoint = endpoint;
    return nn_signal_open(endpoint, side_update, side);
}

struct sp_channel_side *sp_channel_open(struct nn_endpoint *connecting, void (*ended)(struct nn_endpoint *connecting),
                                        struct sp_channel_arrival **arrival)
{
    struct sp_channel *self = sp_zalloc(sizeof *self);

    if (self == NULL)
        return NULL;
    self->sides[0].signal = side_prepare(&self->sides[0], connecting);
    if (self->sides[0].signal == NULL) {
        sp_free(self);
        return NULL;
    }
    sp_mutex_init(&self->lock, SP_RANK_INPROC);
    atomic_init(&self->references, 2);
    self->sides[0].channel = self;
    self->sides[1].channel = self;
    self->sides[0].ended = ended;
    self->sides[0].is_searching = true;
    self->sides[1].is_searching = true;
    *arrival = &self->arrival;
    return &self->sides[0];
}

static struct sp_channel_side *bound_side_of(struct sp_channel_arrival *arrival)
{
    return &SP_CONTAINER(arrival, struct sp_channel, arrival)->sides[1];
}

void sp_channel_accept(struct sp_channel_arrival *arrival, struct nn_endpoint *bound)
{
    struct sp_channel_side *side = bound_side_of(arrival);
    struct nn_signal *signal = side_prepare(side, bound);

    if (signal == NULL) {
        side_close(side, bound);
        return;
    }
    sp_mutex_lock(&side->channel->lock);
    side->signal = signal;
    sp_mutex_unlock(&side->channel->lock);
    /* The other side's endpoint may be freed at any time: its socket's lock is not ours. */
    side->limit_bytes += side->channel->sides[0].kept_bytes;
    side->channel->sides[0].limit_bytes += side->kept_bytes;
    side_attach(side);
}

void sp_channel_refuse(struct sp_channel_arrival *arrival, struct nn_endpoint *bound)
{
    side_close(bound_side_of(arrival), bound);
}

void sp_channel_abandon(struct sp_channel_side *side)
{
    if (side->pipe == NULL)
        side_close(side, side->endpoint);
}
