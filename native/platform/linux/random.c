/* getrandom(2). */
#include "platform/random.h"

#include <sys/random.h>
#include <sys/types.h>

size_t sp_system_random(void *bytes, size_t count)
{
    ssize_t fetched_bytes = getrandom(bytes, count, 0);

    return fetched_bytes > 0 ? (size_t)fetched_bytes : 0;
}
