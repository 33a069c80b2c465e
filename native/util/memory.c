/* Allocation that a test can let fail. */
#include "util/memory.h"

#ifndef NDEBUG
static _Thread_local long allocations_left = -1;

static int must_fail(void)
{
    if (allocations_left < 0)
        return 0;
    return allocations_left-- == 0;
}

void sp_memory_fail_after(long count)
{
    allocations_left = count;
}

void *sp_alloc(size_t bytes)
{
    return must_fail() ? NULL : malloc(bytes);
}

void *sp_zalloc(size_t bytes)
{
    return must_fail() ? NULL : calloc(1, bytes);
}

void *sp_realloc(void *memory, size_t bytes)
{
    return must_fail() ? NULL : realloc(memory, bytes);
}
#else
typedef int sp_memory_is_inline; /* a translation unit must not be empty */
#endif
