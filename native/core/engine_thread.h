/* The engine's own loop, which serves sockets of C programs, and its thread. */
#ifndef SP_CORE_ENGINE_THREAD_H
#define SP_CORE_ENGINE_THREAD_H

#include "core/loop_state.h"

/* The loop; its thread is started on first use. Returns 0 or -errno. */
int sp_engine_loop(struct nn_loop **out);

/* Stops the thread unless a socket needs it: another thread may have opened one. */
void sp_engine_stop(void);

/* Keeps the loop, which is NULL where there is none, until sp_engine_unlock. Returns false when the lock is taken. */
bool sp_engine_try_lock(struct nn_loop **loop);
void sp_engine_unlock(void);

#endif
