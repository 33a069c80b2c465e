/* Mutexes with ranks, and the thread's own place to sleep: an eventfd that poll() waits on. */
#include "util/thread.h"

#include "util/fork.h"
#include "util/memory.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

void sp_mutex_init(struct sp_mutex *self, enum sp_rank rank)
{
    pthread_mutex_init(&self->native, NULL);
    self->rank = rank;
}

void sp_mutex_destroy(struct sp_mutex *self)
{
    pthread_mutex_destroy(&self->native);
}

#ifndef NDEBUG
/* Bit r is set while the thread holds a lock of rank r. */
static _Thread_local unsigned held_ranks;

void sp_mutex_lock(struct sp_mutex *self)
{
    if (held_ranks >> self->rank != 0) {
        fprintf(stderr, "nanomsg-native: lock of rank %d taken while a lock of the same or a higher rank is held\n",
                (int)self->rank);
        abort();
    }
    pthread_mutex_lock(&self->native);
    held_ranks |= 1u << self->rank;
}

void sp_mutex_unlock(struct sp_mutex *self)
{
    held_ranks &= ~(1u << self->rank);
    pthread_mutex_unlock(&self->native);
}

bool sp_mutex_try_lock(struct sp_mutex *self)
{
    if (pthread_mutex_trylock(&self->native) != 0)
        return false;
    held_ranks |= 1u << self->rank;
    return true;
}
#else
bool sp_mutex_try_lock(struct sp_mutex *self)
{
    return pthread_mutex_trylock(&self->native) == 0;
}
#endif

struct sp_waiter {
    int fd;
    atomic_bool is_woken; /* fd says so, and need not be told again */
    unsigned fork_depth;  /* of the process that fd is open in */
};

static pthread_once_t waiter_once = PTHREAD_ONCE_INIT;
static pthread_key_t waiter_key;

static void waiter_destroy(void *waiter)
{
    struct sp_waiter *self = waiter;

    if (self->fork_depth == sp_fork_depth())
        sp_fd_close(self->fd);
    sp_free(self);
}

static void waiter_key_create(void)
{
    pthread_key_create(&waiter_key, waiter_destroy);
}

/* Returns 0 or -errno. */
static int waiter_open(struct sp_waiter *self)
{
    self->fd = sp_fd_opened(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    atomic_init(&self->is_woken, false);
    self->fork_depth = sp_fork_depth();
    return self->fd < 0 ? -errno : 0;
}

static int waiter_create(struct sp_waiter **out)
{
    struct sp_waiter *self = sp_alloc(sizeof *self);

    if (self == NULL)
        return -ENOMEM;
    int rc = waiter_open(self);
    if (rc == 0 && pthread_setspecific(waiter_key, self) != 0) {
        sp_fd_close(self->fd);
        rc = -ENOMEM;
    }
    if (rc < 0)
        sp_free(self);
    else
        *out = self;
    return rc;
}

struct sp_waiter *sp_waiter_self(void)
{
    pthread_once(&waiter_once, waiter_key_create);

    struct sp_waiter *self = pthread_getspecific(waiter_key);
    int rc = 0;
    if (self == NULL)
        rc = waiter_create(&self);
    else if (self->fork_depth != sp_fork_depth())
        rc = waiter_open(self); /* a forked child must not sleep on what wakes its parent */
    if (rc == 0)
        return self;
    errno = -rc;
    return NULL;
}

void sp_waiter_reset(struct sp_waiter *self)
{
    uint64_t count;

    if (!atomic_load(&self->is_woken))
        return;
    while (read(self->fd, &count, sizeof count) < 0 && errno == EINTR) {
    }
    /* Last: who wakes us in between is spared the call, and we are about to look anyway. */
    atomic_store(&self->is_woken, false);
}

static int remaining_ms(sp_time_ns deadline_ns)
{
    if (deadline_ns == SP_FOREVER)
        return -1;

    sp_time_ns now_ns = sp_now_ns();
    if (now_ns >= deadline_ns)
        return 0;
    uint64_t left_ms = (deadline_ns - now_ns + SP_NS_PER_MS - 1) / SP_NS_PER_MS;
    return left_ms > INT32_MAX ? INT32_MAX : (int)left_ms;
}

int sp_waiter_sleep_beside(struct sp_waiter *self, sp_time_ns deadline_ns, int fd, bool *is_ready)
{
    struct pollfd polled[2] = {{.fd = self->fd, .events = POLLIN}, {.fd = fd, .events = POLLIN}};

    for (;;) {
        int rc = poll(polled, fd < 0 ? 1 : 2, remaining_ms(deadline_ns));
        if (rc > 0) {
            if (polled[0].revents != 0)
                sp_waiter_reset(self);
            *is_ready = polled[1].revents != 0;
            return 0;
        }
        if (rc < 0)
            return errno == EINTR ? -EINTR : -errno;
        if (deadline_ns != SP_FOREVER && sp_now_ns() >= deadline_ns)
            return -ETIMEDOUT;
    }
}

int sp_waiter_sleep(struct sp_waiter *self, sp_time_ns deadline_ns)
{
    bool is_ready;

    return sp_waiter_sleep_beside(self, deadline_ns, -1, &is_ready);
}

void sp_waiter_wake(struct sp_waiter *self)
{
    uint64_t one = 1;

    if (atomic_exchange(&self->is_woken, true))
        return;
    while (write(self->fd, &one, sizeof one) < 0 && errno == EINTR) {
    }
}
