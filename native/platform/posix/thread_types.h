/* Threads of POSIX. */
#ifndef SP_PLATFORM_POSIX_THREAD_TYPES_H
#define SP_PLATFORM_POSIX_THREAD_TYPES_H

#include <pthread.h>

typedef pthread_mutex_t sp_native_mutex;
typedef pthread_cond_t sp_native_condition;
typedef pthread_once_t sp_native_once;
typedef pthread_t sp_native_thread;
typedef pthread_key_t sp_native_key;

#define SP_NATIVE_MUTEX_INIT PTHREAD_MUTEX_INITIALIZER
#define SP_NATIVE_ONCE_INIT PTHREAD_ONCE_INIT

static inline void sp_native_mutex_init(sp_native_mutex *self)
{
    pthread_mutex_init(self, NULL);
}

static inline void sp_native_mutex_destroy(sp_native_mutex *self)
{
    pthread_mutex_destroy(self);
}

static inline void sp_native_mutex_lock(sp_native_mutex *self)
{
    pthread_mutex_lock(self);
}

static inline int sp_native_mutex_try_lock(sp_native_mutex *self)
{
    return pthread_mutex_trylock(self);
}

static inline void sp_native_mutex_unlock(sp_native_mutex *self)
{
    pthread_mutex_unlock(self);
}

static inline void sp_native_once_run(sp_native_once *self, void (*init)(void))
{
    pthread_once(self, init);
}

static inline void *sp_native_key_get(sp_native_key self)
{
    return pthread_getspecific(self);
}

#endif
