/* What a forked child needs to know: that it is one, and which descriptors are the engine's. */
#include "util/fork.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

/* Descriptors from here on are not noted: a child of so large a process keeps them until it ends. */
#define NOTED_FDS 65536
#define WORD_BITS 64

/* One bit for each. Set after opening and cleared before closing, so that a child never closes one that has become
 * somebody else's. */
static atomic_ullong opened[NOTED_FDS / WORD_BITS];
static unsigned depth; /* written in children only, while they have one thread */
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* In the child. Nothing but close(2) and memory: any lock may have been held. */
static void close_inherited(void)
{
    depth++;
    for (int word = 0; word < NOTED_FDS / WORD_BITS; word++) {
        unsigned long long bits = atomic_load_explicit(&opened[word], memory_order_relaxed);
        for (int bit = 0; bits != 0; bit++, bits >>= 1) {
            if (bits & 1)
                close(word * WORD_BITS + bit);
        }
        atomic_store_explicit(&opened[word], 0, memory_order_relaxed);
    }
}

static void fork_init(void)
{
    sp_fork_at_child(close_inherited);
}

unsigned sp_fork_depth(void)
{
    pthread_once(&once, fork_init);
    return depth;
}

void sp_fork_at_child(void (*fn)(void))
{
    /* It fails for want of memory only: then a child has what any forked program with threads has. */
    pthread_atfork(NULL, NULL, fn);
}

int sp_fd_opened(int fd)
{
    pthread_once(&once, fork_init);
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
