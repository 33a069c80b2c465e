/* Name resolution on a few threads, because the C library's resolver blocks, for half a minute when DNS servers are
 * dead.
 *
 * A name that several callers ask for is one question: a thousand endpoints of one name occupy one thread. Questions
 * wait in the order in which they were put. Each caller has one at a time, so the queue is as long as there are
 * endpoints. A thread ends when no question waits. */
#include "loop/resolver.h"

#include "platform/fork.h"
#include "util/memory.h"

#include <string.h>

#define MAX_THREADS 16
#define BUCKETS 64 /* of questions, by name: connecting to many names takes no time that grows with their square */

struct question {
    struct sp_list_item in_bucket; /* unlinked once it is answered */
    struct sp_list_item in_queue;  /* unlinked once a thread works on it */
    struct sp_list callers;        /* resolutions that wait */
    unsigned references;           /* resolutions, and the thread that works on it */
    int family;
    int error;
    struct addrinfo *found;
    char host[];
};

struct sp_resolution {
    struct sp_task task;
    struct sp_list_item item; /* among the callers until the answer is posted */
    struct question *question;
    struct sp_loop *loop;
    sp_resolved *done;
    void *context;
    bool is_cancelled; /* after the answer was posted */
};

/* Guards everything here, except that an answered question does not change any more. */
static struct sp_mutex lock = SP_MUTEX_INIT(SP_RANK_NONE);
static struct sp_list buckets[BUCKETS];
static struct sp_list queue;
static unsigned thread_count;

static void resolver_reset(void)
{
    for (size_t i = 0; i < BUCKETS; i++)
        sp_list_init(&buckets[i]);
    sp_list_init(&queue);
    thread_count = 0;
}

/* In a forked child, which has none of the threads, and whose sockets are gone. */
static void resolver_after_fork(void)
{
    sp_mutex_init(&lock, SP_RANK_NONE);
    resolver_reset();
}

static void resolver_init(void)
{
    resolver_reset();
    sp_fork_at_child(resolver_after_fork);
}

/* ---- Questions ---- */

static struct sp_list *bucket_of(const char *host)
{
    unsigned hash = 0;

    while (*host != '\0')
        hash = hash * 31 + (unsigned char)*host++;
    return &buckets[hash % BUCKETS];
}

static struct question *question_find(const char *host, int family)
{
    const struct sp_list *bucket = bucket_of(host);

    for (struct sp_list_item *item = sp_list_first(bucket); item != NULL; item = sp_list_next(bucket, item)) {
        struct question *self = SP_CONTAINER(item, struct question, in_bucket);
        if (self->family == family && strcmp(self->host, host) == 0)
            return self;
    }
    return NULL;
}

static struct question *question_put(const char *host, int family)
{
    size_t host_bytes = strlen(host) + 1;
    struct question *self = sp_zalloc(sizeof *self + host_bytes);

    if (self == NULL)
        return NULL;
    sp_list_init(&self->callers);
    self->family = family;
    memcpy(self->host, host, host_bytes);
    sp_list_append(bucket_of(host), &self->in_bucket);
    sp_list_append(&queue, &self->in_queue);
    return self;
}

/* Lets go of it; the last one frees it. */
static void question_release(struct question *self)
{
    if (--self->references > 0)
        return;
    if (sp_list_is_linked(&self->in_queue))
        sp_list_remove(&self->in_queue);
    if (sp_list_is_linked(&self->in_bucket))
        sp_list_remove(&self->in_bucket);
    if (self->found != NULL)
        freeaddrinfo(self->found);
    sp_free(self);
}

/* ---- Answers ---- */

static void resolution_deliver(struct sp_task *task)
{
    struct sp_resolution *self = SP_CONTAINER(task, struct sp_resolution, task);

    sp_mutex_lock(&lock);
    bool is_wanted = !self->is_cancelled;
    sp_mutex_unlock(&lock);
    if (is_wanted)
        self->done(self->context, self, self->question->error, self->question->found);
    sp_mutex_lock(&lock);
    question_release(self->question);
    sp_mutex_unlock(&lock);
    sp_free(self);
}

/* A later caller with the same name asks a new question. */
static void question_answer(struct question *self)
{
    struct sp_list_item *item;

    sp_list_remove(&self->in_bucket);
    while ((item = sp_list_pop(&self->callers)) != NULL) {
        struct sp_resolution *caller = SP_CONTAINER(item, struct sp_resolution, item);
        sp_loop_post(caller->loop, &caller->task);
    }
    question_release(self);
}

/* ---- Threads ---- */

static void *resolver_main(void *unused)
{
    struct sp_list_item *item;

    (void)unused;
    sp_mutex_lock(&lock);
    while ((item = sp_list_pop(&queue)) != NULL) {
        struct question *question = SP_CONTAINER(item, struct question, in_queue);

        question->references++;
        sp_mutex_unlock(&lock);
        question->error = sp_net_find_host(question->host, question->family, &question->found);
        sp_mutex_lock(&lock);
        question_answer(question);
    }
    thread_count--;
    sp_mutex_unlock(&lock);
    return NULL;
}

/* Returns false when no thread works on the queue. */
static bool add_thread(void)
{
    if (thread_count == MAX_THREADS || sp_list_is_empty(&queue))
        return true;
    if (sp_thread_start_detached(resolver_main, NULL) == 0)
        thread_count++;
    return thread_count > 0;
}

/* ---- Callers ---- */

static void resolution_withdraw(struct sp_resolution *self)
{
    sp_list_remove(&self->item);
    question_release(self->question);
    sp_free(self);
}

static struct sp_resolution *resolution_begin(const char *host, int family)
{
    struct sp_resolution *self = sp_zalloc(sizeof *self);

    if (self == NULL)
        return NULL;
    self->question = question_find(host, family);
    if (self->question == NULL)
        self->question = question_put(host, family);
    if (self->question == NULL) {
        sp_free(self);
        return NULL;
    }
    self->question->references++;
    sp_list_append(&self->question->callers, &self->item);
    return self;
}

struct sp_resolution *sp_resolve(struct sp_loop *loop, const char *host, int family, sp_resolved *done, void *context)
{
    static struct sp_once once = SP_ONCE_INIT;

    sp_once_run(&once, resolver_init);
    sp_mutex_lock(&lock);
    struct sp_resolution *self = resolution_begin(host, family);
    if (self != NULL) {
        self->task.run = resolution_deliver;
        self->loop = loop;
        self->done = done;
        self->context = context;
        if (!add_thread()) {
            resolution_withdraw(self);
            self = NULL;
        }
    }
    sp_mutex_unlock(&lock);
    return self;
}

void sp_resolution_cancel(struct sp_resolution *self)
{
    sp_mutex_lock(&lock);
    if (sp_list_is_linked(&self->item))
        resolution_withdraw(self);
    else
        self->is_cancelled = true;
    sp_mutex_unlock(&lock);
}
