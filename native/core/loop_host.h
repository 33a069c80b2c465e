/* struct nn_loop: a loop together with what the sockets on it share: receive slabs and the ready list. */
#ifndef SP_CORE_LOOP_HOST_H
#define SP_CORE_LOOP_HOST_H

#include <nanomsg/loop.h>

#include "loop/loop.h"

/* What the host hears of by nn_loop_next_ready. All of it is guarded by the loop's lock. */
struct sp_report {
    struct sp_list_item item;
    void *user;
    int events; /* not taken yet; 0: there are none */
    /* The host has taken these events. Called without the lock; optional. */
    void (*taken)(struct sp_report *self, int events);
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
    struct sp_list ready;         /* struct sp_report; guarded by base.lock */
    struct sp_list sockets;       /* all that are not released yet; guarded by base.lock */
    struct sp_slab spare;         /* guarded by base.lock */
};

/* Whether the loop is that of the process which this one was forked from: here it can do nothing. */
bool sp_loop_host_is_left_behind(const struct nn_loop *self);

/* The loop that serves sockets of C programs; its thread is started on first use. Returns 0 or -errno. */
int sp_engine_loop(struct nn_loop **out);

/* Delivers what sockets hold, as at exit. */
void sp_engine_leave(void);
/* Returns when every call that had the lock of a socket of the engine's has left it. */
void sp_engine_pass_locks(void);

/* Has exit deliver what sockets hold before it calls what atexit() was given until now. */
void sp_engine_leave_before_others(void);

/* Stops the engine's thread when no socket needs it any more. */
void sp_engine_stop(void);

/* The loop's sockets in turn, with a reference for the caller; NULL: it has none. */
struct sp_socket *sp_loop_next_socket(struct nn_loop *self);

/* Adds events, without waking the host. Returns those that were not there yet. */
int sp_report_add(struct nn_loop *loop, struct sp_report *report, int events);
/* The host shall hear nothing more. */
void sp_report_withdraw(struct nn_loop *loop, struct sp_report *report);

/* Takes a slab with at least so much room, up to 256 KiB; the caller owns it until sp_slab_give. Returns 0 or -ENOMEM. */
int sp_slab_take(struct nn_loop *loop, struct sp_slab *slab, size_t least_room_bytes);
void sp_slab_give(struct nn_loop *loop, struct sp_slab *slab);

#endif
