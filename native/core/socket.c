/* The life of a socket: opening, closing with linger, the release of its memory. */
#include "core/socket.h"

#include "core/coalesce.h"
#include "core/engine_thread.h"
#include "core/event_fd.h"
#include "core/host_events.h"
#include "core/loop_state.h"
#include "core/monitor.h"
#include "core/options.h"
#include "core/process.h"
#include "core/process_end.h"
#include "core/registry.h"
#include "core/socket_settle.h"
#include "core/socket_state.h"
#include "core/socket_table.h"
#include "message/chunk.h"
#include "util/invariant.h"
#include "util/memory.h"

#include <errno.h>

/* ---- Memory ---- */

static void socket_free(struct sp_task *task)
{
    struct sp_socket *self = SP_CONTAINER(task, struct sp_socket, release);
    struct nn_loop *loop = self->loop;
    bool is_hosted = loop->is_hosted;

    sp_timer_destroy(&self->protocol_timer);
    sp_timer_destroy(&self->linger_timer);
    sp_room_destroy(&self->room);
    sp_mutex_destroy(&self->lock);
    sp_mutex_lock(&loop->base.lock);
    sp_list_remove(&self->loop_item);
    sp_mutex_unlock(&loop->base.lock);
    sp_options_clear(&self->options);
    sp_id_map_destroy(&self->pipes_by_id);
    sp_id_map_destroy(&self->candidates);
    sp_limits_destroy(&self->limits);
    sp_free(self);
    if (!is_hosted)
        sp_process_count_socket(-1);
}

/* ---- Opening ---- */

static void protocol_timer_handle(struct sp_timer *timer)
{
    struct sp_socket *self = SP_CONTAINER(timer, struct sp_socket, protocol_timer);

    sp_socket_lock(self);
    if (self->state != SP_SOCKET_CLOSED && sp_timer_is_due(timer))
        self->protocol->timer(self->instance);
    sp_socket_unlock(self);
}

static void linger_timer_handle(struct sp_timer *timer)
{
    struct sp_socket *self = SP_CONTAINER(timer, struct sp_socket, linger_timer);

    sp_socket_lock(self);
    if (sp_timer_is_due(timer))
        sp_socket_abandon(self);
    sp_socket_unlock(self);
}

static void socket_init_lists(struct sp_socket *self)
{
    sp_limits_init(&self->limits);
    sp_id_map_init(&self->candidates);
    sp_list_init(&self->new_candidates);
    sp_list_init(&self->endpoints);
    sp_list_init(&self->pipes);
    sp_id_map_init(&self->pipes_by_id);
    sp_list_init(&self->broken);
    sp_list_init(&self->send_closed);
    sp_list_init(&self->waiting_reads);
    sp_list_init(&self->dirty);
    sp_list_init(&self->lingering);
    sp_list_init(&self->waits);
    sp_list_init(&self->deferred);
    sp_event_fd_init(&self->receive_fd);
    sp_event_fd_init(&self->send_fd);
}

/* Makes the protocol's part. Returns 0 or -errno and nothing to undo. */
static int socket_open_protocol(struct sp_socket *self)
{
    int rc = 0;

    self->instance = sp_zalloc(self->protocol->socket_bytes);
    if (self->instance == NULL)
        return -ENOMEM;
    self->instance->socket = self;
    self->instance->protocol = self->protocol;
    if (self->protocol->open != NULL)
        rc = self->protocol->open(self->instance);
    if (rc < 0)
        sp_free(self->instance);
    return rc;
}

static int socket_create(struct nn_loop *loop, int domain, const struct nn_protocol *protocol, void *user,
                         struct sp_socket **out)
{
    struct sp_socket *self = sp_zalloc(sizeof *self);
    int rc;

    if (self == NULL)
        return -ENOMEM;
    self->loop = loop;
    self->domain = domain;
    self->protocol = protocol;
    sp_socket_init_ready_event(self, user);
    self->release.run = socket_free;
    atomic_init(&self->references, 1); /* until it is closed for good */
    sp_options_init(&self->options);
    socket_init_lists(self);
    sp_socket_init_flush(self);

    /* A protocol may start its timer when it opens: the loop's thread waits until it has. */
    sp_mutex_init(&self->lock, SP_RANK_SOCKET);
    sp_mutex_lock(&self->lock);
    if ((rc = sp_timer_init(&self->protocol_timer, &loop->base, protocol_timer_handle)) < 0)
        goto fail;
    if ((rc = sp_timer_init(&self->linger_timer, &loop->base, linger_timer_handle)) < 0)
        goto fail;
    if ((rc = sp_room_init(&self->room, &loop->base)) < 0)
        goto fail;
    if ((rc = socket_open_protocol(self)) < 0)
        goto fail;
    self->events = protocol->events(self->instance);
    sp_mutex_unlock(&self->lock);
    *out = self;
    return 0;

fail:
    sp_mutex_unlock(&self->lock);
    sp_timer_destroy(&self->protocol_timer);
    sp_timer_destroy(&self->linger_timer);
    sp_room_destroy(&self->room);
    sp_mutex_destroy(&self->lock);
    sp_free(self);
    return rc;
}

/* Undoes socket_create for a socket that was not published. */
static void socket_discard_unseen(struct sp_socket *self)
{
    if (self->protocol->close != NULL)
        self->protocol->close(self->instance);
    sp_free(self->instance);
    sp_timer_destroy(&self->protocol_timer);
    sp_timer_destroy(&self->linger_timer);
    sp_room_destroy(&self->room);
    sp_mutex_destroy(&self->lock);
    sp_free(self);
}

/* Opens a socket that the process has admitted; returns its descriptor or -errno. */
static int socket_open(struct nn_loop *loop, int domain, int protocol_id, void *user)
{
    struct sp_socket *self;
    bool has_domain;
    int rc = 0;

    const struct nn_protocol *protocol = sp_registry_protocol(domain, protocol_id, &has_domain);
    if (protocol == NULL)
        return has_domain ? -EINVAL : -EAFNOSUPPORT;

    if (loop != NULL && sp_loop_is_inherited(loop))
        return -EBADF;
    if (loop == NULL) {
        sp_exit_register();
        if ((rc = sp_engine_loop(&loop)) < 0)
            return rc;
    }
    if ((rc = socket_create(loop, domain, protocol, user, &self)) < 0)
        return rc;

    sp_mutex_lock(&loop->base.lock);
    sp_list_append(&loop->sockets, &self->loop_item);
    sp_mutex_unlock(&loop->base.lock);

    rc = sp_table_insert(self);
    if (rc < 0) {
        sp_mutex_lock(&loop->base.lock);
        sp_list_remove(&self->loop_item);
        sp_mutex_unlock(&loop->base.lock);
        socket_discard_unseen(self);
    }
    return rc;
}

int sp_socket_open(struct nn_loop *loop, int domain, int protocol_id, void *user)
{
    bool is_counted = loop == NULL;

    int rc = sp_process_admit_socket(is_counted);
    if (rc < 0)
        return rc;
    int s = socket_open(loop, domain, protocol_id, user);
    if (s < 0) {
        if (is_counted)
            sp_process_count_socket(-1);
        return s;
    }
    /* A termination that has begun meanwhile may have looked at this descriptor before it was one. */
    if (sp_process_is_terminated()) {
        sp_socket_close(s);
        return -ETERM;
    }
    return s;
}

/* ---- Closing ---- */

/* Gives up the socket after its descriptor is gone. */
static void socket_begin_closing(struct sp_socket *self)
{
    sp_socket_lock(self);
    self->state = SP_SOCKET_CLOSING;
    atomic_store(&self->is_delivering, true);
    sp_monitor_end(self); /* no call can take events any more */
    sp_socket_wake(self, NN_POLLIN | NN_POLLOUT | NN_LOOP_CLOSED);
    sp_socket_notify_host(self, NN_POLLIN | NN_POLLOUT);
    sp_event_fd_set(&self->receive_fd, true);
    sp_event_fd_set(&self->send_fd, true);
    sp_event_fd_close(&self->receive_fd);
    sp_event_fd_close(&self->send_fd);
    if (self->options.linger_ms == 0)
        sp_socket_abandon(self);
    else if (self->options.linger_ms > 0)
        sp_timer_start(&self->linger_timer, sp_deadline_after_ms(self->options.linger_ms));
    sp_socket_unlock(self);
}

int sp_socket_close(int s)
{
    struct sp_socket *self;
    int rc = sp_table_remove(s, &self);

    if (rc < 0)
        return rc;
    socket_begin_closing(self);
    sp_socket_release(self);
    return 0;
}

void sp_socket_close_this(struct sp_socket *self)
{
    if (sp_table_remove_this(self) < 0)
        return;
    socket_begin_closing(self);
    sp_socket_release(self);
}

int sp_socket_handle(int s)
{
    struct sp_socket *self;
    int rc = sp_socket_acquire(s, &self);

    if (rc < 0)
        return rc;
    rc = sp_table_handle(self);
    sp_socket_release(self);
    return rc;
}
