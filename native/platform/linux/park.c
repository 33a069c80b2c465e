/* futex(2). */
#include "platform/park.h"

#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* The absence of a deadline, which is a time nevertheless: without any, the kernel would go on waiting after a handler
 * that was installed with SA_RESTART, and EINTR would be lost. */
#define MAX_SLEEP_S 0x3fffffff

static struct timespec deadline_of(sp_time_ns deadline_ns)
{
    if (deadline_ns == SP_FOREVER)
        return (struct timespec){.tv_sec = MAX_SLEEP_S};
    return (struct timespec){.tv_sec = (time_t)(deadline_ns / 1000000000u),
                             .tv_nsec = (long)(deadline_ns % 1000000000u)};
}

/* With 64 bits for seconds where longs have 32, it is another call. */
#ifdef SYS_futex_time64
#define FUTEX_CALL (sizeof(time_t) > sizeof(long) ? SYS_futex_time64 : SYS_futex)
#else
#define FUTEX_CALL SYS_futex
#endif

int sp_park(atomic_uint *word, unsigned expected, sp_time_ns deadline_ns)
{
    struct timespec deadline = deadline_of(deadline_ns);
    long rc = syscall(FUTEX_CALL, word, FUTEX_WAIT_BITSET_PRIVATE, expected, &deadline, NULL, FUTEX_BITSET_MATCH_ANY);

    return rc < 0 && (errno == EINTR || errno == ETIMEDOUT) ? -errno : 0;
}

void sp_unpark(atomic_uint *word)
{
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}
