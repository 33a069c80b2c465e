/* Semaphores of Mach. */
#ifndef SP_PLATFORM_DARWIN_PARK_SEMAPHORE_TYPE_H
#define SP_PLATFORM_DARWIN_PARK_SEMAPHORE_TYPE_H

#include <mach/mach_types.h>

typedef semaphore_t sp_native_semaphore;

#endif
