/* Conditions, which wait for lengths of time, and how many threads there are. */
#include "platform/thread.h"

#include <libproc.h>
#include <time.h>
#include <unistd.h>

/* The absence of a deadline. */
#define MAX_WAIT_NS ((sp_time_ns)1000000000 * 1000000000)

void sp_condition_init(struct sp_condition *self)
{
    pthread_cond_init(&self->native, NULL);
}

void sp_condition_broadcast(struct sp_condition *self)
{
    pthread_cond_broadcast(&self->native);
}

bool sp_condition_wait(struct sp_condition *self, struct sp_mutex *mutex, sp_time_ns deadline_ns)
{
    sp_time_ns now_ns = sp_now_ns();
    sp_time_ns left_ns = deadline_ns > now_ns ? deadline_ns - now_ns : 0;

    if (left_ns > MAX_WAIT_NS)
        left_ns = MAX_WAIT_NS;
    struct timespec left = {.tv_sec = (time_t)(left_ns / 1000000000u), .tv_nsec = (long)(left_ns % 1000000000u)};
    return pthread_cond_timedwait_relative_np(&self->native, &mutex->native, &left) == 0;
}

int sp_thread_count(void)
{
    struct proc_taskinfo info;
    int bytes = proc_pidinfo(getpid(), PROC_PIDTASKINFO, 0, &info, sizeof info);

    return bytes == (int)sizeof info ? info.pti_threadnum : -1;
}
