/* Conditions, threads, and what each of them has of its own. */
#include "platform/thread.h"

#include "deadline.h"

#include <errno.h>
#include <process.h>
#include <stdlib.h>

/* ---- Mutexes ---- */

_Static_assert(sizeof(sp_native_mutex) == sizeof(SRWLOCK), "a mutex is a slim lock");
_Static_assert(sizeof(sp_native_condition) == sizeof(CONDITION_VARIABLE), "a condition is a condition variable");
_Static_assert(sizeof(sp_native_once) == sizeof(INIT_ONCE), "what is done once is an INIT_ONCE");

void sp_native_mutex_init(sp_native_mutex *self)
{
    InitializeSRWLock((SRWLOCK *)self);
}

void sp_native_mutex_lock(sp_native_mutex *self)
{
    AcquireSRWLockExclusive((SRWLOCK *)self);
}

int sp_native_mutex_try_lock(sp_native_mutex *self)
{
    return TryAcquireSRWLockExclusive((SRWLOCK *)self) ? 0 : -1;
}

void sp_native_mutex_unlock(sp_native_mutex *self)
{
    ReleaseSRWLockExclusive((SRWLOCK *)self);
}

/* ---- Conditions ---- */

void sp_condition_init(struct sp_condition *self)
{
    InitializeConditionVariable((CONDITION_VARIABLE *)&self->native);
}

void sp_condition_broadcast(struct sp_condition *self)
{
    WakeAllConditionVariable((CONDITION_VARIABLE *)&self->native);
}

bool sp_condition_wait(struct sp_condition *self, struct sp_mutex *mutex, sp_time_ns deadline_ns)
{
    if (SleepConditionVariableSRW((CONDITION_VARIABLE *)&self->native, (SRWLOCK *)&mutex->native,
                                  sp_remaining_ms(deadline_ns), 0))
        return true;
    /* A wait may end a moment too early. */
    return sp_now_ns() < deadline_ns;
}

/* ---- Once ---- */

struct initializer {
    void (*run)(void);
};

static BOOL CALLBACK run_once(PINIT_ONCE once, PVOID initializer, PVOID *unused)
{
    const struct initializer *self = initializer;

    (void)once;
    (void)unused;
    self->run();
    return TRUE;
}

void sp_native_once_run(sp_native_once *self, void (*init)(void))
{
    struct initializer initializer = {.run = init};

    InitOnceExecuteOnce((INIT_ONCE *)self, run_once, &initializer, NULL);
}

/* ---- Threads ---- */

struct beginning {
    void *(*main)(void *argument);
    void *argument;
};

static unsigned __stdcall run_thread(void *beginning)
{
    struct beginning self = *(struct beginning *)beginning;

    free(beginning);
    self.main(self.argument);
    return 0;
}

int sp_thread_start(struct sp_thread *self, void *(*main)(void *argument), void *argument)
{
    struct beginning *beginning = malloc(sizeof *beginning);

    if (beginning == NULL)
        return -ENOMEM;
    *beginning = (struct beginning){.main = main, .argument = argument};
    uintptr_t handle = _beginthreadex(NULL, 0, run_thread, beginning, 0, NULL);
    if (handle == 0) {
        int error = errno;
        free(beginning);
        return -error;
    }
    self->native = (HANDLE)handle;
    return 0;
}

int sp_thread_start_detached(void *(*main)(void *argument), void *argument)
{
    struct sp_thread thread;
    int rc = sp_thread_start(&thread, main, argument);

    if (rc == 0)
        CloseHandle(thread.native);
    return rc;
}

void sp_thread_join(struct sp_thread *self)
{
    WaitForSingleObject(self->native, INFINITE);
    CloseHandle(self->native);
}

/* Windows itself starts threads in a process: their number says nothing about the program's. */
int sp_thread_count(void)
{
    return -1;
}

/* ---- What each thread has of its own ---- */

void sp_thread_key_create(struct sp_thread_key *self, void (*destroy)(void *value))
{
    self->native = FlsAlloc(destroy);
}

void *sp_native_key_get(sp_native_key self)
{
    return FlsGetValue(self);
}

int sp_thread_key_set(struct sp_thread_key *self, void *value)
{
    return FlsSetValue(self->native, value) ? 0 : -ENOMEM;
}
