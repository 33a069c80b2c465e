/* What the engine promises itself, checked in every build: a reference count that cannot be, a connection that is
 * released twice. The process ends with a message; going on would mean to work in memory that is freed. Only for cheap
 * checks of our own invariants: what a peer, a caller or the kernel can cause is an ordinary error. */
#ifndef SP_UTIL_INVARIANT_H
#define SP_UTIL_INVARIANT_H

/* Writes the place and what is wrong to stderr, and aborts. */
__attribute__((noreturn, cold)) void sp_invariant_broken(const char *file, int line, const char *what);

/* `what` says what is wrong when the condition is false. */
#define SP_INVARIANT(condition, what)                                                                                  \
    (__builtin_expect(!!(condition), 1) ? (void)0 : sp_invariant_broken(__FILE__, __LINE__, (what)))

#endif
