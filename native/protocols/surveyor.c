/* SURVEYOR: asks all respondents that can take the survey, and receives answers until the deadline. Then
 * receiving fails once with ETIMEDOUT and from there on with EFSM. A new survey ends the one before; surveys in
 * contexts go on side by side, until their user ends them. The raw socket only distributes and passes what comes
 * back, with the first word as header. */
#include "protocols/parts/backtrace.h"
#include "protocols/parts/deadline.h"
#include "protocols/parts/distributor.h"
#include "protocols/parts/filtered_queue.h"
#include "protocols/parts/int_option.h"
#include "protocols/parts/survey_contexts.h"

#include <nanomsg/protocol.h>
#include <nanomsg/survey.h>

#include <errno.h>

#define SURVEYOR_DEFAULT_DEADLINE_MS 1000

/* ---- Common to cooked and raw ---- */

struct surveyor {
    struct nn_protocol_socket base;
    struct sp_distributor receivers;
    struct sp_filtered_queue received;
};

struct surveyor_pipe {
    struct sp_distributor_slot sending;
    struct sp_priority_slot receiving;
};

static struct surveyor *surveyor_of(struct nn_protocol_socket *base)
{
    return NN_CONTAINER(base, struct surveyor, base);
}

static void surveyor_close(struct nn_protocol_socket *base)
{
    sp_filtered_queue_forget(&surveyor_of(base)->received);
}

static int surveyor_pipe_added(struct nn_protocol_socket *base, struct nn_pipe *pipe)
{
    struct surveyor_pipe *data = nn_pipe_data(pipe);

    sp_distributor_add(&surveyor_of(base)->receivers, &data->sending, pipe);
    sp_fair_queue_add(&data->receiving, pipe);
    return 0;
}

static void surveyor_pipe_removed(struct nn_protocol_socket *base, struct nn_pipe *pipe)
{
    struct surveyor_pipe *data = nn_pipe_data(pipe);

    sp_distributor_remove(&data->sending);
    sp_fair_queue_remove(&surveyor_of(base)->received.pipes, &data->receiving);
}

static void surveyor_pipe_readable(struct nn_protocol_socket *base, struct nn_pipe *pipe)
{
    struct surveyor_pipe *data = nn_pipe_data(pipe);

    sp_fair_queue_readable(&surveyor_of(base)->received.pipes, &data->receiving);
}

static void surveyor_pipe_writable(struct nn_protocol_socket *base, struct nn_pipe *pipe)
{
    struct surveyor_pipe *data = nn_pipe_data(pipe);

    sp_distributor_writable(&surveyor_of(base)->receivers, &data->sending);
}

/* The pipe gets nothing any more, and misses nothing. */
static void surveyor_pipe_sending_ended(struct nn_protocol_socket *base, struct nn_pipe *pipe)
{
    struct surveyor_pipe *data = nn_pipe_data(pipe);

    (void)base;
    sp_distributor_remove(&data->sending);
}

/* ---- Cooked ---- */

enum surveyor_state {
    SURVEYOR_IDLE,
    SURVEYOR_ASKING,
    SURVEYOR_EXPIRED /* the deadline has passed and was not reported yet */
};

struct surveyor_cooked {
    struct surveyor raw;
    enum surveyor_state state;
    uint32_t id; /* of the latest survey */
    struct sp_deadline deadline;
    int deadline_ms;
    struct sp_survey_contexts contexts;
};

static struct surveyor_cooked *surveyor_cooked_of(struct nn_protocol_socket *base)
{
    return NN_CONTAINER(base, struct surveyor_cooked, raw.base);
}

/* An answer counts when it is one to the latest survey, or to one in a context. */
static bool surveyor_wants(const struct surveyor_cooked *self, const struct nn_message *answer)
{
    return (self->state == SURVEYOR_ASKING && sp_backtrace_is_id(answer, self->id)) ||
           sp_survey_contexts_of(&self->contexts, answer) != 0;
}

static bool surveyor_is_asking(const struct surveyor_cooked *self)
{
    return self->state == SURVEYOR_ASKING || !sp_survey_contexts_is_empty(&self->contexts);
}

static bool surveyor_cooked_accept(struct sp_filtered_queue *received, struct nn_message *message, struct nn_pipe *from)
{
    const struct surveyor_cooked *self = NN_CONTAINER(received, struct surveyor_cooked, raw.received);

    return sp_filtered_queue_count(sp_backtrace_unstack_id(message) == 0 && surveyor_wants(self, message), message,
                                   from);
}

/* Drops what has come too late: it must not stand in the way of the next answers. */
static void surveyor_drop_late(struct surveyor_cooked *self)
{
    struct sp_filtered_queue *received = &self->raw.received;

    if (!surveyor_is_asking(self))
        sp_filtered_queue_clear(received, &self->raw.base);
    else if (received->has_ahead && !surveyor_wants(self, &received->ahead)) {
        nn_protocol_count_dropped(&self->raw.base, &received->ahead);
        sp_filtered_queue_forget(received);
    }
}

static int surveyor_cooked_open(struct nn_protocol_socket *base)
{
    struct surveyor_cooked *self = surveyor_cooked_of(base);

    sp_distributor_init(&self->raw.receivers);
    sp_filtered_queue_init(&self->raw.received, surveyor_cooked_accept);
    self->deadline_ms = SURVEYOR_DEFAULT_DEADLINE_MS;
    sp_survey_contexts_init(&self->contexts);
    return 0;
}

/* Random, so that only peers that were asked can answer; never that of the latest survey, whose answers are late. */
static uint32_t surveyor_draw_id(const struct surveyor_cooked *self)
{
    uint32_t id;

    do {
        id = nn_protocol_random() | SP_BACKTRACE_BOTTOM;
    } while (id == self->id || sp_survey_contexts_is_used(&self->contexts, id));
    return id;
}

/* Sends the survey to all peers. */
static int surveyor_ask(struct surveyor_cooked *self, struct nn_message *message, uint32_t id)
{
    int rc = sp_backtrace_push_id(message, id);

    if (rc == 0 && (rc = sp_distributor_send(&self->raw.receivers, message, 0)) < 0)
        nn_message_header_clear(message);
    return rc;
}

static int surveyor_cooked_send(struct nn_protocol_socket *base, struct nn_message *message)
{
    struct surveyor_cooked *self = surveyor_cooked_of(base);
    uint32_t id = surveyor_draw_id(self);

    int rc = surveyor_ask(self, message, id);
    if (rc < 0)
        return rc;
    self->id = id;
    self->state = SURVEYOR_ASKING;
    surveyor_drop_late(self);
    sp_deadline_set(&self->deadline, base, self->deadline_ms);
    return 0;
}

static void surveyor_cooked_pipe_readable(struct nn_protocol_socket *base, struct nn_pipe *pipe)
{
    surveyor_pipe_readable(base, pipe);
    surveyor_drop_late(surveyor_cooked_of(base));
}

/* Answers that were not received by the deadline are lost. */
static void surveyor_cooked_timer(struct nn_protocol_socket *base)
{
    struct surveyor_cooked *self = surveyor_cooked_of(base);

    if (!sp_deadline_expired(&self->deadline, base))
        return;
    self->state = SURVEYOR_EXPIRED;
    surveyor_drop_late(self);
}

static int surveyor_cooked_receive(struct nn_protocol_socket *base, struct nn_message *message)
{
    struct surveyor_cooked *self = surveyor_cooked_of(base);

    if (self->state == SURVEYOR_IDLE)
        return -EFSM;
    if (self->state == SURVEYOR_EXPIRED) {
        self->state = SURVEYOR_IDLE;
        return -ETIMEDOUT;
    }
    if (!sp_filtered_queue_can_receive(&self->raw.received) ||
        sp_survey_contexts_of(&self->contexts, &self->raw.received.ahead) != 0)
        return -EAGAIN; /* an answer in a context is for context_receive */
    int rc = sp_filtered_queue_receive(&self->raw.received, message);
    if (rc == 0)
        nn_message_header_clear(message);
    return rc;
}

/* Readable also when receiving fails at once, with EFSM or ETIMEDOUT: a waiting call must return. */
static int surveyor_cooked_events(struct nn_protocol_socket *base)
{
    struct surveyor_cooked *self = surveyor_cooked_of(base);

    if (self->state != SURVEYOR_EXPIRED && surveyor_is_asking(self) &&
        !sp_filtered_queue_can_receive(&self->raw.received))
        return NN_POLLOUT;
    return NN_POLLOUT | NN_POLLIN;
}

/* Counts from the next survey on. */
static int surveyor_cooked_set_option(struct nn_protocol_socket *base, int option, const void *value, size_t size)
{
    if (option != NN_SURVEYOR_DEADLINE)
        return -ENOPROTOOPT;
    return sp_int_option_set(&surveyor_cooked_of(base)->deadline_ms, 0, value, size);
}

static int surveyor_cooked_get_option(struct nn_protocol_socket *base, int option, void *value, size_t *size)
{
    if (option != NN_SURVEYOR_DEADLINE)
        return -ENOPROTOOPT;
    return sp_int_option_get(surveyor_cooked_of(base)->deadline_ms, value, size);
}

static void surveyor_cooked_close(struct nn_protocol_socket *base)
{
    surveyor_close(base);
    sp_survey_contexts_destroy(&surveyor_cooked_of(base)->contexts);
}

/* ---- Contexts ---- */

static int surveyor_context_send(struct nn_protocol_socket *base, struct nn_message *message, uint32_t number)
{
    struct surveyor_cooked *self = surveyor_cooked_of(base);
    uint32_t id = surveyor_draw_id(self);

    int rc = sp_survey_contexts_begin(&self->contexts, number, id);
    if (rc == 0 && (rc = surveyor_ask(self, message, id)) < 0)
        sp_survey_contexts_close(&self->contexts, number);
    return rc;
}

static int surveyor_context_receive(struct nn_protocol_socket *base, struct nn_message *message, uint32_t *number)
{
    struct surveyor_cooked *self = surveyor_cooked_of(base);

    int rc = sp_filtered_queue_receive(&self->raw.received, message);
    if (rc < 0)
        return rc;
    *number = sp_survey_contexts_of(&self->contexts, message);
    nn_message_header_clear(message);
    return 0;
}

static void surveyor_context_close(struct nn_protocol_socket *base, uint32_t number)
{
    struct surveyor_cooked *self = surveyor_cooked_of(base);

    sp_survey_contexts_close(&self->contexts, number);
    surveyor_drop_late(self);
}

/* ---- Raw ---- */

/* An answer's first word is the header, whatever it says. */
static bool surveyor_raw_accept(struct sp_filtered_queue *received, struct nn_message *message, struct nn_pipe *from)
{
    (void)received;
    return sp_filtered_queue_count(sp_backtrace_unstack_id(message) == 0, message, from);
}

static int surveyor_raw_open(struct nn_protocol_socket *base)
{
    struct surveyor *self = surveyor_of(base);

    sp_distributor_init(&self->receivers);
    sp_filtered_queue_init(&self->received, surveyor_raw_accept);
    return 0;
}

static int surveyor_raw_send(struct nn_protocol_socket *base, struct nn_message *message)
{
    return sp_distributor_send(&surveyor_of(base)->receivers, message, 0);
}

static int surveyor_raw_receive(struct nn_protocol_socket *base, struct nn_message *message)
{
    return sp_filtered_queue_receive(&surveyor_of(base)->received, message);
}

static int surveyor_raw_events(struct nn_protocol_socket *base)
{
    return NN_POLLOUT | (sp_filtered_queue_can_receive(&surveyor_of(base)->received) ? NN_POLLIN : 0);
}

/* ---- Tables ---- */

const struct nn_protocol sp_surveyor_protocol = {
    .version = NN_PROTOCOL_VERSION,
    .name = "surveyor",
    .domain = AF_SP,
    .id = NN_SURVEYOR,
    .peer_id = NN_RESPONDENT,
    .flags = NN_PROTOCOL_SENDS | NN_PROTOCOL_RECEIVES | NN_PROTOCOL_BUFFERS,
    .socket_bytes = sizeof(struct surveyor_cooked),
    .pipe_bytes = sizeof(struct surveyor_pipe),
    .open = surveyor_cooked_open,
    .close = surveyor_cooked_close,
    .pipe_added = surveyor_pipe_added,
    .pipe_removed = surveyor_pipe_removed,
    .pipe_readable = surveyor_cooked_pipe_readable,
    .pipe_writable = surveyor_pipe_writable,
    .pipe_sending_ended = surveyor_pipe_sending_ended,
    .send = surveyor_cooked_send,
    .receive = surveyor_cooked_receive,
    .events = surveyor_cooked_events,
    .timer = surveyor_cooked_timer,
    .set_option = surveyor_cooked_set_option,
    .get_option = surveyor_cooked_get_option,
    .context_send = surveyor_context_send,
    .context_receive = surveyor_context_receive,
    .context_close = surveyor_context_close,
};

const struct nn_protocol sp_surveyor_raw_protocol = {
    .version = NN_PROTOCOL_VERSION,
    .name = "surveyor",
    .domain = AF_SP_RAW,
    .id = NN_SURVEYOR,
    .peer_id = NN_RESPONDENT,
    .flags = NN_PROTOCOL_SENDS | NN_PROTOCOL_RECEIVES | NN_PROTOCOL_BUFFERS,
    .socket_bytes = sizeof(struct surveyor),
    .pipe_bytes = sizeof(struct surveyor_pipe),
    .open = surveyor_raw_open,
    .close = surveyor_close,
    .pipe_added = surveyor_pipe_added,
    .pipe_removed = surveyor_pipe_removed,
    .pipe_readable = surveyor_pipe_readable,
    .pipe_writable = surveyor_pipe_writable,
    .pipe_sending_ended = surveyor_pipe_sending_ended,
    .send = surveyor_raw_send,
    .receive = surveyor_raw_receive,
    .events = surveyor_raw_events,
};
