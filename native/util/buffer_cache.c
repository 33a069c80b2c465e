/* Lists of unused memory, one for each size. */
#include "util/buffer_cache.h"

#include "platform/clock.h"
#include "platform/fork.h"
#include "platform/thread.h"
#include "util/memory.h"
#include "util/memory_return.h"

#include <stdatomic.h>

/* Eight sizes from one power of two to the next. */
#define STEPS 8
#define OCTAVES 9
#define CLASSES (STEPS * OCTAVES + 1)

struct unused {
    struct unused *next;
};

_Static_assert(SP_BUFFER_CACHE_MIN_BYTES << OCTAVES == SP_BUFFER_CACHE_MAX_BYTES,
               "the classes end at the largest size");

static struct {
    struct sp_once once;
    struct sp_mutex lock; /* guards what follows */
    struct unused *lists[CLASSES];
    bool is_used[CLASSES]; /* since the lists were looked through */
    sp_time_ns looked_ns;
    size_t kept_bytes;
    unsigned users;
} cache = {.once = SP_ONCE_INIT};

static atomic_uint gets;
static void (*_Atomic on_unused)(void);

/* A forked child has what the lists hold, since each step of theirs leaves them whole, and none of the loops. */
static void cache_after_fork(void)
{
    sp_mutex_init(&cache.lock, SP_RANK_MEMORY);
    cache.users = 0;
}

static void cache_init(void)
{
    cache_after_fork();
    sp_fork_at_child(cache_after_fork);
}

static void cache_lock(void)
{
    sp_once_run(&cache.once, cache_init);
    sp_mutex_lock(&cache.lock);
}

static void cache_unlock(void)
{
    sp_mutex_unlock(&cache.lock);
}

/* The class of the shortest memory that holds `*bytes`, which becomes its length. */
static size_t class_of(size_t *bytes)
{
    size_t base = SP_BUFFER_CACHE_MIN_BYTES;
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

void *sp_buffer_cache_get(size_t *size_bytes)
{
    size_t class = class_of(size_bytes);

    atomic_fetch_add_explicit(&gets, 1, memory_order_relaxed);
    cache_lock();
    struct unused *found = cache.lists[class];
    cache.is_used[class] = true;
    if (found != NULL) {
        cache.lists[class] = found->next;
        cache.kept_bytes -= *size_bytes;
    }
    bool is_unused = cache.users == 0;
    cache_unlock();
    void (*wake_user)(void) = is_unused ? atomic_load(&on_unused) : NULL;
    if (wake_user != NULL)
        wake_user();
    return found != NULL ? (void *)found : sp_alloc(*size_bytes);
}

void sp_buffer_cache_put(void *memory, size_t size_bytes)
{
    size_t bytes = size_bytes;
    size_t class = class_of(&bytes);
    struct unused *unused = memory;

    cache_lock();
    bool is_kept = cache.users > 0 && cache.kept_bytes + size_bytes <= SP_BUFFER_CACHE_KEPT_BYTES;
    if (is_kept) {
        unused->next = cache.lists[class];
        atomic_signal_fence(memory_order_release); /* consistent at each step, for a fork */
        cache.lists[class] = unused;
        cache.kept_bytes += size_bytes;
    }
    cache_unlock();
    if (!is_kept)
        sp_free(memory);
}

void sp_buffer_cache_on_unused(void (*wake_user)(void))
{
    atomic_store(&on_unused, wake_user);
}

uint32_t sp_buffer_cache_gets(void)
{
    return atomic_load_explicit(&gets, memory_order_relaxed);
}

void sp_buffer_cache_retain(void)
{
    cache_lock();
    cache.users++;
    cache_unlock();
}

static void free_list(struct unused *first)
{
    while (first != NULL) {
        struct unused *next = first->next;
        sp_free(first);
        first = next;
    }
}

static size_t bytes_of_class(size_t class)
{
    size_t base = SP_BUFFER_CACHE_MIN_BYTES << class / STEPS;

    return base + class % STEPS * (base / STEPS);
}

/* Takes out what the list has. */
static struct unused *list_take(size_t class, size_t *taken_bytes)
{
    struct unused *first = cache.lists[class];

    for (struct unused *unused = first; unused != NULL; unused = unused->next)
        *taken_bytes += bytes_of_class(class);
    cache.lists[class] = NULL;
    return first;
}

void sp_buffer_cache_free_idle(void)
{
    struct unused *lists[CLASSES] = {NULL};
    size_t freed_bytes = 0;
    sp_time_ns now_ns = sp_now_ns();

    cache_lock();
    bool is_time = now_ns - cache.looked_ns >= SP_BUFFER_CACHE_IDLE_NS;
    for (size_t i = 0; is_time && i < CLASSES; i++) {
        if (!cache.is_used[i])
            lists[i] = list_take(i, &freed_bytes);
        cache.is_used[i] = false;
    }
    if (is_time)
        cache.looked_ns = now_ns;
    cache.kept_bytes -= freed_bytes;
    cache_unlock();
    for (int i = 0; i < CLASSES; i++)
        free_list(lists[i]);
    sp_memory_note_freed(freed_bytes);
}

void sp_buffer_cache_release(void)
{
    struct unused *lists[CLASSES] = {NULL};

    cache_lock();
    if (--cache.users == 0) {
        sp_memory_note_freed(cache.kept_bytes);
        for (int i = 0; i < CLASSES; i++) {
            lists[i] = cache.lists[i];
            cache.lists[i] = NULL;
        }
        cache.kept_bytes = 0;
    }
    cache_unlock();
    for (int i = 0; i < CLASSES; i++)
        free_list(lists[i]);
}

size_t sp_buffer_cache_kept_bytes(void)
{
    cache_lock();
    size_t bytes = cache.kept_bytes;
    cache_unlock();
    return bytes;
}
