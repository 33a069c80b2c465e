/* Pipes: an admitted peer, between its connection and the protocol. */
#include "core/pipe.h"

#include "core/monitor.h"
#include "core/peer_info.h"
#include "core/socket_state.h"
#include "core/transport.h"
#include "core/waiting_reads.h"
#include "message/message.h"
#include "util/invariant.h"
#include "util/memory.h"
#include "util/random.h"

#include <errno.h>
#include <stdatomic.h>

static atomic_uint last_id;

void sp_pipe_count_from(uint32_t id)
{
    atomic_store(&last_id, id);
}

/* 31 bits, and none that a pipe of this socket has: a process may outlive the numbers. */
uint32_t sp_pipe_next_id(const struct sp_socket *socket)
{
    unsigned expected = 0;
    uint32_t id;

    /* Ids start at random, so that a peer of a former life of the process is not mistaken for a new one. */
    if (atomic_load(&last_id) == 0)
        atomic_compare_exchange_strong(&last_id, &expected, sp_random_unpredictable_u32() | 1u);
    do {
        id = (atomic_fetch_add(&last_id, 1) + 1) & 0x7fffffffu;
    } while (id == 0 || sp_id_map_find(&socket->pipes_by_id, id) != NULL ||
             sp_id_map_find(&socket->candidates, id) != NULL);
    return id;
}

struct nn_pipe *sp_socket_find_pipe(const struct sp_socket *socket, uint32_t id)
{
    struct sp_id_map_item *item = sp_id_map_find(&socket->pipes_by_id, id);

    return item != NULL ? SP_CONTAINER(item, struct nn_pipe, by_id) : NULL;
}

static void pipe_free(struct sp_task *task)
{
    sp_free(SP_CONTAINER(task, struct nn_pipe, release));
}

/* Takes the pipe out of the lists of work before the lock is released. */
static void pipe_forget_tasks(struct nn_pipe *self)
{
    if (sp_list_is_linked(&self->broken_item))
        sp_list_remove(&self->broken_item);
    if (sp_list_is_linked(&self->dirty_item))
        sp_list_remove(&self->dirty_item);
    if (sp_list_is_linked(&self->send_closed_item))
        sp_list_remove(&self->send_closed_item);
    sp_pipe_end_waiting(self);
}

struct nn_pipe *sp_pipe_open(struct nn_endpoint *endpoint, const struct nn_pipe_operations *ops, void *connection,
                             uint32_t id, struct sp_peer_info **info, int *error)
{
    struct sp_socket *socket = endpoint->socket;
    struct nn_pipe *self = sp_zalloc(sizeof *self + socket->protocol->pipe_bytes);

    *error = -ENOMEM;
    if (self == NULL)
        return NULL;
    self->socket = socket;
    self->endpoint = endpoint;
    self->ops = ops;
    self->connection = connection;
    self->id = id != 0 ? id : sp_pipe_next_id(socket);
    self->opened_ns = sp_now_ns();
    self->send_priority = (uint8_t)endpoint->options.send_priority;
    self->receive_priority = (uint8_t)endpoint->options.receive_priority;

    *error = socket->protocol->pipe_added(socket->instance, self);
    if (*error < 0) {
        pipe_forget_tasks(self);
        sp_free(self);
        return NULL;
    }
    self->peer_info = *info;
    *info = NULL;
    sp_list_append(&socket->pipes, &self->item);
    sp_id_map_add(&socket->pipes_by_id, &self->by_id, self->id);
    socket->has_had_pipe = true;
    socket->coalescing.has_streams = socket->coalescing.has_streams || ops->flush != NULL;
    socket->statistics.current_connections++;
    endpoint->users++;
    sp_monitor_connected(self);
    return self;
}

void sp_pipe_set_readable(struct nn_pipe *self)
{
    if (self->can_receive)
        return;
    self->can_receive = true;
    self->socket->readable_pipes++;
    self->socket->protocol->pipe_readable(self->socket->instance, self);
}

void sp_pipe_set_unreadable(struct nn_pipe *self)
{
    if (!self->can_receive)
        return;
    self->can_receive = false;
    self->socket->readable_pipes--;
}

/* A slow peer is no longer slow when it has taken all that waited for it. What waited in the protocol is gathered by
 * now, and passing it on shows whether the kernel takes it; it tells otherwise when it has. Over inproc peers do not
 * tell that they have taken the last one, but that they take more. */
static void update_slow(struct nn_pipe *self)
{
    self->is_slow = false; /* the transport may tell once more that there is room */
    if (sp_list_is_linked(&self->dirty_item)) {
        sp_list_remove(&self->dirty_item);
        self->ops->flush(self);
    }
    self->is_slow = !self->can_send || (!self->is_within_process && sp_pipe_queued_bytes(self) > 0);
}

void sp_pipe_set_writable(struct nn_pipe *self)
{
    struct sp_socket *socket = self->socket;

    if (self->is_send_closed || sp_list_is_linked(&self->broken_item))
        return;
    if (!self->can_send) {
        self->can_send = true;
        socket->is_corked = true; /* waiting messages leave together, when the lock is released */
        socket->protocol->pipe_writable(socket->instance, self);
    }
    if (self->is_slow && !sp_list_is_linked(&self->broken_item))
        update_slow(self);
}

void sp_pipe_end_sending(struct nn_pipe *self)
{
    self->can_send = false;
    if (self->is_send_closed)
        return;
    self->is_send_closed = true;
    sp_list_append(&self->socket->send_closed, &self->send_closed_item);
}

void sp_pipe_end_quantum(struct nn_pipe *self)
{
    self->socket->batch_quantum.is_over = true;
}

void sp_pipe_break(struct nn_pipe *self, int error)
{
    SP_INVARIANT(!self->is_removed, "a pipe is broken that is closed");
    self->can_send = false;
    if (self->error == 0)
        self->error = error;
    if (!sp_list_is_linked(&self->broken_item))
        sp_list_append(&self->socket->broken, &self->broken_item);
}

void sp_pipe_close(struct nn_pipe *self, bool may_linger)
{
    struct sp_socket *socket = self->socket;
    struct nn_endpoint *endpoint = self->endpoint;

    SP_INVARIANT(!self->is_removed, "a pipe is closed twice");
    self->can_send = false;
    sp_pipe_set_unreadable(self);
    pipe_forget_tasks(self);
    sp_list_remove(&self->item);
    sp_id_map_remove(&socket->pipes_by_id, &self->by_id);
    socket->statistics.current_connections--;
    sp_monitor_disconnected(self);
    self->is_removed = true;
    socket->protocol->pipe_removed(socket->instance, self);
    self->ops->close(self, may_linger);
    sp_peer_info_destroy(self->peer_info);
    /* Until the end of the batch a late use of it meets is_removed. */
    self->release.run = pipe_free;
    sp_loop_discard(&socket->loop->base, &self->release);
    sp_endpoint_release(endpoint);
}

void sp_pipe_mark_dirty(struct nn_pipe *self)
{
    SP_INVARIANT(!self->is_removed, "a pipe is to be flushed that is closed");
    if (!sp_list_is_linked(&self->dirty_item))
        sp_list_append(&self->socket->dirty, &self->dirty_item);
}

void sp_pipe_count_dropped(struct nn_pipe *self, size_t bytes)
{
    self->socket->statistics.messages_dropped++;
    self->socket->statistics.bytes_dropped += bytes;
    self->counts.messages_dropped++;
    self->counts.bytes_dropped += bytes;
}

size_t sp_pipe_queued_bytes(const struct nn_pipe *self)
{
    return self->held_bytes != NULL ? self->held_bytes(self) : 0;
}

/* ---- What transports see ---- */

static void count_connection(const struct nn_endpoint *endpoint)
{
    struct sp_statistics *statistics = &endpoint->socket->statistics;

    if (endpoint->is_bound)
        statistics->accepted_connections++;
    else
        statistics->established_connections++;
}

int nn_pipe_open(struct nn_endpoint *endpoint, void *connection, struct nn_pipe **pipe)
{
    struct sp_peer_info *info = NULL;
    int error = 0;

    count_connection(endpoint);
    *pipe = sp_pipe_open(endpoint, endpoint->transport->pipe, connection, 0, &info, &error);
    if (*pipe != NULL)
        return 0;
    endpoint->socket->statistics.broken_connections++;
    sp_monitor_rejected(endpoint, NULL, nn_endpoint_peer_protocol(endpoint), error);
    return error;
}

void *nn_pipe_connection(const struct nn_pipe *self)
{
    return self->connection;
}

struct nn_endpoint *nn_pipe_endpoint(const struct nn_pipe *self)
{
    return self->endpoint;
}

size_t nn_pipe_receive_limit(const struct nn_pipe *self)
{
    int limit_bytes = self->socket->options.receive_max_bytes;

    return limit_bytes < 0 ? SIZE_MAX : (size_t)limit_bytes;
}

void nn_pipe_set_writable(struct nn_pipe *self, bool is_writable)
{
    if (is_writable && !self->is_removed)
        sp_pipe_set_writable(self);
    else
        self->can_send = false;
}

void nn_pipe_set_readable(struct nn_pipe *self, bool is_readable)
{
    if (is_readable && !self->is_removed)
        sp_pipe_set_readable(self);
    else
        sp_pipe_set_unreadable(self);
}

void nn_pipe_end_sending(struct nn_pipe *self)
{
    if (!self->is_removed)
        sp_pipe_end_sending(self);
}

void nn_pipe_end(struct nn_pipe *self)
{
    if (self->is_removed)
        return;
    if (!sp_list_is_linked(&self->broken_item))
        self->socket->statistics.broken_connections++;
    sp_pipe_break(self, -ESHUTDOWN);
}

void nn_pipe_set_held_bytes(struct nn_pipe *self, size_t (*held_bytes)(const struct nn_pipe *pipe),
                            bool is_within_process)
{
    self->held_bytes = held_bytes;
    self->is_within_process = is_within_process;
}

void nn_pipe_count_refused(struct nn_pipe *self, const struct nn_message *message)
{
    self->counts.messages_sent--;
    self->counts.bytes_sent -= sp_message_bytes(message);
}

void nn_pipe_flush_later(struct nn_pipe *self)
{
    if (self->ops->flush != NULL && !self->is_removed)
        sp_pipe_mark_dirty(self);
}
