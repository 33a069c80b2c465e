/* A protocol timer that is cheap to move: every request sets a deadline anew, and nearly none is ever
 * reached. The timer is left running and looks at its end whether the deadline has moved. */
#ifndef SP_PROTOCOLS_PARTS_DEADLINE_H
#define SP_PROTOCOLS_PARTS_DEADLINE_H

#include <nanomsg/protocol.h>

/* Valid when zeroed. */
struct sp_deadline {
    uint64_t at_ms;
    uint64_t timer_at_ms;
    bool is_set;
    bool is_timer_running;
};

/* The protocol's timer must call sp_deadline_expired. */
void sp_deadline_set(struct sp_deadline *self, struct nn_protocol_socket *socket, int delay_ms);
void sp_deadline_clear(struct sp_deadline *self);

/* To be called when the timer has run out: true, once, if the deadline has passed. */
bool sp_deadline_expired(struct sp_deadline *self, struct nn_protocol_socket *socket);

#endif
