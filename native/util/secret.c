/* Memory of secrets. */
#include "util/secret.h"

#include <string.h>

/* No compiler can know what this is when it is called. */
static void *(*const volatile set)(void *, int, size_t) = memset;

void sp_secret_wipe(void *memory, size_t count)
{
    if (count > 0)
        set(memory, 0, count);
}
