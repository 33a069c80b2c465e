/* The end of a program that has not closed its sockets: exit(), or a return from main. What nn_send has accepted, and
 * what is still held anywhere between the socket and the kernel, is delivered, within a limit (core/exit_delivery.h).
 * */
#ifndef SP_CORE_PROCESS_END_H
#define SP_CORE_PROCESS_END_H

/* Has exit() deliver what sockets of the engine's own loop hold before it calls what atexit() was given until now.
 * Asked before each of them is opened; the first one counts. */
void sp_exit_register(void);

/* Delivers now, as at exit. */
void sp_exit_deliver(void);
/* Returns when every call that had the lock of a socket of the engine's has released it. */
void sp_exit_pass_locks(void);

#endif
