/* REQ: sends a request to one of the reps and waits for its reply; asks again when there is none.
 *
 * A request is kept until it is answered. It is sent again when NN_REQ_RESEND_IVL milliseconds have passed
 * (0: never for that reason), and at once when the connection it went to breaks; without a peer it waits
 * for one. A new request cancels the one before. The raw socket only balances requests and passes what
 * comes back, with the first word as header. */
#include "protocols/parts/backtrace.h"
#include "protocols/parts/deadline.h"
#include "protocols/parts/inbox.h"
#include "protocols/parts/int_option.h"
#include "protocols/parts/load_balancer.h"

#include <nanomsg/protocol.h>
#include <nanomsg/reqrep.h>

#include <errno.h>

#define REQ_DEFAULT_RESEND_IVL_MS 60000

/* ---- Cooked ---- */

enum req_state {
    REQ_IDLE,    /* nothing was asked */
    REQ_UNSENT,  /* the request waits for a pipe that takes it */
    REQ_SENT,    /* it is on its way, or its reply is */
    REQ_ANSWERED /* the reply waits to be received */
};

struct req {
    struct nn_protocol_socket base;
    struct sp_load_balancer peers;
    enum req_state state;
    uint32_t id;               /* of the latest request */
    struct nn_message request; /* owned; in UNSENT and SENT */
    struct nn_message reply;   /* owned; in ANSWERED */
    struct nn_pipe *sent_to;   /* in SENT */
    struct sp_deadline resend;
    int resend_ivl_ms;
};

static struct req *req_of(struct nn_protocol_socket *base)
{
    return NN_CONTAINER(base, struct req, base);
}

static int req_open(struct nn_protocol_socket *base)
{
    struct req *self = req_of(base);

    self->id = nn_protocol_random();
    self->resend_ivl_ms = REQ_DEFAULT_RESEND_IVL_MS;
    return 0;
}

/* Ends what is going on: the request, and the reply that nobody has received. */
static void req_cancel(struct req *self)
{
    if (self->state == REQ_ANSWERED)
        nn_message_free(&self->reply);
    else if (self->state != REQ_IDLE)
        nn_message_free(&self->request);
    sp_deadline_clear(&self->resend);
    self->state = REQ_IDLE;
}

static void req_close(struct nn_protocol_socket *base)
{
    req_cancel(req_of(base));
}

/* Sends the request to the next pipe in turn, or leaves it for the first one that turns writable. */
static void req_transmit(struct req *self)
{
    struct nn_message copy;

    int rc = nn_message_share(&copy, &self->request);
    if (rc == 0 && (rc = sp_load_balancer_send(&self->peers, &copy, &self->sent_to)) < 0)
        nn_message_free(&copy);

    if (rc == -EAGAIN) {
        self->state = REQ_UNSENT;
        sp_deadline_clear(&self->resend);
        return;
    }
    /* What memory did not suffice for is sent again as if it had been lost on its way. */
    if (rc < 0)
        self->sent_to = NULL;
    self->state = REQ_SENT;
    if (self->resend_ivl_ms > 0)
        sp_deadline_set(&self->resend, &self->base, self->resend_ivl_ms);
}

/* Never blocks. The one copy that is kept for resending is also what the pipe sends from. */
static int req_send(struct nn_protocol_socket *base, struct nn_message *message)
{
    struct req *self = req_of(base);
    uint32_t id = (self->id + 1) | SP_BACKTRACE_BOTTOM;

    int rc = sp_backtrace_push_id(message, id);
    if (rc < 0)
        return rc;
    if ((rc = nn_message_own(message)) < 0) {
        nn_message_header_clear(message);
        return rc;
    }

    req_cancel(self);
    self->id = id;
    self->request = *message;
    req_transmit(self);
    return 0;
}

static int req_pipe_added(struct nn_protocol_socket *base, struct nn_pipe *pipe)
{
    (void)base;
    sp_load_balancer_add(nn_pipe_data(pipe), pipe);
    return 0;
}

static void req_pipe_writable(struct nn_protocol_socket *base, struct nn_pipe *pipe)
{
    struct req *self = req_of(base);

    sp_load_balancer_writable(&self->peers, nn_pipe_data(pipe));
    if (self->state == REQ_UNSENT)
        req_transmit(self);
}

static void req_pipe_removed(struct nn_protocol_socket *base, struct nn_pipe *pipe)
{
    struct req *self = req_of(base);

    sp_load_balancer_remove(&self->peers, nn_pipe_data(pipe));
    if (self->state == REQ_SENT && self->sent_to == pipe)
        req_transmit(self);
}

static void req_timer(struct nn_protocol_socket *base)
{
    struct req *self = req_of(base);

    if (sp_deadline_expired(&self->resend, base))
        req_transmit(self);
}

/* Takes the message if it is the reply to the latest request; any pipe may bring it. */
static bool req_accept(struct req *self, struct nn_message *message)
{
    if (self->state != REQ_SENT && self->state != REQ_UNSENT)
        return false;
    if (sp_backtrace_unstack_id(message) < 0 || !sp_backtrace_is_id(message, self->id))
        return false;

    nn_message_header_clear(message);
    req_cancel(self);
    self->reply = *message;
    self->state = REQ_ANSWERED;
    return true;
}

static void req_pipe_readable(struct nn_protocol_socket *base, struct nn_pipe *pipe)
{
    struct nn_message message;

    while (nn_pipe_receive(pipe, &message) == 0)
        if (!req_accept(req_of(base), &message))
            nn_message_free(&message);
}

static int req_receive(struct nn_protocol_socket *base, struct nn_message *message)
{
    struct req *self = req_of(base);

    if (self->state == REQ_IDLE)
        return -EFSM;
    if (self->state != REQ_ANSWERED)
        return -EAGAIN;
    *message = self->reply;
    self->state = REQ_IDLE;
    return 0;
}

static int req_events(struct nn_protocol_socket *base)
{
    return NN_POLLOUT | (req_of(base)->state == REQ_ANSWERED ? NN_POLLIN : 0);
}

static int req_send_priority(struct nn_protocol_socket *base)
{
    return sp_load_balancer_priority(&req_of(base)->peers);
}

/* Counts from the next sending on, be it the first or a later one of a request. */
static int req_set_option(struct nn_protocol_socket *base, int option, const void *value, size_t size)
{
    if (option != NN_REQ_RESEND_IVL)
        return -ENOPROTOOPT;
    return sp_int_option_set(&req_of(base)->resend_ivl_ms, 0, value, size);
}

static int req_get_option(struct nn_protocol_socket *base, int option, void *value, size_t *size)
{
    if (option != NN_REQ_RESEND_IVL)
        return -ENOPROTOOPT;
    return sp_int_option_get(req_of(base)->resend_ivl_ms, value, size);
}

/* ---- Raw ---- */

struct req_raw {
    struct nn_protocol_socket base;
    struct sp_load_balancer peers;
    struct sp_inbox inbox;
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
static bool req_raw_accept(struct sp_inbox *inbox, struct nn_message *message, struct nn_pipe *from)
{
    (void)inbox;
    (void)from;
    return sp_backtrace_unstack_id(message) == 0;
}

static int req_raw_open(struct nn_protocol_socket *base)
{
    sp_inbox_init(&req_raw_of(base)->inbox, req_raw_accept);
    return 0;
}

static void req_raw_close(struct nn_protocol_socket *base)
{
    sp_inbox_forget(&req_raw_of(base)->inbox);
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
    sp_fair_queue_remove(&self->inbox.pipes, &data->receiving);
}

static void req_raw_pipe_readable(struct nn_protocol_socket *base, struct nn_pipe *pipe)
{
    struct req_raw_pipe *data = nn_pipe_data(pipe);

    sp_fair_queue_readable(&req_raw_of(base)->inbox.pipes, &data->receiving);
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
    return sp_inbox_receive(&req_raw_of(base)->inbox, message);
}

static int req_raw_events(struct nn_protocol_socket *base)
{
    struct req_raw *self = req_raw_of(base);

    return (sp_inbox_can_receive(&self->inbox) ? NN_POLLIN : 0) |
           (sp_load_balancer_can_send(&self->peers) ? NN_POLLOUT : 0);
}

static int req_raw_send_priority(struct nn_protocol_socket *base)
{
    return sp_load_balancer_priority(&req_raw_of(base)->peers);
}

/* ---- Tables ---- */

const struct nn_protocol sp_req_protocol = {
    .version = NN_PROTOCOL_VERSION,
    .name = "req",
    .domain = AF_SP,
    .id = NN_REQ,
    .peer_id = NN_REP,
    .flags = NN_PROTOCOL_SENDS | NN_PROTOCOL_RECEIVES,
    .socket_bytes = sizeof(struct req),
    .pipe_bytes = sizeof(struct sp_priority_slot),
    .open = req_open,
    .close = req_close,
    .pipe_added = req_pipe_added,
    .pipe_removed = req_pipe_removed,
    .pipe_readable = req_pipe_readable,
    .pipe_writable = req_pipe_writable,
    .send = req_send,
    .receive = req_receive,
    .events = req_events,
    .timer = req_timer,
    .set_option = req_set_option,
    .get_option = req_get_option,
    .send_priority = req_send_priority,
};

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
