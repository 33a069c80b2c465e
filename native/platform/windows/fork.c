/* Processes of Windows have no copies. */
#include "platform/fork.h"

unsigned sp_fork_depth(void)
{
    return 0;
}

void sp_fork_at_child(void (*fn)(void))
{
    (void)fn;
}
