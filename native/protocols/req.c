/* REQ: sends a request to one of the reps and waits for its reply; asks again when there is none.
 *
 * A request is kept until it is answered. It is sent again when NN_REQ_RESEND_IVL milliseconds have passed
 * (0: never for that reason), and at once when the connection it went to breaks; without a peer it waits
 * for one. A reply counts when it comes from a peer that was asked, be it late and the request sent to another one
 * meanwhile. A new request cancels the one before; requests in contexts go on side by side. NN_REQ_MAX_IN_FLIGHT limits
 * how many of them a peer has at a time; more wait. NN_REQ_ATTEMPTS limits how many peers may go away while they have a
 * request, before it fails with ECONNRESET. */
#include "protocols/parts/int_option.h"
#include "protocols/parts/request_contexts.h"

#include <nanomsg/protocol.h>
#include <nanomsg/reqrep.h>

#include <errno.h>

#define REQ_DEFAULT_RESEND_IVL_MS 60000

/* The one request outside of contexts. */
enum req_state {
    REQ_IDLE,    /* nothing was asked */
    REQ_ASKING,  /* the request is on its way, or its reply is */
    REQ_FAILED,  /* peers have gone while they had it, and receiving says so */
    REQ_ANSWERED /* the reply waits to be received */
};

struct req {
    struct nn_protocol_socket base;
    struct sp_requests requests;
    enum req_state state;
    struct sp_request request; /* in ASKING */
    struct sp_request_terms terms;
    struct nn_message reply; /* owned; in ANSWERED */
    struct sp_request_contexts contexts;
};

static struct req *req_of(struct nn_protocol_socket *base)
{
    return NN_CONTAINER(base, struct req, base);
}

static int req_open(struct nn_protocol_socket *base)
{
    struct req *self = req_of(base);

    sp_requests_init(&self->requests, base, REQ_DEFAULT_RESEND_IVL_MS);
    sp_request_contexts_init(&self->contexts, &self->requests);
    self->terms.resend_ivl_ms = -1;
    return 0;
}

/* Ends what is going on: the request, and the reply that was not received. */
static void req_cancel(struct req *self)
{
    if (self->state == REQ_ANSWERED)
        nn_message_free(&self->reply);
    else if (self->state == REQ_ASKING)
        sp_requests_end(&self->requests, &self->request);
    self->state = REQ_IDLE;
}

/* Never blocks. The one copy that is kept for resending is also what the pipe sends from. */
static int req_send(struct nn_protocol_socket *base, struct nn_message *message)
{
    struct req *self = req_of(base);

    if (message->header_bytes > 0)
        return -EINVAL;
    int rc = nn_message_own(message);
    if (rc < 0)
        return rc;
    req_cancel(self);
    rc = sp_requests_begin(&self->requests, &self->request, message, &self->terms);
    if (rc == 0)
        self->state = REQ_ASKING;
    return rc;
}

static int req_pipe_added(struct nn_protocol_socket *base, struct nn_pipe *pipe)
{
    sp_requests_pipe_added(&req_of(base)->requests, pipe);
    return 0;
}

static void req_pipe_writable(struct nn_protocol_socket *base, struct nn_pipe *pipe)
{
    sp_requests_pipe_writable(&req_of(base)->requests, pipe);
}

static void req_pipe_removed(struct nn_protocol_socket *base, struct nn_pipe *pipe)
{
    struct req *self = req_of(base);
    struct sp_request *request;

    sp_requests_pipe_removed(&self->requests, pipe);
    while ((request = sp_requests_next_failed(&self->requests)) != NULL) {
        if (request != &self->request) {
            sp_request_contexts_fail(&self->contexts, request);
            continue;
        }
        sp_requests_end(&self->requests, request);
        self->state = REQ_FAILED;
    }
}

static void req_timer(struct nn_protocol_socket *base)
{
    sp_requests_timer(&req_of(base)->requests);
}

/* Takes the message if it is the reply to a request that was sent through this pipe. */
static bool req_accept(struct req *self, struct nn_message *message, const struct nn_pipe *from)
{
    struct sp_request *request = sp_requests_answered(&self->requests, message, from);

    if (request == NULL)
        return false;
    nn_message_header_clear(message);
    if (request == &self->request) {
        sp_requests_end(&self->requests, request);
        self->reply = *message;
        self->state = REQ_ANSWERED;
    } else {
        sp_request_contexts_answer(&self->contexts, request, message);
    }
    return true;
}

static void req_pipe_readable(struct nn_protocol_socket *base, struct nn_pipe *pipe)
{
    struct nn_message message;

    while (nn_pipe_receive(pipe, &message) == 0)
        if (!req_accept(req_of(base), &message, pipe)) {
            nn_pipe_count_dropped(pipe, &message);
            nn_message_free(&message);
        }
}

static int req_receive(struct nn_protocol_socket *base, struct nn_message *message)
{
    struct req *self = req_of(base);

    if (self->state == REQ_IDLE)
        return -EFSM;
    if (self->state == REQ_ASKING)
        return -EAGAIN;
    bool has_failed = self->state == REQ_FAILED;
    self->state = REQ_IDLE;
    if (has_failed)
        return -ECONNRESET;
    *message = self->reply;
    return 0;
}

static int req_events(struct nn_protocol_socket *base)
{
    struct req *self = req_of(base);
    bool can_receive = self->state >= REQ_FAILED || sp_request_contexts_can_receive(&self->contexts);

    return NN_POLLOUT | (can_receive ? NN_POLLIN : 0);
}

static int req_send_priority(struct nn_protocol_socket *base)
{
    return sp_load_balancer_priority(&req_of(base)->requests.peers.open);
}

static int *req_option_of(struct req *self, int option, int *lowest)
{
    *lowest = option == NN_REQ_CONTEXT_RESEND_IVL ? -1 : 0;
    switch (option) {
    case NN_REQ_RESEND_IVL:
        return &self->requests.resend_ivl_ms;
    case NN_REQ_MAX_IN_FLIGHT:
        return &self->requests.peers.max_in_flight;
    case NN_REQ_ATTEMPTS:
        return &self->terms.attempts;
    case NN_REQ_CONTEXT_ATTEMPTS:
        return &self->contexts.terms.attempts;
    case NN_REQ_CONTEXT_RESEND_IVL:
        return &self->contexts.terms.resend_ivl_ms;
    default:
        return NULL;
    }
}

/* Intervals count from the next sending on, be it the first or a later one of a request; those of contexts and
 * attempts for requests that are begun later; what a peer may have at once. */
static int req_set_option(struct nn_protocol_socket *base, int option, const void *value, size_t size)
{
    struct req *self = req_of(base);
    int lowest;
    int *place = req_option_of(self, option, &lowest);

    if (place == NULL)
        return -ENOPROTOOPT;
    int rc = sp_int_option_set(place, lowest, value, size);
    if (rc == 0 && option == NN_REQ_MAX_IN_FLIGHT)
        sp_requests_set_max_in_flight(&self->requests, *place);
    return rc;
}

static int req_get_option(struct nn_protocol_socket *base, int option, void *value, size_t *size)
{
    int lowest;
    const int *place = req_option_of(req_of(base), option, &lowest);

    return place != NULL ? sp_int_option_get(*place, value, size) : -ENOPROTOOPT;
}

static void req_close(struct nn_protocol_socket *base)
{
    struct req *self = req_of(base);

    req_cancel(self);
    sp_request_contexts_destroy(&self->contexts);
    sp_requests_destroy(&self->requests);
}

/* ---- Contexts ---- */

static int req_context_send(struct nn_protocol_socket *base, struct nn_message *message, uint32_t number)
{
    return sp_request_contexts_begin(&req_of(base)->contexts, message, number);
}

/* That the request outside of contexts has failed, receiving outside of them says. */
static int req_context_receive(struct nn_protocol_socket *base, struct nn_message *message, uint32_t *number)
{
    int rc = sp_request_contexts_receive(&req_of(base)->contexts, message, number);

    if (rc != -EAGAIN || req_of(base)->state == REQ_FAILED)
        return rc;
    *number = 0;
    rc = req_receive(base, message);
    return rc == -EFSM ? -EAGAIN : rc;
}

static void req_context_close(struct nn_protocol_socket *base, uint32_t number)
{
    sp_request_contexts_close(&req_of(base)->contexts, number);
}

static int64_t req_context_sent(struct nn_protocol_socket *base, uint32_t number)
{
    const struct req *self = req_of(base);

    if (number != 0)
        return sp_request_contexts_sent(&self->contexts, number);
    return self->state == REQ_ASKING ? (int64_t)self->request.transmissions : -EINVAL;
}

static uint64_t req_statistic(struct nn_protocol_socket *base, int statistic)
{
    const struct sp_requests *requests = &req_of(base)->requests;

    return statistic == NN_STAT_RESENDS ? requests->resends : requests->by_id.item_count;
}

const struct nn_protocol sp_req_protocol = {
    .version = NN_PROTOCOL_VERSION,
    .name = "req",
    .domain = AF_SP,
    .id = NN_REQ,
    .peer_id = NN_REP,
    .flags = NN_PROTOCOL_SENDS | NN_PROTOCOL_RECEIVES,
    .socket_bytes = sizeof(struct req),
    .pipe_bytes = sizeof(struct sp_requests_pipe),
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
    .context_send = req_context_send,
    .context_receive = req_context_receive,
    .context_close = req_context_close,
    .context_sent = req_context_sent,
    .statistic = req_statistic,
};
