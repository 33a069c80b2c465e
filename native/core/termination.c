/* nn_term: closes all sockets of the process, and waits for what they deliver. */
#include "core/termination.h"

#include "core/engine_thread.h"
#include "core/process.h"
#include "core/socket.h"
#include "core/socket_table.h"

/* A linger without limit must not make termination one. */
#define TERMINATE_LIMIT_MS 10000

void sp_terminate(void)
{
    if (!sp_process_terminate())
        return;
    for (int s = 0; s < sp_table_end(); s++)
        sp_socket_close(s);
    if (sp_process_wait_for_sockets(TERMINATE_LIMIT_MS))
        sp_engine_stop();
}

void sp_terminate_undo(void)
{
    sp_process_terminate_undo();
}
