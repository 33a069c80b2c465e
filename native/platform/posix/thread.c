/* Threads, and what each of them has of its own. */
#include "platform/thread.h"

#include <signal.h>

static int start(pthread_t *thread, const pthread_attr_t *attributes, void *(*main)(void *), void *argument)
{
    sigset_t all;
    sigset_t before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(thread, attributes, main, argument);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return -rc;
}

int sp_thread_start(struct sp_thread *self, void *(*main)(void *argument), void *argument)
{
    return start(&self->native, NULL, main, argument);
}

int sp_thread_start_detached(void *(*main)(void *argument), void *argument)
{
    pthread_t thread;
    pthread_attr_t attributes;

    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    int rc = start(&thread, &attributes, main, argument);
    pthread_attr_destroy(&attributes);
    return rc;
}

void sp_thread_join(struct sp_thread *self)
{
    pthread_join(self->native, NULL);
}

void sp_thread_key_create(struct sp_thread_key *self, void (*destroy)(void *value))
{
    pthread_key_create(&self->native, destroy);
}

int sp_thread_key_set(struct sp_thread_key *self, void *value)
{
    return -pthread_setspecific(self->native, value);
}
