/* A peer is held: it was not answered yet, and what it sends stays in the kernel. */
#include "streams/connection_admission.h"

#include <errno.h>

void sp_connection_hold_candidate(struct sp_connection *self,
                                  void (*decided)(struct sp_candidate *candidate, const char *refusal))
{
    struct sp_candidate *candidate = &self->handshake->candidate;
    int limit_ms = self->endpoint->options.admission_timeout_ms;

    sp_connection_peer_info(self, self->handshake->peer_info);
    self->state = CONNECTION_HELD;
    candidate->endpoint = self->endpoint;
    candidate->info = self->handshake->peer_info;
    candidate->decide = decided;
    if (limit_ms < 0)
        sp_timer_stop(&self->timer);
    else
        sp_timer_start(&self->timer, sp_deadline_after_ms(limit_ms));
    want(self, SP_HANGUP | SP_FINISHED);
    sp_admission_hold(self->socket, candidate);
}

void sp_connection_candidate_ready(struct sp_connection *self, unsigned ready)
{
    if (ready & (SP_HANGUP | SP_FINISHED))
        sp_connection_end(self, -ECONNRESET);
}

void sp_connection_candidate_expired(struct sp_connection *self)
{
    struct sp_candidate *candidate = &self->handshake->candidate;

    sp_admission_forget(self->socket, candidate);
    candidate->decide(candidate, "nothing has decided about it in time");
}
