/* issetugid(2). */
#include "platform/environment.h"

#include <stdlib.h>
#include <unistd.h>

const char *sp_trusted_variable(const char *name)
{
    return issetugid() ? NULL : getenv(name);
}
