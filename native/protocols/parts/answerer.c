/* The answering side of request/reply and of surveys. */
#include "protocols/parts/answerer.h"

#include "util/bytes.h"

#include <errno.h>
#include <string.h>

static struct sp_answerer *answerer_of(struct nn_protocol_socket *base)
{
    return NN_CONTAINER(base, struct sp_answerer, base);
}

static struct sp_answerer_cooked *answerer_cooked_of(struct nn_protocol_socket *base)
{
    return NN_CONTAINER(base, struct sp_answerer_cooked, raw.base);
}

/* ---- Pipes ---- */

/* A stack without a bottom, or of more words than NN_MAXTTL, costs the message, not the connection. */
static bool answerer_accept(struct sp_inbox *inbox, struct nn_message *message, struct nn_pipe *from)
{
    struct sp_answerer *self = NN_CONTAINER(inbox, struct sp_answerer, inbox);

    return sp_backtrace_unstack(message, nn_pipe_id(from), nn_protocol_max_ttl(&self->base)) == 0;
}

int sp_answerer_open(struct nn_protocol_socket *base)
{
    struct sp_answerer *self = answerer_of(base);

    sp_inbox_init(&self->inbox, answerer_accept);
    sp_pipe_map_init(&self->pipes);
    return 0;
}

void sp_answerer_close(struct nn_protocol_socket *base)
{
    struct sp_answerer *self = answerer_of(base);

    sp_inbox_forget(&self->inbox);
    sp_pipe_map_destroy(&self->pipes);
}

int sp_answerer_pipe_added(struct nn_protocol_socket *base, struct nn_pipe *pipe)
{
    struct sp_answerer_pipe *data = nn_pipe_data(pipe);

    sp_fair_queue_add(&data->receiving, pipe);
    sp_pipe_map_add(&answerer_of(base)->pipes, &data->place, pipe);
    return 0;
}

void sp_answerer_pipe_removed(struct nn_protocol_socket *base, struct nn_pipe *pipe)
{
    struct sp_answerer *self = answerer_of(base);
    struct sp_answerer_pipe *data = nn_pipe_data(pipe);

    sp_fair_queue_remove(&self->inbox.pipes, &data->receiving);
    sp_pipe_map_remove(&self->pipes, &data->place);
}

void sp_answerer_pipe_readable(struct nn_protocol_socket *base, struct nn_pipe *pipe)
{
    struct sp_answerer_pipe *data = nn_pipe_data(pipe);

    sp_fair_queue_readable(&answerer_of(base)->inbox.pipes, &data->receiving);
}

/* An answer asks its pipe when it is there. */
void sp_answerer_pipe_writable(struct nn_protocol_socket *base, struct nn_pipe *pipe)
{
    (void)base;
    (void)pipe;
}

/* Takes the message. */
static void answerer_pass(struct sp_answerer *self, uint32_t pipe_id, struct nn_message *message)
{
    struct nn_pipe *pipe = sp_pipe_map_find(&self->pipes, pipe_id);

    if (pipe == NULL || nn_pipe_send(pipe, message) < 0)
        nn_message_free(message);
}

/* ---- Raw ---- */

int sp_answerer_receive(struct nn_protocol_socket *base, struct nn_message *message)
{
    return sp_inbox_receive(&answerer_of(base)->inbox, message);
}

int sp_answerer_send(struct nn_protocol_socket *base, struct nn_message *message)
{
    if (message->header_bytes < SP_BACKTRACE_WORD_BYTES) {
        nn_message_free(message);
        return 0;
    }
    uint32_t pipe_id = sp_get_u32(nn_message_header(message));
    nn_message_header_trim(message, SP_BACKTRACE_WORD_BYTES);
    answerer_pass(answerer_of(base), pipe_id, message);
    return 0;
}

int sp_answerer_events(struct nn_protocol_socket *base)
{
    return NN_POLLOUT | (sp_inbox_can_receive(&answerer_of(base)->inbox) ? NN_POLLIN : 0);
}

/* ---- Cooked ---- */

/* Whoever receives gives up what was received before, also when nothing new is there: programs rely on
 * the send that follows being refused. */
int sp_answerer_cooked_receive(struct nn_protocol_socket *base, struct nn_message *message)
{
    struct sp_answerer_cooked *self = answerer_cooked_of(base);

    self->is_asked = false;
    int rc = sp_inbox_receive(&self->raw.inbox, message);
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

int sp_answerer_cooked_send(struct nn_protocol_socket *base, struct nn_message *message)
{
    struct sp_answerer_cooked *self = answerer_cooked_of(base);

    if (!self->is_asked)
        return -EFSM;
    if (message->header_bytes > 0)
        return -EINVAL;
    int rc = nn_message_header_append(message, self->backtrace, self->backtrace_bytes);
    if (rc < 0)
        return rc;

    self->is_asked = false;
    answerer_pass(&self->raw, self->asked_by, message);
    return 0;
}

int sp_answerer_cooked_events(struct nn_protocol_socket *base)
{
    struct sp_answerer_cooked *self = answerer_cooked_of(base);

    return (sp_inbox_can_receive(&self->raw.inbox) ? NN_POLLIN : 0) | (self->is_asked ? NN_POLLOUT : 0);
}
