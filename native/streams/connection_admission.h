/* A connection whose peer waits for the program to admit it. */
#ifndef SP_STREAMS_CONNECTION_ADMISSION_H
#define SP_STREAMS_CONNECTION_ADMISSION_H

#include "streams/connection_state.h"

/* The handshake is right, and nothing was said to the peer. `decided` goes on with it. */
void sp_connection_hold_candidate(struct sp_connection *self,
                                  void (*decided)(struct sp_candidate *candidate, const char *refusal));
/* Something has happened to the descriptor of a peer that is held. */
void sp_connection_candidate_ready(struct sp_connection *self, unsigned ready);
/* The program has not decided in time. */
void sp_connection_candidate_expired(struct sp_connection *self);

#endif
