/* getenv(3). No program of Windows has more rights than its process was started with. */
#include "platform/environment.h"

#include <stdlib.h>

const char *sp_trusted_variable(const char *name)
{
    return getenv(name);
}
