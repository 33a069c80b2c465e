/* atexit(3). */
#include "platform/at_exit.h"

#include <stdlib.h>

void sp_at_exit(void (*fn)(void))
{
    atexit(fn);
}
