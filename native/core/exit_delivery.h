/* What the sockets of a loop hold when the program ends, and how it is delivered. The engine's thread runs on meanwhile
 * and passes on what peers take. Sockets stay open, since other threads of the program may still use them. */
#ifndef SP_CORE_EXIT_DELIVERY_H
#define SP_CORE_EXIT_DELIVERY_H

struct nn_loop;

/* Passes on what the loop's sockets hold, and waits for peers that are slow to take it. The caller keeps the loop. */
void sp_loop_deliver_held(struct nn_loop *loop);
/* Takes and releases the lock of each of the loop's sockets. */
void sp_loop_pass_locks(struct nn_loop *loop);
/* After it, when no code of the program follows. */
void sp_loop_finish_connections(struct nn_loop *loop);

#endif
