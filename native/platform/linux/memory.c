/* malloc_trim(3) and memmem(3). */
#include "platform/memory.h"

#include <string.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

/* Other C libraries, such as musl, give back by themselves. */
void sp_heap_trim(void)
{
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}

const void *sp_bytes_find(const void *bytes, size_t count, const void *part, size_t part_bytes)
{
    return memmem(bytes, count, part, part_bytes);
}
