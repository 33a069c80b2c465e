/* Conditions that wait by the monotonic clock, and how many threads there are. */
#include "platform/thread.h"

#include <dirent.h>
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
