/* Allocation. Plain malloc; in debug builds a test can let it fail, to prove that being out of memory is an ordinary
 * error. */
#ifndef SP_UTIL_MEMORY_H
#define SP_UTIL_MEMORY_H

#include <stddef.h>
#include <stdlib.h>

#ifdef NDEBUG
static inline void *sp_alloc(size_t bytes)
{
    return malloc(bytes);
}

static inline void *sp_zalloc(size_t bytes)
{
    return calloc(1, bytes);
}

static inline void *sp_realloc(void *memory, size_t bytes)
{
    return realloc(memory, bytes);
}
#else
void *sp_alloc(size_t bytes);
void *sp_zalloc(size_t bytes);
void *sp_realloc(void *memory, size_t bytes);

/* Lets the allocation after the next `count` ones of the process fail, once; a negative count: none. Returns what was
 * left of the count before; it is negative when that allocation has come and failed. */
long sp_memory_fail_after(long count);
#endif

static inline void sp_free(void *memory)
{
    free(memory);
}

#endif
