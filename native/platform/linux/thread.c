/* Conditions, threads, and what each of them has of its own. */
#include "platform/thread.h"

#include <dirent.h>
#include <signal.h>
#include <time.h>

void sp_condition_init(struct sp_condition *self)
{
    pthread_condattr_t attributes;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&self->native, &attributes);
    pthread_condattr_destroy(&attributes);
}

void sp_condition_broadcast(struct sp_condition *self)
{
    pthread_cond_broadcast(&self->native);
}

bool sp_condition_wait(struct sp_condition *self, struct sp_mutex *mutex, sp_time_ns deadline_ns)
{
    struct timespec until = {.tv_sec = (time_t)(deadline_ns / 1000000000u),
                             .tv_nsec = (long)(deadline_ns % 1000000000u)};

    return pthread_cond_timedwait(&self->native, &mutex->native, &until) == 0;
}

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

int sp_thread_count(void)
{
    DIR *tasks = opendir("/proc/self/task");
    int count = 0;

    if (tasks == NULL)
        return -1;
    for (struct dirent *entry = readdir(tasks); entry != NULL; entry = readdir(tasks))
        count += entry->d_name[0] != '.';
    closedir(tasks);
    return count;
}

void sp_thread_key_create(struct sp_thread_key *self, void (*destroy)(void *value))
{
    pthread_key_create(&self->native, destroy);
}

int sp_thread_key_set(struct sp_thread_key *self, void *value)
{
    return -pthread_setspecific(self->native, value);
}
