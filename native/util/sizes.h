/* Sums of sizes that come from outside. */
#ifndef SP_UTIL_SIZES_H
#define SP_UTIL_SIZES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Adds to a sum of sizes. Returns false, with the sum unchanged, when it would exceed size_t. */
static inline bool sp_size_add(size_t *sum, size_t size)
{
    if (size > SIZE_MAX - *sum)
        return false;
    *sum += size;
    return true;
}

#endif
