/* One run of a fuzzer: a loop of the host, sockets on it, and their peers. What must hold whatever an input says is
 * checked here. */
#ifndef FUZZ_RUN_H
#define FUZZ_RUN_H

#include "input.h"
#include "peer.h"

#include <nanomsg/loop.h>

#define RUN_SOCKETS 2
#define RUN_PEERS 6
#define RUN_KEPT 8
#define RUN_SLABS 256

struct socket_type {
    int protocol;
    int peer_protocol;
    const char *name;
};

struct link {
    const char *address;
    enum wire wire;
    bool is_bound;
    bool is_stream; /* of the host */
    bool is_local;
    bool is_secure;
};

struct run;

struct run_socket {
    struct run *run;
    int s; /* -1: none, or closed */
    bool has_closed;
    bool is_raw;
    const struct socket_type *type;
    const struct link *link;
    int endpoint;
    int64_t receive_limit_bytes; /* the largest NN_RCVMAXSIZE that was set; -1: none */
    unsigned requests;           /* sent, for which no reply has come */
};

/* A message that the program holds on to: its bytes must stay. */
struct kept_message {
    struct nn_chunk *chunk;
    const uint8_t *body;
    size_t body_bytes;
    uint32_t sum;
};

struct run {
    struct nn_loop *loop;
    int first_free_descriptor;
    struct run_socket sockets[RUN_SOCKETS];
    struct peer peers[RUN_PEERS];
    struct run_socket *peer_sockets[RUN_PEERS]; /* whose peers they are */
    struct kept_message kept[RUN_KEPT];
    void *slabs[RUN_SLABS];
    bool may_fill_slabs;
};

/* By number, any number. */
const struct socket_type *run_socket_type(unsigned number);
const struct link *run_plain_link(unsigned number);
const struct link *run_secure_link(unsigned number);

/* has_slabs: the host provides memory to receive into. */
void run_begin(struct run *self, bool has_slabs);
struct run_socket *run_open_socket(struct run *self, const struct socket_type *type, bool is_raw,
                                   const struct link *link);
/* Binds or connects it. */
void run_open_endpoint(struct run_socket *self);
void run_set_int(struct run_socket *self, int level, int option, int value);

/* A new peer of the socket in the place `number`. tls: NULL, or the peer's half of it, which the peer takes over. */
void run_add_peer(struct run_socket *self, unsigned number, struct peer_tls *tls);

/* Runs the loop until it has nothing more to do at this moment. */
void run_settle(struct run *self);
/* Lets time pass. */
void run_advance_ms(struct run *self, unsigned count);

/* Receive in different ways, and check what comes. Return false when nothing does. */
bool run_receive_batch(struct run_socket *self, int count, bool in_contexts, unsigned keep);
bool run_receive(struct run_socket *self, size_t room_bytes);
bool run_receive_described(struct run_socket *self, size_t control_bytes, size_t room_bytes);

/* Control data in memory of nn_allocmsg; the body too, or in memory of the caller. */
bool run_receive_allocated(struct run_socket *self, bool is_body_allocated);

/* Closes it as nn_close does; nothing if it is closed. */
void run_close_socket(struct run_socket *self);
/* Closes everything, and checks that nothing is left. */
void run_end(struct run *self);

#endif
