/* Peers that are held, and what the program decides about them. */
#include "core/admission.h"

#include "core/host_events.h"
#include "core/monitor.h"
#include "core/pipe.h"
#include "core/socket.h"
#include "core/socket_settle.h"
#include "core/socket_state.h"

#include <nanomsg/admission.h>

#include <errno.h>

void sp_admission_hold(struct sp_socket *socket, struct sp_candidate *candidate)
{
    candidate->is_held = true;
    sp_id_map_add(&socket->candidates, &candidate->by_id, sp_pipe_next_id(socket));
    sp_list_append(&socket->new_candidates, &candidate->item);
    sp_socket_wake(socket, NN_LOOP_EVENTS);
    sp_socket_notify_host(socket, NN_LOOP_EVENTS); /* of each: without memory it has not taken the last */
}

void sp_admission_forget(struct sp_socket *socket, struct sp_candidate *candidate)
{
    if (!candidate->is_held)
        return;
    candidate->is_held = false;
    sp_id_map_remove(&socket->candidates, &candidate->by_id);
    if (sp_list_is_linked(&candidate->item))
        sp_list_remove(&candidate->item);
}

/* ---- Taking ---- */

/* Sleeps until a peer is held. Called and left under the lock. Returns 0 to look again, or -errno. */
static int wait_for_candidate(struct sp_socket *self, sp_time_ns deadline_ns)
{
    /* Closing wakes calls that wait for NN_LOOP_CLOSED. */
    struct sp_wait wait = {.parker = sp_parker_self(), .events = NN_LOOP_EVENTS | NN_LOOP_CLOSED};

    if (wait.parker == NULL)
        return -ENOMEM;
    sp_parker_reset(wait.parker);
    sp_list_append(&self->waits, &wait.item);
    sp_socket_unlock(self);
    int rc = sp_parker_sleep(wait.parker, deadline_ns);
    sp_socket_lock(self);
    sp_list_remove(&wait.item);
    return rc;
}

static int take_candidate(struct sp_socket *self, struct nn_event *event)
{
    struct sp_list_item *item = sp_list_first(&self->new_candidates);

    if (item == NULL)
        return 0;
    int rc = sp_monitor_describe_candidate(self, SP_CONTAINER(item, struct sp_candidate, item), event);
    if (rc < 0)
        return rc; /* it can be taken when there is memory */
    sp_list_remove(item);
    return 1;
}

int sp_socket_next_candidate(struct sp_socket *self, struct nn_event *event, int timeout_ms)
{
    sp_time_ns deadline_ns = sp_deadline_after_ms(timeout_ms);
    int rc = 0;

    sp_socket_lock(self);
    for (;;) {
        rc = self->state == SP_SOCKET_OPEN ? take_candidate(self, event) : -EBADF;
        if (rc != 0 || timeout_ms == 0)
            break;
        rc = wait_for_candidate(self, deadline_ns);
        if (rc < 0)
            break;
    }
    sp_socket_unlock(self);
    return rc == -ETIMEDOUT ? 0 : rc;
}

/* ---- Deciding ---- */

static int decide(struct sp_socket *self, uint32_t pipe_id, const char *refusal)
{
    struct sp_id_map_item *item = sp_id_map_find(&self->candidates, pipe_id);

    if (item == NULL)
        return -ENOENT;
    struct sp_candidate *candidate = SP_CONTAINER(item, struct sp_candidate, by_id);
    sp_admission_forget(self, candidate);
    candidate->decide(candidate, refusal);
    return 0;
}

int sp_socket_admit(struct sp_socket *self, uint32_t pipe_id, const char *refusal)
{
    sp_socket_lock(self);
    int rc = self->state == SP_SOCKET_OPEN ? decide(self, pipe_id, refusal) : -EBADF;
    sp_socket_unlock(self);
    return rc;
}

static int disconnect(struct sp_socket *self, uint32_t pipe_id)
{
    struct sp_id_map_item *item = sp_id_map_find(&self->pipes_by_id, pipe_id);

    if (item == NULL)
        return decide(self, pipe_id, "it was disconnected before it was admitted");
    self->statistics.dropped_connections++;
    sp_pipe_close(SP_CONTAINER(item, struct nn_pipe, by_id), self->options.linger_ms != 0);
    return 0;
}

int sp_socket_disconnect(struct sp_socket *self, uint32_t pipe_id)
{
    sp_socket_lock(self);
    int rc = self->state == SP_SOCKET_OPEN ? disconnect(self, pipe_id) : -EBADF;
    sp_socket_unlock(self);
    return rc;
}
