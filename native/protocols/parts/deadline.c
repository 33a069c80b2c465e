/* Deadlines over the one timer of a socket. */
#include "protocols/parts/deadline.h"

#include <limits.h>

static void deadline_start_timer(struct sp_deadline *self, struct nn_protocol_socket *socket, uint64_t now_ms,
                                 int delay_ms)
{
    nn_protocol_timer_start(socket, delay_ms);
    self->is_timer_running = true;
    self->timer_at_ms = now_ms + (uint64_t)delay_ms;
}

void sp_deadline_set(struct sp_deadline *self, struct nn_protocol_socket *socket, int delay_ms)
{
    uint64_t now_ms = nn_protocol_now_ms();

    self->is_set = true;
    self->at_ms = now_ms + (uint64_t)delay_ms;
    if (!self->is_timer_running || self->at_ms < self->timer_at_ms)
        deadline_start_timer(self, socket, now_ms, delay_ms);
}

void sp_deadline_clear(struct sp_deadline *self)
{
    self->is_set = false;
}

bool sp_deadline_expired(struct sp_deadline *self, struct nn_protocol_socket *socket)
{
    uint64_t now_ms = nn_protocol_now_ms();

    self->is_timer_running = false;
    if (!self->is_set)
        return false;
    if (now_ms < self->at_ms) {
        /* One more for the part of a millisecond that has passed since now_ms. */
        uint64_t rest_ms = self->at_ms - now_ms + 1;
        deadline_start_timer(self, socket, now_ms, rest_ms < INT_MAX ? (int)rest_ms : INT_MAX);
        return false;
    }
    self->is_set = false;
    return true;
}
