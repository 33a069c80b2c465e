/* The system's own random numbers. */
#ifndef SP_PLATFORM_RANDOM_H
#define SP_PLATFORM_RANDOM_H

#include <stddef.h>

/* Returns how many bytes it has filled in: a signal may make it fewer, and it is 0 where the system has none. */
size_t sp_system_random(void *bytes, size_t count);

#endif
