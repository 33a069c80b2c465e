/* malloc(3) of macOS, and memmem(3). */
#include "platform/memory.h"

#include <malloc/malloc.h>
#include <string.h>

void sp_heap_trim(void)
{
    malloc_zone_pressure_relief(NULL, 0);
}

const void *sp_bytes_find(const void *bytes, size_t count, const void *part, size_t part_bytes)
{
    return memmem(bytes, count, part, part_bytes);
}
