/* What an input can have the engine's program and its peers do, one by one: the table of those that fuzzers with an
 * engine share. */
#ifndef FUZZ_ACTIONS_H
#define FUZZ_ACTIONS_H

#include "run.h"

/* Opens a socket as the input says, with options, and binds or connects it. */
struct run_socket *actions_open_socket(struct run *run, struct input *input, const struct link *link);
/* A peer in the place `number`, which has TLS if the socket's link does. */
void actions_add_peer(struct run_socket *socket, unsigned number, struct input *input);
/* Takes one action that the input names. */
void actions_take(struct run *run, struct input *input);

#endif
