/* Sending and receiving: one message with waiting, or batches without. */
#include "core/direct_poll.h"
#include "core/coalesce.h"
#include "core/socket.h"
#include "core/socket_settle.h"
#include "core/socket_state.h"
#include "message/chunk.h"

#include <errno.h>

/* Sleeps until one of `events` may have come true. Called and left under the lock. Returns 0 to try again, or
 * -EBADF, -ETIMEDOUT, -EINTR, -ENOMEM. */
static int socket_wait(struct sp_socket *self, int events, sp_time_ns deadline_ns)
{
    struct sp_wait wait = {.parker = sp_parker_self(), .events = events};
    struct sp_direct_poller poller = {.parker = wait.parker, .fd = -1};

    if (wait.parker == NULL)
        return -ENOMEM;
    sp_parker_reset(wait.parker);
    sp_list_append(&self->waits, &wait.item);
    sp_coalesce_before_wait(&self->coalescing, events);
    if (events & NN_POLLIN)
        sp_direct_poll_begin(self, &poller);
    sp_socket_unlock(self);

    int rc = poller.fd < 0 ? sp_parker_sleep(wait.parker, deadline_ns)
                           : sp_parker_sleep_beside(wait.parker, deadline_ns, poller.fd, &poller.is_ready);

    sp_socket_lock(self);
    sp_list_remove(&wait.item);
    if (poller.fd >= 0)
        sp_direct_poll_finish(self, &poller);
    return self->state != SP_SOCKET_OPEN ? -EBADF : rc;
}

static void count_sent(struct sp_socket *self, size_t bytes)
{
    self->statistics.messages_sent++;
    self->statistics.bytes_sent += bytes;
}

static void count_received(struct sp_socket *self, size_t bytes)
{
    self->statistics.messages_received++;
    self->statistics.bytes_received += bytes;
}

static int socket_try_context_send(struct sp_socket *self, struct nn_message *message, uint32_t context)
{
    if (self->state != SP_SOCKET_OPEN)
        return -EBADF;
    return self->protocol->context_send != NULL ? self->protocol->context_send(self->instance, message, context)
                                                : -ENOTSUP;
}

static int socket_try_send(struct sp_socket *self, struct nn_message *message)
{
    if (self->state != SP_SOCKET_OPEN)
        return -EBADF;
    /* What waits already goes first. */
    int rc = self->queue.count > 0 ? -EAGAIN : self->protocol->send(self->instance, message);
    self->is_refused = self->is_refused || rc < 0;
    return rc;
}

int sp_socket_send(struct sp_socket *self, struct nn_message *message, int flags)
{
    size_t bytes = message->body_bytes;
    sp_time_ns deadline_ns = 0;
    int rc;

    if (!(self->protocol->flags & NN_PROTOCOL_SENDS))
        return -ENOTSUP;

    sp_socket_lock(self);
    sp_coalesce_before_send(self, bytes);
    while ((rc = socket_try_send(self, message)) == -EAGAIN && !(flags & NN_DONTWAIT)) {
        if (deadline_ns == 0)
            deadline_ns = sp_deadline_after_ms(self->options.send_timeout_ms);
        if ((rc = socket_wait(self, NN_POLLOUT, deadline_ns)) < 0)
            break;
    }
    if (rc == 0)
        count_sent(self, bytes);
    sp_coalesce_after_send(self);
    sp_socket_unlock(self);
    return rc;
}

int sp_socket_receive(struct sp_socket *self, struct nn_message *message, int flags)
{
    sp_time_ns deadline_ns = 0;
    int rc;

    nn_message_init(message);
    if (!(self->protocol->flags & NN_PROTOCOL_RECEIVES))
        return -ENOTSUP;

    sp_socket_lock(self);
    while ((rc = self->state == SP_SOCKET_OPEN ? self->protocol->receive(self->instance, message) : -EBADF) ==
               -EAGAIN &&
           !(flags & NN_DONTWAIT)) {
        if (deadline_ns == 0)
            deadline_ns = sp_deadline_after_ms(self->options.receive_timeout_ms);
        if ((rc = socket_wait(self, NN_POLLIN, deadline_ns)) < 0)
            break;
    }
    if (rc == 0) {
        count_received(self, message->body_bytes);
        sp_coalesce_after_receive(&self->coalescing);
    } else if (rc == -EAGAIN) {
        sp_direct_poll_reattach(self);
    }
    sp_socket_unlock(self);
    return rc;
}

/* ---- Batches ---- */

static void message_to_received(struct nn_message *message, struct nn_received *to)
{
    nn_message_header_clear(message);
    sp_message_forget_peer(message);
    to->chunk = message->chunk;
    to->body = message->body;
    to->body_bytes = message->body_bytes;
    to->is_in_slab = message->chunk != NULL && message->chunk->is_in_slab;
    to->slab_token = to->is_in_slab ? message->chunk->slab_token : 0;
    to->slab_context = to->is_in_slab ? message->chunk->slab_context : NULL;
    to->context = 0;
    to->pipe = message->pipe;
    to->lost = 0;
}

/* Releases the lock. An event that the host's own receiving raises does not wake the host, which takes it on its next
 * round. */
static void socket_unlock_after_batch(struct sp_socket *self)
{
    self->is_taking = true;
    sp_socket_unlock(self);
}

int sp_socket_receive_batch(struct sp_socket *self, struct nn_received *received, int count)
{
    struct nn_message message;
    int taken = 0;
    int rc = 0;

    if (!(self->protocol->flags & NN_PROTOCOL_RECEIVES))
        return -ENOTSUP;

    sp_socket_lock(self);
    if (self->state != SP_SOCKET_OPEN)
        rc = -EBADF;
    self->batch_quantum.limit_messages = count > 1 ? SP_BATCH_QUANTUM_MESSAGES : 0;
    while (rc == 0 && taken < count && (rc = self->protocol->receive(self->instance, &message)) == 0) {
        count_received(self, message.body_bytes);
        message_to_received(&message, &received[taken++]);
    }
    self->batch_quantum.limit_messages = 0;
    socket_unlock_after_batch(self);
    return taken > 0 ? taken : rc;
}

int sp_socket_context_receive(struct sp_socket *self, struct nn_received *received, int count)
{
    struct nn_message message;
    uint32_t number;
    size_t bytes = 0;
    int taken = 0;
    int rc = 0;

    if (self->protocol->context_receive == NULL)
        return -ENOTSUP;

    sp_socket_lock(self);
    if (self->state != SP_SOCKET_OPEN)
        rc = -EBADF;
    self->batch_quantum.limit_messages = count > 1 ? SP_CONTEXT_QUANTUM_MESSAGES : 0;
    while (taken < count && bytes < SP_CONTEXT_BATCH_BYTES && (rc == 0 || rc == -ECONNRESET)) {
        rc = self->protocol->context_receive(self->instance, &message, &number);
        if (rc == 0)
            count_received(self, message.body_bytes);
        else if (rc != -ECONNRESET)
            break;
        bytes += message.body_bytes;
        message_to_received(&message, &received[taken]);
        if (rc == -ECONNRESET)
            received[taken].lost = message.pipe;
        received[taken++].context = number;
    }
    self->batch_quantum.limit_messages = 0;
    sp_socket_unlock(self);
    return taken > 0 ? taken : rc;
}

int sp_socket_context_close(struct sp_socket *self, uint32_t context)
{
    if (self->protocol->context_close == NULL)
        return -ENOTSUP;
    sp_socket_lock(self);
    if (self->state == SP_SOCKET_OPEN)
        self->protocol->context_close(self->instance, context);
    sp_socket_unlock(self);
    return 0;
}

int64_t sp_socket_context_sent(struct sp_socket *self, uint32_t context)
{
    const struct nn_protocol *protocol = self->protocol;

    if (protocol->version < 3 || protocol->context_sent == NULL)
        return -ENOTSUP;
    sp_socket_lock(self);
    int64_t count = self->state == SP_SOCKET_OPEN ? protocol->context_sent(self->instance, context) : -EBADF;
    sp_socket_unlock(self);
    return count;
}

static void outgoing_to_message(const struct nn_outgoing *from, struct nn_message *to)
{
    if (from->chunk != NULL)
        sp_message_view(to, from->chunk, from->body, from->body_bytes);
    else
        sp_message_borrow(to, from->body, from->body_bytes);
}

/* Queues a message that no peer takes now. Returns 0, -EAGAIN (no room) or -ENOMEM, with nothing changed. */
static int socket_queue(struct sp_socket *self, struct nn_message *message, size_t limit_bytes)
{
    if (self->queue.count > 0 && self->queue.bytes >= limit_bytes)
        return -EAGAIN;
    int rc = nn_message_own(message);
    return rc < 0 ? rc : sp_message_queue_push(&self->queue, message);
}

int sp_socket_send_batch(struct sp_socket *self, const struct nn_outgoing *messages, int count,
                         size_t queue_limit_bytes)
{
    struct nn_message message;
    int taken = 0;
    int rc = 0;

    if (!(self->protocol->flags & NN_PROTOCOL_SENDS))
        return -ENOTSUP;

    sp_socket_lock(self);
    self->is_corked = count > 1;
    while (taken < count) {
        outgoing_to_message(&messages[taken], &message);
        bool is_handed_over = message.chunk != NULL;
        uint32_t context = messages[taken].context;
        rc = context != 0 ? socket_try_context_send(self, &message, context) : socket_try_send(self, &message);
        if (rc == -EAGAIN && queue_limit_bytes > 0 && context == 0)
            rc = socket_queue(self, &message, queue_limit_bytes);
        if (rc < 0) {
            if (is_handed_over)
                nn_message_header_clear(&message);
            else
                nn_message_free(&message); /* a copy may have been made */
            break;
        }
        count_sent(self, messages[taken++].body_bytes);
    }
    sp_socket_unlock(self);
    return taken > 0 || count == 0 ? taken : rc;
}

int64_t sp_socket_queued_bytes(struct sp_socket *self)
{
    sp_socket_lock(self);
    int64_t bytes = (int64_t)self->queue.bytes;
    sp_socket_unlock(self);
    return bytes;
}
