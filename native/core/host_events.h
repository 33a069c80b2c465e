/* Events for the owner of a hosted loop, which takes them by nn_loop_next_ready. */
#ifndef SP_CORE_HOST_EVENTS_H
#define SP_CORE_HOST_EVENTS_H

#include "core/loop_state.h"

struct sp_socket;

/* Adds events, without waking the host. Returns those that were not there yet. */
int sp_ready_event_add(struct nn_loop *loop, struct sp_ready_event *event, int events);
/* Withdraws the events that the host has not taken yet. */
void sp_ready_event_remove(struct nn_loop *loop, struct sp_ready_event *event);

/* user: identifies the socket to the host */
void sp_socket_init_ready_event(struct sp_socket *self, void *user);
/* Notifies the host of NN_POLLIN, NN_POLLOUT, NN_LOOP_CLOSED, NN_LOOP_EVENTS. Without a host it does nothing. */
void sp_socket_notify_host(struct sp_socket *self, int events);

#endif
