/* Lists of unused memory, one for each size. */
#include "util/large_memory.h"

#include "platform/fork.h"
#include "platform/thread.h"
#include "util/memory.h"
#include "util/memory_return.h"

#include <stdatomic.h>

/* Eight sizes from one power of two to the next. */
#define STEPS 8
#define CLASSES (STEPS * 9 + 1)

struct unused {
    struct unused *next;
};

static struct {
    struct sp_once once;
    struct sp_mutex lock; /* guards what follows */
    struct unused *lists[CLASSES];
    size_t kept_bytes;
    unsigned tenders;
} pool = {.once = SP_ONCE_INIT};

static atomic_uint takes;

/* A forked child has what the lists hold, since each step of theirs leaves them whole, and none of the loops. */
static void pool_begin_afresh(void)
{
    sp_mutex_init(&pool.lock, SP_RANK_MEMORY);
    pool.tenders = 0;
}

static void pool_init(void)
{
    pool_begin_afresh();
    sp_fork_at_child(pool_begin_afresh);
}

static void pool_lock(void)
{
    sp_once_run(&pool.once, pool_init);
    sp_mutex_lock(&pool.lock);
}

static void pool_unlock(void)
{
    sp_mutex_unlock(&pool.lock);
}

/* The class of the shortest memory that holds `*bytes`, which becomes its length. */
static size_t class_of(size_t *bytes)
{
    size_t base = SP_LARGE_MEMORY_MIN_BYTES;
    size_t octave = 0;

    while (*bytes > base * 2) {
        base *= 2;
        octave++;
    }
    size_t step_bytes = base / STEPS;
    size_t steps = (*bytes - base + step_bytes - 1) / step_bytes;
    *bytes = base + steps * step_bytes;
    return octave * STEPS + steps;
}

void *sp_large_memory_take(size_t *size_bytes)
{
    size_t class = class_of(size_bytes);

    atomic_fetch_add_explicit(&takes, 1, memory_order_relaxed);
    pool_lock();
    struct unused *found = pool.lists[class];
    if (found != NULL) {
        pool.lists[class] = found->next;
        pool.kept_bytes -= *size_bytes;
    }
    pool_unlock();
    return found != NULL ? (void *)found : sp_alloc(*size_bytes);
}

void sp_large_memory_give(void *memory, size_t size_bytes)
{
    size_t bytes = size_bytes;
    size_t class = class_of(&bytes);
    struct unused *unused = memory;

    pool_lock();
    bool is_kept = pool.tenders > 0 && pool.kept_bytes + size_bytes <= SP_LARGE_MEMORY_KEPT_BYTES;
    if (is_kept) {
        unused->next = pool.lists[class];
        atomic_signal_fence(memory_order_release); /* whole at each step, for who forks */
        pool.lists[class] = unused;
        pool.kept_bytes += size_bytes;
    }
    pool_unlock();
    if (!is_kept)
        sp_free(memory);
}

uint32_t sp_large_memory_takes(void)
{
    return atomic_load_explicit(&takes, memory_order_relaxed);
}

void sp_large_memory_tend(void)
{
    pool_lock();
    pool.tenders++;
    pool_unlock();
}

static void free_list(struct unused *first)
{
    while (first != NULL) {
        struct unused *next = first->next;
        sp_free(first);
        first = next;
    }
}

void sp_large_memory_leave(void)
{
    struct unused *lists[CLASSES] = {NULL};

    pool_lock();
    if (--pool.tenders == 0) {
        sp_memory_note_freed(pool.kept_bytes);
        for (int i = 0; i < CLASSES; i++) {
            lists[i] = pool.lists[i];
            pool.lists[i] = NULL;
        }
        pool.kept_bytes = 0;
    }
    pool_unlock();
    for (int i = 0; i < CLASSES; i++)
        free_list(lists[i]);
}

size_t sp_large_memory_kept_bytes(void)
{
    pool_lock();
    size_t bytes = pool.kept_bytes;
    pool_unlock();
    return bytes;
}
