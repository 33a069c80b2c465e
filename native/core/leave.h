/* The end of a program that has not closed its sockets: exit(), or a return from main. What nn_send has accepted, and
 * what is still held anywhere between the socket and the kernel, is delivered, within a limit.
 *
 * The engine's thread runs on meanwhile and passes on what peers take. Sockets stay open, since other threads of the
 * program may still use them. */
#ifndef SP_CORE_LEAVE_H
#define SP_CORE_LEAVE_H

#include <stdbool.h>
#include <stddef.h>

struct nn_loop;
struct nn_pipe;

/* What a pipe's connection does then; all under the socket's lock. */
struct sp_leaving {
    /* How much of what it has accepted is still to be passed on. */
    size_t (*held_bytes)(const struct nn_pipe *pipe);
    /* The process ends now: what the kernel has taken must reach the peer without it. Optional. */
    void (*finish)(struct nn_pipe *pipe);
    bool is_within_process; /* only a thread of this process can take what is held */
};

/* For the engine's transports. Of others it is known only whether they accept more. */
void sp_pipe_set_leaving(struct nn_pipe *pipe, const struct sp_leaving *leaving);

/* Passes on what the loop's sockets hold, and waits for peers that are slow to take it. The caller keeps the loop. */
void sp_loop_leave(struct nn_loop *loop);
/* Takes and leaves the lock of each of the loop's sockets. */
void sp_loop_pass_locks(struct nn_loop *loop);
/* After it, when no code of the program follows. */
void sp_loop_finish(struct nn_loop *loop);

#endif
