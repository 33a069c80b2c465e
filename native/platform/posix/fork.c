/* pthread_atfork. */
#include "platform/fork.h"

#include "platform/library.h"

#include <pthread.h>

static unsigned depth; /* written in children only, while they have one thread */
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void count_fork(void)
{
    depth++;
}

static void fork_init(void)
{
    sp_fork_at_child(count_fork);
}

unsigned sp_fork_depth(void)
{
    pthread_once(&once, fork_init);
    return depth;
}

void sp_fork_at_child(void (*fn)(void))
{
    sp_library_keep();
    /* It fails for want of memory only: then a child has what any forked program with threads has. */
    pthread_atfork(NULL, NULL, fn);
}
