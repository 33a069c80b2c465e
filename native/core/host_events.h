/* What the owner of a hosted loop is told by nn_loop_next_ready. */
#ifndef SP_CORE_HOST_EVENTS_H
#define SP_CORE_HOST_EVENTS_H

#include "core/loop_state.h"

struct sp_socket;

/* Adds events, without waking the host. Returns those that were not there yet. */
int sp_report_add(struct nn_loop *loop, struct sp_report *report, int events);
/* The host shall hear nothing more. */
void sp_report_withdraw(struct nn_loop *loop, struct sp_report *report);

/* `user` is what the host knows the socket by. */
void sp_socket_init_report(struct sp_socket *self, void *user);
/* Tells the host: NN_POLLIN, NN_POLLOUT, NN_LOOP_CLOSED, NN_LOOP_EVENTS. Without a host it does nothing. */
void sp_socket_report(struct sp_socket *self, int events);

#endif
