/* Random numbers. */
#ifndef SP_UTIL_RANDOM_H
#define SP_UTIL_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* For jitter: quick, and can be foretold from earlier ones. */
uint32_t sp_random_u32(void);
void sp_random_fill(void *bytes, size_t count);

/* Cannot be foretold from earlier ones: the kernel's, fetched many at a time. For keys of masks, and for ids that a
 * peer must not guess. */
uint32_t sp_random_unpredictable_u32(void);

#endif
