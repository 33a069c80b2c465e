/* struct nn_loop: a loop together with what the sockets on it share: receive slabs and the ready list. */
#ifndef SP_CORE_LOOP_STATE_H
#define SP_CORE_LOOP_STATE_H

#include <nanomsg/loop.h>

#include "loop/loop.h"

/* An entry of the ready list, which nn_loop_next_ready returns. Guarded by the loop's lock. */
struct sp_ready_event {
    struct sp_list_item item;
    void *user;
    int events; /* not taken yet; 0: there are none */
    /* The host has taken these events. Called without the lock; optional. */
    void (*taken)(struct sp_ready_event *self, int events);
};

/* A receive slab and how much of it is taken. */
struct sp_slab {
    struct nn_chunk *chunk; /* NULL: none */
    size_t used_bytes;
};

struct nn_loop {
    struct sp_loop base;
    unsigned fork_depth;          /* of the process that made it */
    bool is_hosted;               /* driven by the host's loop; false: by a thread of the engine */
    struct nn_slab_source source; /* acquire is NULL where slabs come from the engine's own memory */
    struct sp_list ready;         /* struct sp_ready_event; guarded by base.lock */
    struct sp_list sockets;       /* all that are not released yet; guarded by base.lock */
    struct sp_slab spare;         /* guarded by base.lock */
};

/* Returns 0 or -errno. */
int sp_loop_state_create(struct nn_loop **out);
/* No socket is on it any more. */
void sp_loop_state_free(struct nn_loop *self);

/* Whether a socket on the loop is not released yet. */
bool sp_loop_has_sockets(struct nn_loop *self);

/* Whether the loop is that of the process which this one was forked from: here it can do nothing. */
bool sp_loop_is_inherited(const struct nn_loop *self);

#endif
