/* Allocation that a test can let fail. */
#include "util/memory.h"

#ifndef NDEBUG
#include <stdatomic.h>

static atomic_long allocations_left = -1;

static int must_fail(void)
{
    if (atomic_load(&allocations_left) < 0)
        return 0;
    return atomic_fetch_sub(&allocations_left, 1) == 0;
}

long sp_memory_fail_after(long count)
{
    return atomic_exchange(&allocations_left, count);
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
