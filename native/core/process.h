/* What the process knows of all its sockets. */
#ifndef SP_CORE_PROCESS_H
#define SP_CORE_PROCESS_H

#include <stdbool.h>

/* Counts a socket of the engine's own loop in before anything is made for it, so that the loop stays while it is
 * opened. Sockets of hosts are not counted. Returns 0 or -ETERM. */
int sp_process_admit_socket(bool is_counted);
void sp_process_count_socket(int change);

bool sp_process_is_terminated(void);

/* From now on sockets are -ETERM. Returns false, with nothing changed, when the process has never asked for one. */
bool sp_process_terminate(void);
void sp_process_terminate_undo(void);

/* Waits until no socket is counted in. Returns false when that takes longer than limit_ms, or another thread lets the
 * process open sockets again. */
bool sp_process_wait_for_sockets(int limit_ms);
bool sp_process_has_sockets(void);

#endif
