/* sched_getaffinity(2). */
#include "platform/cpu.h"

#include <limits.h>
#include <sched.h>

int sp_cpu_count(void)
{
    cpu_set_t processors;

    /* It fails where there are more than a set has room for. */
    return sched_getaffinity(0, sizeof processors, &processors) == 0 ? CPU_COUNT(&processors) : INT_MAX;
}
