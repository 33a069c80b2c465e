/* What protocols see of the engine (nanomsg/protocol.h): their pipes, the socket's timer, clock and random numbers. */
#include "core/pipe.h"
#include "core/socket_state.h"
#include "message/message.h"
#include "util/random.h"

#include <errno.h>

void *nn_pipe_data(struct nn_pipe *self)
{
    return self->data;
}

struct nn_pipe *nn_pipe_of_data(void *data)
{
    return SP_CONTAINER(data, struct nn_pipe, data);
}

uint32_t nn_pipe_id(const struct nn_pipe *self)
{
    return self->id;
}

int nn_pipe_send_priority(const struct nn_pipe *self)
{
    return self->send_priority;
}

int nn_pipe_receive_priority(const struct nn_pipe *self)
{
    return self->receive_priority;
}

bool nn_pipe_can_send(const struct nn_pipe *self)
{
    return self->can_send;
}

bool nn_pipe_can_receive(const struct nn_pipe *self)
{
    return self->can_receive;
}

int nn_pipe_send(struct nn_pipe *self, struct nn_message *message)
{
    if (!self->can_send)
        return -EAGAIN;
    /* Counted before: the call is the last thing done here, which saves a dozen instructions for each message. What the
     * transport refuses, it counts back. */
    self->counts.messages_sent++;
    self->counts.bytes_sent += sp_message_bytes(message);
    return self->ops->send(self, message);
}

bool nn_pipe_has_quantum_left(const struct nn_pipe *self)
{
    const struct sp_batch_quantum *quantum = &self->socket->batch_quantum;

    return quantum->limit_messages > 0 && self->can_receive &&
           sp_batch_quantum_is_left(quantum, self->id, self->counts.messages_received, self->counts.bytes_received);
}

int nn_pipe_receive(struct nn_pipe *self, struct nn_message *message)
{
    if (!self->can_receive) {
        nn_message_init(message);
        return -EAGAIN;
    }
    int rc = self->ops->receive(self, message);
    message->pipe = rc == 0 ? self->id : 0;
    if (rc < 0)
        return rc;
    sp_batch_quantum_use(&self->socket->batch_quantum, self->id, self->counts.messages_received,
                         self->counts.bytes_received);
    self->counts.messages_received++;
    self->counts.bytes_received += message->body_bytes;
    return 0;
}

void nn_pipe_reject(struct nn_pipe *self)
{
    if (!self->is_removed)
        sp_pipe_break(self, -EPROTO);
}

void nn_pipe_count_dropped(struct nn_pipe *self, const struct nn_message *message)
{
    sp_pipe_count_dropped(self, sp_message_bytes(message));
}

void nn_protocol_count_dropped(struct nn_protocol_socket *self, const struct nn_message *message)
{
    self->socket->statistics.messages_dropped++;
    self->socket->statistics.bytes_dropped += sp_message_bytes(message);
}

void nn_protocol_timer_start(struct nn_protocol_socket *self, int delay_ms)
{
    sp_timer_start(&self->socket->protocol_timer, sp_deadline_after_ms(delay_ms));
}

void nn_protocol_timer_stop(struct nn_protocol_socket *self)
{
    sp_timer_stop(&self->socket->protocol_timer);
}

int nn_protocol_max_ttl(const struct nn_protocol_socket *self)
{
    return self->socket->options.max_ttl;
}

uint64_t nn_protocol_now_ms(void)
{
    return sp_now_ns() / SP_NS_PER_MS;
}

uint32_t nn_protocol_random(void)
{
    return sp_random_unpredictable_u32();
}
