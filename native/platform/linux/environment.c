/* secure_getenv(3). */
#include "platform/environment.h"

#include <stdlib.h>

const char *sp_trusted_variable(const char *name)
{
    return secure_getenv(name);
}
