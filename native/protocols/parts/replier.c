/* The answering side of request/reply and of surveys. */
#include "protocols/parts/replier.h"

#include "util/bytes.h"
#include "util/list.h"
#include "util/memory.h"

#include <errno.h>
#include <string.h>

static struct sp_replier *replier_of(struct nn_protocol_socket *base)
{
    return NN_CONTAINER(base, struct sp_replier, base);
}

static struct sp_replier_cooked *replier_cooked_of(struct nn_protocol_socket *base)
{
    return NN_CONTAINER(base, struct sp_replier_cooked, raw.base);
}

/* ---- Pipes ---- */

/* A stack without a bottom, or of more words than NN_MAXTTL, costs the message, not the connection. */
static bool replier_accept(struct sp_filtered_queue *received, struct nn_message *message, struct nn_pipe *from)
{
    struct sp_replier *self = NN_CONTAINER(received, struct sp_replier, received);

    return sp_filtered_queue_count(
        sp_backtrace_unstack(message, nn_pipe_id(from), nn_protocol_max_ttl(&self->base)) == 0, message, from);
}

int sp_replier_open(struct nn_protocol_socket *base)
{
    struct sp_replier *self = replier_of(base);

    sp_filtered_queue_init(&self->received, replier_accept);
    sp_id_map_init(&self->pipes);
    return 0;
}

void sp_replier_close(struct nn_protocol_socket *base)
{
    struct sp_replier *self = replier_of(base);

    sp_filtered_queue_forget(&self->received);
    sp_id_map_destroy(&self->pipes);
}

int sp_replier_pipe_added(struct nn_protocol_socket *base, struct nn_pipe *pipe)
{
    struct sp_replier_pipe *data = nn_pipe_data(pipe);

    sp_fair_queue_add(&data->receiving, pipe);
    sp_list_init(&data->waiting);
    sp_id_map_add(&replier_of(base)->pipes, &data->place, nn_pipe_id(pipe));
    return 0;
}

/* An answer that waits for its peer. */
struct answer {
    struct sp_list_item item;
    struct nn_message message;
};

static void answer_free(struct answer *answer)
{
    nn_message_free(&answer->message);
    sp_free(answer);
}

static void drop_waiting(struct nn_pipe *pipe)
{
    struct sp_replier_pipe *data = nn_pipe_data(pipe);
    struct sp_list_item *item;

    while ((item = sp_list_pop(&data->waiting)) != NULL) {
        struct answer *answer = SP_CONTAINER(item, struct answer, item);
        nn_pipe_count_dropped(pipe, &answer->message);
        answer_free(answer);
    }
}

void sp_replier_pipe_removed(struct nn_protocol_socket *base, struct nn_pipe *pipe)
{
    struct sp_replier *self = replier_of(base);
    struct sp_replier_pipe *data = nn_pipe_data(pipe);

    sp_fair_queue_remove(&self->received.pipes, &data->receiving);
    sp_id_map_remove(&self->pipes, &data->place);
    drop_waiting(pipe);
}

/* No peer waits for the answers any more. What else was asked is still received. */
void sp_replier_pipe_sending_ended(struct nn_protocol_socket *base, struct nn_pipe *pipe)
{
    struct sp_replier_pipe *data = nn_pipe_data(pipe);

    data->is_send_closed = true;
    drop_waiting(pipe);
    if (nn_pipe_can_receive(pipe))
        sp_fair_queue_readable(&replier_of(base)->received.pipes, &data->receiving);
}

void sp_replier_pipe_readable(struct nn_protocol_socket *base, struct nn_pipe *pipe)
{
    struct sp_replier_pipe *data = nn_pipe_data(pipe);

    if (sp_list_is_empty(&data->waiting))
        sp_fair_queue_readable(&replier_of(base)->received.pipes, &data->receiving);
}

/* Answers in no context ask their pipe when they are there. */
void sp_replier_pipe_writable(struct nn_protocol_socket *base, struct nn_pipe *pipe)
{
    struct sp_replier_pipe *data = nn_pipe_data(pipe);
    struct sp_list_item *item;

    if (sp_list_is_empty(&data->waiting))
        return;
    while ((item = sp_list_first(&data->waiting)) != NULL) {
        struct answer *answer = SP_CONTAINER(item, struct answer, item);
        int rc = nn_pipe_send(pipe, &answer->message);
        if (rc == -EAGAIN)
            return;
        if (rc == 0)
            nn_message_init(&answer->message);
        else
            nn_pipe_count_dropped(pipe, &answer->message);
        sp_list_remove(item);
        answer_free(answer);
    }
    if (nn_pipe_can_receive(pipe))
        sp_fair_queue_readable(&replier_of(base)->received.pipes, &data->receiving);
}

static struct nn_pipe *replier_find(const struct sp_replier *self, uint32_t pipe_id)
{
    struct sp_id_map_item *place = sp_id_map_find(&self->pipes, pipe_id);

    return place != NULL ? nn_pipe_of_data(SP_CONTAINER(place, struct sp_replier_pipe, place)) : NULL;
}

/* pipe: NULL: the peer is gone. */
static void replier_drop(struct sp_replier *self, struct nn_pipe *pipe, struct nn_message *message)
{
    if (pipe != NULL)
        nn_pipe_count_dropped(pipe, message);
    else
        nn_protocol_count_dropped(&self->base, message);
    nn_message_free(message);
}

/* Takes the message, also where no peer does; or returns -ENOMEM. */
static int replier_pass(struct sp_replier *self, uint32_t pipe_id, struct nn_message *message)
{
    struct nn_pipe *pipe = replier_find(self, pipe_id);
    int rc = pipe != NULL ? nn_pipe_send(pipe, message) : -EAGAIN;

    if (rc != -EAGAIN)
        return rc;
    replier_drop(self, pipe, message);
    if (pipe != NULL)
        nn_pipe_set_slow(pipe);
    return 0;
}

/* ---- Raw ---- */

int sp_replier_receive(struct nn_protocol_socket *base, struct nn_message *message)
{
    return sp_filtered_queue_receive(&replier_of(base)->received, message);
}

int sp_replier_send(struct nn_protocol_socket *base, struct nn_message *message)
{
    if (message->header_bytes < SP_BACKTRACE_WORD_BYTES) {
        replier_drop(replier_of(base), NULL, message);
        return 0;
    }
    uint32_t pipe_id = sp_get_u32(nn_message_header(message));
    nn_message_header_trim(message, SP_BACKTRACE_WORD_BYTES);
    return replier_pass(replier_of(base), pipe_id, message);
}

int sp_replier_events(struct nn_protocol_socket *base)
{
    return NN_POLLOUT | (sp_filtered_queue_can_receive(&replier_of(base)->received) ? NN_POLLIN : 0);
}

/* ---- Cooked ---- */

int sp_replier_cooked_open(struct nn_protocol_socket *base)
{
    sp_id_map_init(&replier_cooked_of(base)->contexts);
    return sp_replier_open(base);
}

/* Receiving gives up the request that was received before, also when there is no new one: programs rely on the send
 * that follows being refused. */
int sp_replier_cooked_receive(struct nn_protocol_socket *base, struct nn_message *message)
{
    struct sp_replier_cooked *self = replier_cooked_of(base);

    self->is_asked = false;
    int rc = sp_filtered_queue_receive(&self->raw.received, message);
    if (rc < 0)
        return rc;

    const uint8_t *header = nn_message_header(message);
    self->asked_by = sp_get_u32(header);
    self->backtrace_bytes = message->header_bytes - SP_BACKTRACE_WORD_BYTES;
    memcpy(self->backtrace, header + SP_BACKTRACE_WORD_BYTES, self->backtrace_bytes);
    self->is_asked = true;
    nn_message_header_clear(message);
    return 0;
}

int sp_replier_cooked_send(struct nn_protocol_socket *base, struct nn_message *message)
{
    struct sp_replier_cooked *self = replier_cooked_of(base);

    if (!self->is_asked)
        return -EFSM;
    if (message->header_bytes > 0)
        return -EINVAL;
    int rc = nn_message_header_append(message, self->backtrace, self->backtrace_bytes);
    if (rc == 0)
        rc = replier_pass(&self->raw, self->asked_by, message);
    if (rc == 0)
        self->is_asked = false;
    return rc;
}

int sp_replier_cooked_events(struct nn_protocol_socket *base)
{
    struct sp_replier_cooked *self = replier_cooked_of(base);

    return (sp_filtered_queue_can_receive(&self->raw.received) ? NN_POLLIN : 0) | (self->is_asked ? NN_POLLOUT : 0);
}

/* ---- Contexts ---- */

/* The requester, until the reply. */
struct replier_context {
    struct sp_id_map_item by_number;
    struct nn_message header; /* has no body */
};

static void replier_context_end(struct sp_id_map_item *item, void *unused)
{
    struct replier_context *context = SP_CONTAINER(item, struct replier_context, by_number);

    (void)unused;
    nn_message_free(&context->header);
    sp_free(context);
}

void sp_replier_cooked_close(struct nn_protocol_socket *base)
{
    struct sp_replier_cooked *self = replier_cooked_of(base);

    sp_id_map_drain(&self->contexts, replier_context_end, NULL);
    sp_id_map_destroy(&self->contexts);
    sp_replier_close(base);
}

static struct replier_context *replier_begin(struct sp_replier_cooked *self)
{
    struct replier_context *context = sp_zalloc(sizeof *context);

    if (context == NULL)
        return NULL;
    nn_message_init(&context->header);
    do {
        self->last_context = self->last_context % INT32_MAX + 1;
    } while (sp_id_map_find(&self->contexts, self->last_context) != NULL);
    sp_id_map_add(&self->contexts, &context->by_number, self->last_context);
    return context;
}

/* A request that there is no memory to answer is dropped: the requester sends it again. */
int sp_replier_context_receive(struct nn_protocol_socket *base, struct nn_message *message, uint32_t *number)
{
    struct sp_replier_cooked *self = replier_cooked_of(base);
    int rc = sp_filtered_queue_receive(&self->raw.received, message);

    if (rc < 0)
        return rc;
    struct replier_context *context = replier_begin(self);
    if (context == NULL) {
        replier_drop(&self->raw, NULL, message);
        return -ENOMEM;
    }
    *number = context->by_number.id;
    nn_message_header_move(&context->header, message);
    return 0;
}

/* Keeps an answer that the peer does not take yet, and takes no more questions from that peer. */
static int replier_wait(struct sp_replier *self, struct nn_pipe *pipe, struct nn_message *message)
{
    struct sp_replier_pipe *data = nn_pipe_data(pipe);
    struct answer *answer = sp_zalloc(sizeof *answer);

    if (answer == NULL || nn_message_own(message) < 0) {
        sp_free(answer);
        return -ENOMEM;
    }
    answer->message = *message;
    sp_list_append(&data->waiting, &answer->item);
    sp_fair_queue_remove(&self->received.pipes, &data->receiving);
    nn_pipe_set_slow(pipe);
    return 0;
}

/* Unlike others, an answer in a context is not dropped when its peer is slow: the user
 * limits how many requests are in work. The requester may be gone. */
static int replier_pass_or_wait(struct sp_replier *self, uint32_t pipe_id, struct nn_message *message)
{
    struct nn_pipe *pipe = replier_find(self, pipe_id);

    const struct sp_replier_pipe *data = pipe != NULL ? nn_pipe_data(pipe) : NULL;
    if (data == NULL || data->is_send_closed) {
        replier_drop(self, pipe, message);
        return 0;
    }
    int rc = sp_list_is_empty(&data->waiting) ? nn_pipe_send(pipe, message) : -EAGAIN;
    return rc == -EAGAIN ? replier_wait(self, pipe, message) : rc;
}

int sp_replier_context_send(struct nn_protocol_socket *base, struct nn_message *message, uint32_t number)
{
    struct sp_replier_cooked *self = replier_cooked_of(base);
    struct sp_id_map_item *item = sp_id_map_find(&self->contexts, number);

    if (item == NULL)
        return -EFSM;
    if (message->header_bytes > 0)
        return -EINVAL;
    nn_message_header_move(message, &SP_CONTAINER(item, struct replier_context, by_number)->header);
    sp_replier_context_close(base, number);
    uint32_t pipe_id = sp_get_u32(nn_message_header(message));
    nn_message_header_trim(message, SP_BACKTRACE_WORD_BYTES);
    return replier_pass_or_wait(&self->raw, pipe_id, message);
}

void sp_replier_context_close(struct nn_protocol_socket *base, uint32_t number)
{
    struct sp_replier_cooked *self = replier_cooked_of(base);
    struct sp_id_map_item *item = sp_id_map_find(&self->contexts, number);

    if (item == NULL)
        return;
    sp_id_map_remove(&self->contexts, item);
    replier_context_end(item, NULL);
}
