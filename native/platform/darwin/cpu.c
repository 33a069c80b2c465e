/* sysconf(3): threads cannot be kept to processors. */
#include "platform/cpu.h"

#include <unistd.h>

int sp_cpu_count(void)
{
    long count = sysconf(_SC_NPROCESSORS_ONLN);

    return count > 0 ? (int)count : 1;
}
