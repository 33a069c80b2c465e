/* What the owner of a hosted loop is told: each socket's events stand once in the list of the loop. */
#include "core/host_events.h"

#include "core/loop_state.h"
#include "core/socket_state.h"

#include <errno.h>

int sp_report_add(struct nn_loop *loop, struct sp_report *report, int events)
{
    sp_mutex_lock(&loop->base.lock);
    int added = events & ~report->events;
    if (report->events == 0 && added != 0)
        sp_list_append(&loop->ready, &report->item);
    report->events |= added;
    sp_mutex_unlock(&loop->base.lock);
    return added;
}

void sp_report_withdraw(struct nn_loop *loop, struct sp_report *report)
{
    sp_mutex_lock(&loop->base.lock);
    if (report->events != 0)
        sp_list_remove(&report->item);
    report->events = 0;
    sp_mutex_unlock(&loop->base.lock);
}

int nn_loop_next_ready(struct nn_loop *self, void **user, int *events)
{
    struct sp_report *report = NULL;
    void (*taken)(struct sp_report *, int) = NULL;

    if (sp_loop_is_inherited(self))
        return 0;
    sp_mutex_lock(&self->base.lock);
    struct sp_list_item *item = sp_list_pop(&self->ready);
    if (item != NULL) {
        report = SP_CONTAINER(item, struct sp_report, item);
        taken = report->taken;
        *user = report->user;
        *events = report->events;
        report->events = 0;
    }
    sp_mutex_unlock(&self->base.lock);

    if (taken != NULL)
        taken(report, *events);
    return report != NULL;
}

/* ---- Of sockets ---- */

void sp_socket_report(struct sp_socket *self, int events)
{
    struct sp_loop *loop = &self->loop->base;

    if (!self->loop->is_hosted)
        return;
    if (events & NN_LOOP_CLOSED)
        sp_socket_retain(self); /* until the report is taken */
    int added = sp_report_add(self->loop, &self->report, events);
    if (events & ~added & NN_LOOP_CLOSED)
        sp_socket_release_reference(self); /* it is reported already */
    /* Receiving a request makes a socket writable that could not answer before: its host, which is about to answer,
     * need not be woken for that. */
    bool can_wait = self->is_taking && events == NN_POLLOUT && !self->is_refused;
    if (!can_wait && !sp_loop_is_running_here(loop))
        sp_loop_wake(loop);
}

static void report_taken(struct sp_report *report, int events)
{
    if (events & NN_LOOP_CLOSED)
        sp_socket_release_reference(SP_CONTAINER(report, struct sp_socket, report));
}

void sp_socket_init_report(struct sp_socket *self, void *user)
{
    self->report.user = user;
    self->report.taken = report_taken;
}
