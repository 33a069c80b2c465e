/* Name resolution: one short-lived thread for each question. Questions are rare (a connect, a reconnect), and a
 * question that hangs must not hold up another one. */
#include "loop/resolver.h"

#include "util/fork.h"
#include "util/memory.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

struct sp_resolution {
    struct sp_task task;
    struct sp_loop *loop;
    sp_resolved *done;
    void *context;
    int family;
    int error;
    struct addrinfo *found;
    bool is_cancelled; /* guarded by `answers`, as is_posted */
    bool is_posted;    /* the task is in the loop's mailbox */
    char host[];
};

static pthread_mutex_t answers = PTHREAD_MUTEX_INITIALIZER;

/* In a forked child, where nobody asks any more. */
static void answers_leave(void)
{
    pthread_mutex_init(&answers, NULL);
}

static void answers_init(void)
{
    sp_fork_at_child(answers_leave);
}

static void resolution_free(struct sp_resolution *self)
{
    if (self->found != NULL)
        freeaddrinfo(self->found);
    sp_free(self);
}

static void resolution_deliver(struct sp_task *task)
{
    struct sp_resolution *self = SP_CONTAINER(task, struct sp_resolution, task);

    pthread_mutex_lock(&answers);
    bool is_wanted = !self->is_cancelled;
    pthread_mutex_unlock(&answers);
    if (is_wanted)
        self->done(self->context, self, self->error, self->found);
    resolution_free(self);
}

static int error_of(int code)
{
    switch (code) {
    case 0:
        return 0;
    case EAI_SYSTEM:
        return -errno;
    case EAI_MEMORY:
        return -ENOMEM;
    case EAI_AGAIN:
        return -EAGAIN;
    default:
        return -EHOSTUNREACH;
    }
}

static void *resolution_main(void *argument)
{
    struct sp_resolution *self = argument;
    struct addrinfo hints = {.ai_family = self->family, .ai_socktype = SOCK_STREAM};

    self->error = error_of(getaddrinfo(self->host, NULL, &hints, &self->found));

    pthread_mutex_lock(&answers);
    bool is_wanted = !self->is_cancelled;
    self->is_posted = is_wanted;
    if (is_wanted)
        sp_loop_post(self->loop, &self->task);
    pthread_mutex_unlock(&answers);
    if (!is_wanted)
        resolution_free(self);
    return NULL;
}

static int start_detached(struct sp_resolution *self)
{
    pthread_t thread;
    pthread_attr_t attributes;
    sigset_t all;
    sigset_t before;

    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&thread, &attributes, resolution_main, self);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return -rc;
}

struct sp_resolution *sp_resolve(struct sp_loop *loop, const char *host, int family, sp_resolved *done, void *context)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    size_t host_bytes = strlen(host) + 1;
    struct sp_resolution *self = sp_zalloc(sizeof *self + host_bytes);

    pthread_once(&once, answers_init);
    if (self == NULL)
        return NULL;
    self->task.run = resolution_deliver;
    self->loop = loop;
    self->done = done;
    self->context = context;
    self->family = family;
    memcpy(self->host, host, host_bytes);
    if (start_detached(self) < 0) {
        sp_free(self);
        return NULL;
    }
    return self;
}

void sp_resolution_cancel(struct sp_resolution *self)
{
    pthread_mutex_lock(&answers);
    self->is_cancelled = true;
    pthread_mutex_unlock(&answers);
}
