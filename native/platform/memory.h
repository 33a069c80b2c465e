/* What C libraries know of memory beside what the language asks of them. */
#ifndef SP_PLATFORM_MEMORY_H
#define SP_PLATFORM_MEMORY_H

#include <stddef.h>

/* Gives memory that is free in the heap back to the system, where the C library does not do so by itself. */
void sp_heap_trim(void);

/* The first place at which the bytes of `part` stand among `count` bytes, or NULL. */
const void *sp_bytes_find(const void *bytes, size_t count, const void *part, size_t part_bytes);

#endif
