/* Random numbers for ids and jitter; not for secrets. */
#ifndef SP_UTIL_RANDOM_H
#define SP_UTIL_RANDOM_H

#include <stddef.h>
#include <stdint.h>

uint32_t sp_random_u32(void);
void sp_random_fill(void *bytes, size_t count);

#endif
