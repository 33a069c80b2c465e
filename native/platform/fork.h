/* fork(2). A child has none of its parent's other threads, and locks and lists as they happened to be: what the engine
 * holds is left behind there untouched, and begun afresh. Only its descriptors are closed (platform/descriptor.h), so
 * that connections end when the parent ends them, and addresses are free when it has ended. */
#ifndef SP_PLATFORM_FORK_H
#define SP_PLATFORM_FORK_H

/* How many forks lie between the first process and this one. What notes it when it is made can tell later that it is
 * the parent's. */
unsigned sp_fork_depth(void);

/* Calls fn in each child, before fork() returns there. It may only set memory. */
void sp_fork_at_child(void (*fn)(void));

#endif
