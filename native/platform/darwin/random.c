/* arc4random(3). */
#include "platform/random.h"

#include <stdlib.h>

size_t sp_system_random(void *bytes, size_t count)
{
    arc4random_buf(bytes, count);
    return count;
}
