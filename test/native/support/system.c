/* What the tests of sockets ask of Linux. */
#include "system.h"

#include "sockets.h"

#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <time.h>

#define PAUSE_MS 2

void test_stay_on_this_processor(void)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET((unsigned)CHECK_OK(sched_getcpu()), &set);
    CHECK_OK(sched_setaffinity(0, sizeof set, &set));
}

int64_t test_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void test_pause_moment(void)
{
    poll(NULL, 0, PAUSE_MS);
}

bool test_is_asleep(long thread_id)
{
    char path[64];
    char state = '?';

    snprintf(path, sizeof path, "/proc/self/task/%ld/stat", thread_id);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
        state = '?';
    fclose(file);
    return state == 'S';
}
