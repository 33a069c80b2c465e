/* nn_term and its undoing. */
#ifndef SP_CORE_TERMINATION_H
#define SP_CORE_TERMINATION_H

/* Closes all sockets of the process, waits for their linger, and makes sp_socket_open fail with -ETERM
 * until sp_terminate_undo. */
void sp_terminate(void);
void sp_terminate_undo(void);

#endif
