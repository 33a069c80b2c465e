/* Threads of Windows: slim locks, condition variables, once, and keys of fibers, which have destructors. Each of the
 * system's types is one pointer. They are given here without the system's headers, which most files do not need. */
#ifndef SP_PLATFORM_WINDOWS_THREAD_TYPES_H
#define SP_PLATFORM_WINDOWS_THREAD_TYPES_H

#include <stddef.h>

typedef struct {
    void *word; /* of an SRWLOCK */
} sp_native_mutex;

typedef struct {
    void *word; /* of a CONDITION_VARIABLE */
} sp_native_condition;

typedef struct {
    void *word; /* of an INIT_ONCE */
} sp_native_once;

typedef void *sp_native_thread; /* a HANDLE */
typedef unsigned long sp_native_key;

/* clang-format off */
#define SP_NATIVE_MUTEX_INIT {NULL}
#define SP_NATIVE_ONCE_INIT {NULL}
/* clang-format on */

void sp_native_mutex_init(sp_native_mutex *self);
void sp_native_mutex_lock(sp_native_mutex *self);
/* Returns 0 when the lock is taken. */
int sp_native_mutex_try_lock(sp_native_mutex *self);
void sp_native_mutex_unlock(sp_native_mutex *self);

static inline void sp_native_mutex_destroy(sp_native_mutex *self)
{
    (void)self;
}

void sp_native_once_run(sp_native_once *self, void (*init)(void));

void *sp_native_key_get(sp_native_key self);

#endif
