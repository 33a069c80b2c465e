/* Semaphores of POSIX, in the place of those of Mach. */
#ifndef NN_TEST_KQUEUE_PARK_SEMAPHORE_TYPE_H
#define NN_TEST_KQUEUE_PARK_SEMAPHORE_TYPE_H

#include <semaphore.h>

typedef sem_t sp_native_semaphore;

#endif
