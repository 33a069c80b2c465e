/* The heap of the C library, and a search that it lacks. */
#include "platform/memory.h"

#include <malloc.h>
#include <string.h>

void sp_heap_trim(void)
{
    _heapmin();
}

const void *sp_bytes_find(const void *bytes, size_t count, const void *part, size_t part_bytes)
{
    const unsigned char *at = bytes;
    const unsigned char *first = part;

    if (part_bytes == 0)
        return bytes;
    while (count >= part_bytes) {
        const unsigned char *found = memchr(at, *first, count - part_bytes + 1);
        if (found == NULL)
            return NULL;
        if (memcmp(found, part, part_bytes) == 0)
            return found;
        count -= (size_t)(found - at) + 1;
        at = found + 1;
    }
    return NULL;
}
