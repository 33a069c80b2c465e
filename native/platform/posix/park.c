/* Parking by a table of the threads that sleep, for systems where no thread can sleep on a word of memory. Each sleeps
 * on a semaphore of its own. */
#include "platform/park.h"

#include "platform/fork.h"
#include "platform/thread.h"
#include "park_semaphore.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

#define BUCKETS 64

struct sleeper {
    struct sleeper *next;
    const atomic_uint *word; /* NULL: not in the table */
    sp_native_semaphore semaphore;
    unsigned fork_depth; /* of the process that the semaphore is in */
};

static struct bucket {
    pthread_mutex_t lock;
    struct sleeper *first;
} buckets[BUCKETS];

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct sp_thread_key key;

static void buckets_init(void)
{
    for (int i = 0; i < BUCKETS; i++) {
        pthread_mutex_init(&buckets[i].lock, NULL);
        buckets[i].first = NULL;
    }
}

static void sleeper_free(void *sleeper)
{
    struct sleeper *self = sleeper;

    if (self->fork_depth == sp_fork_depth())
        sp_semaphore_close(&self->semaphore);
    free(self);
}

static void park_init(void)
{
    buckets_init();
    sp_thread_key_create(&key, sleeper_free);
    sp_fork_at_child(buckets_init);
}

/* Returns whether there was a semaphore. */
static bool sleeper_begin(struct sleeper *self)
{
    self->word = NULL;
    self->fork_depth = sp_fork_depth();
    return sp_semaphore_open(&self->semaphore) == 0;
}

/* The calling thread's; NULL when memory is short. */
static struct sleeper *sleeper_self(void)
{
    struct sleeper *self = sp_thread_key_get(&key);

    if (self != NULL && self->fork_depth == sp_fork_depth())
        return self;
    if (self != NULL) { /* a forked child has the memory of its thread, and not the semaphore */
        sp_thread_key_set(&key, NULL);
        free(self);
    }
    self = calloc(1, sizeof *self);
    if (self == NULL || !sleeper_begin(self)) {
        free(self);
        return NULL;
    }
    if (sp_thread_key_set(&key, self) == 0)
        return self;
    sleeper_free(self);
    return NULL;
}

static struct bucket *bucket_of(const atomic_uint *word)
{
    return &buckets[((uintptr_t)word >> 6) % BUCKETS];
}

/* Takes the first sleeper that stands at the word, or `self` alone if it is not NULL, out of the table. Returns it, or
 * NULL when there is none. Called under the lock. */
static struct sleeper *take(struct bucket *bucket, const atomic_uint *word, const struct sleeper *self)
{
    for (struct sleeper **place = &bucket->first; *place != NULL; place = &(*place)->next) {
        struct sleeper *found = *place;
        if (found->word == word && (self == NULL || found == self)) {
            *place = found->next;
            found->word = NULL;
            return found;
        }
    }
    return NULL;
}

/* Returns false when the word has changed already. */
static bool enter(struct bucket *bucket, struct sleeper *self, atomic_uint *word, unsigned expected)
{
    pthread_mutex_lock(&bucket->lock);
    bool must_sleep = atomic_load(word) == expected;
    if (must_sleep) {
        self->word = word;
        self->next = bucket->first;
        bucket->first = self;
    }
    pthread_mutex_unlock(&bucket->lock);
    return must_sleep;
}

int sp_park(atomic_uint *word, unsigned expected, sp_time_ns deadline_ns)
{
    pthread_once(&once, park_init);

    struct bucket *bucket = bucket_of(word);
    struct sleeper *self = sleeper_self();
    if (self == NULL) {
        sp_pause_1_ms(); /* the caller looks again */
        return 0;
    }
    if (!enter(bucket, self, word, expected))
        return 0;
    int rc = sp_semaphore_wait(&self->semaphore, deadline_ns);
    if (rc == 0)
        return 0;
    pthread_mutex_lock(&bucket->lock);
    bool is_ours = take(bucket, word, self) != NULL;
    pthread_mutex_unlock(&bucket->lock);
    if (is_ours)
        return rc;
    /* It was taken by a thread that signals it now: that signal must not end a later sleep. */
    while (sp_semaphore_wait(&self->semaphore, SP_FOREVER) < 0) {
    }
    return 0;
}

void sp_unpark(atomic_uint *word)
{
    pthread_once(&once, park_init);

    struct bucket *bucket = bucket_of(word);
    pthread_mutex_lock(&bucket->lock);
    struct sleeper *sleeper = take(bucket, word, NULL);
    pthread_mutex_unlock(&bucket->lock);
    if (sleeper != NULL)
        sp_semaphore_signal(&sleeper->semaphore);
}
