/* Memory of secrets, such as private keys. */
#ifndef SP_UTIL_SECRET_H
#define SP_UTIL_SECRET_H

#include <stddef.h>

/* Overwrites it before it is freed. A compiler leaves a plain memset out there. */
void sp_secret_wipe(void *memory, size_t count);

#endif
