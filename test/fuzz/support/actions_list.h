/* The actions that stand in files of their own, and how inputs name peers and sockets. */
#ifndef FUZZ_ACTIONS_LIST_H
#define FUZZ_ACTIONS_LIST_H

#include "run.h"

#define ACTION_PEER_MASK 7

static inline struct peer *action_peer(struct run *run, uint8_t byte)
{
    return &run->peers[(byte & ACTION_PEER_MASK) % RUN_PEERS];
}

static inline struct run_socket *action_socket(struct run *run, uint8_t byte)
{
    struct run_socket *socket = &run->sockets[byte >> 7];

    return socket->s >= 0 ? socket : &run->sockets[0];
}

/* actions_peers.c */
void action_send_packet(struct run *run, struct input *input);
void action_open_many_peers(struct run *run, struct input *input);

/* actions_program.c */
void action_receive_allocated(struct run *run, struct input *input);
void action_send_borrowed(struct run *run, struct input *input);
void action_set_rare_option(struct run *run, struct input *input);
void action_ask_statistic(struct run *run, struct input *input);
void action_open_second_endpoint(struct run *run, struct input *input);

/* actions_system.c */
void action_fail_call(struct run *run, struct input *input);
void action_use_addresses(struct run *run, struct input *input);
void action_advance_long(struct run *run, struct input *input);

#endif
