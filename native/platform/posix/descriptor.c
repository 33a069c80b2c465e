/* Descriptors of the engine, noted so that a forked child can close its copies of them. */
#include "platform/descriptor.h"

#include "platform/fork.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/file.h>
#include <unistd.h>

/* Descriptors from here on are not noted: a child of so large a process keeps them until it ends. */
#define NOTED_FDS 65536
#define WORD_BITS 64

/* One bit for each. Set after opening and cleared before closing, so that a child never closes a number that
 * has another owner now. */
static atomic_ullong opened[NOTED_FDS / WORD_BITS];
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* In the child. Nothing but close(2) and memory: any lock may have been held. */
static void close_inherited(void)
{
    for (int word = 0; word < NOTED_FDS / WORD_BITS; word++) {
        unsigned long long bits = atomic_load_explicit(&opened[word], memory_order_relaxed);
        for (int bit = 0; bits != 0; bit++, bits >>= 1) {
            if (bits & 1)
                close(word * WORD_BITS + bit);
        }
        atomic_store_explicit(&opened[word], 0, memory_order_relaxed);
    }
}

static void descriptors_init(void)
{
    sp_fork_at_child(close_inherited);
}

int sp_fd_opened(int fd)
{
    pthread_once(&once, descriptors_init);
    if (fd >= 0 && fd < NOTED_FDS)
        atomic_fetch_or_explicit(&opened[fd / WORD_BITS], 1ull << fd % WORD_BITS, memory_order_relaxed);
    return fd;
}

void sp_fd_close(int fd)
{
    if (fd >= 0 && fd < NOTED_FDS)
        atomic_fetch_and_explicit(&opened[fd / WORD_BITS], ~(1ull << fd % WORD_BITS), memory_order_relaxed);
    close(fd);
}

int sp_fd_duplicate(int fd)
{
    int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);

    if (own < 0)
        return -errno;
    sp_fd_opened(own);
    if (fcntl(own, F_SETFL, fcntl(own, F_GETFL) | O_NONBLOCK) < 0) {
        int error = errno;
        sp_fd_close(own);
        return -error;
    }
    return own;
}

int sp_fd_lock(int fd)
{
    return flock(fd, LOCK_EX | LOCK_NB) < 0 ? -errno : 0;
}
