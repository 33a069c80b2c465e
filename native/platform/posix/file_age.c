/* stat(2). */
#include "platform/file.h"

#include <time.h>

#ifdef __APPLE__
#define CHANGED st_ctimespec
#else
#define CHANGED st_ctim
#endif

int64_t sp_file_age_ms(const struct stat *status)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return ((int64_t)now.tv_sec - status->CHANGED.tv_sec) * 1000 +
           (now.tv_nsec - status->CHANGED.tv_nsec) / (int64_t)1000000;
}
