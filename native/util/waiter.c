/* Sleeping on a futex, or beside a descriptor: then with poll() and an eventfd. */
#include "util/waiter.h"

#include "util/fork.h"
#include "util/invariant.h"
#include "util/memory.h"
#include "util/patience.h"

#include <errno.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

enum state {
    AWAKE,
    WOKEN,         /* whether it slept or not: what follows needs to do nothing */
    ASLEEP,        /* on the futex, which is `state` */
    ASLEEP_BESIDE, /* on fd */
};

struct sp_waiter {
    atomic_uint state;
    atomic_uint references; /* its thread's, and one for each who is about to wake it */
    int fd;                 /* -1: not needed yet */
    unsigned fork_depth;    /* of the process that it is in */
    struct sp_patience patience;
};

static pthread_once_t waiter_once = PTHREAD_ONCE_INIT;
static pthread_key_t waiter_key;

void sp_waiter_retain(struct sp_waiter *self)
{
    atomic_fetch_add_explicit(&self->references, 1, memory_order_relaxed);
}

void sp_waiter_release(struct sp_waiter *self)
{
    unsigned before = atomic_fetch_sub_explicit(&self->references, 1, memory_order_acq_rel);

    SP_INVARIANT(before > 0, "a waiter without references is released");
    if (before > 1)
        return;
    if (self->fd >= 0)
        sp_fd_close(self->fd);
    sp_free(self);
}

/* A forked child must not sleep on what wakes its parent, and has nobody who is about to wake it. */
static void waiter_begin(struct sp_waiter *self)
{
    atomic_init(&self->state, AWAKE);
    atomic_init(&self->references, 1);
    self->fd = -1;
    self->fork_depth = sp_fork_depth();
    sp_patience_init(&self->patience);
}

static void waiter_leave(void *waiter)
{
    struct sp_waiter *self = waiter;

    if (self->fork_depth != sp_fork_depth())
        waiter_begin(self);
    sp_waiter_release(self);
}

static void waiter_key_create(void)
{
    pthread_key_create(&waiter_key, waiter_leave);
}

static struct sp_waiter *waiter_create(void)
{
    struct sp_waiter *self = sp_alloc(sizeof *self);

    if (self == NULL)
        return NULL;
    waiter_begin(self);
    if (pthread_setspecific(waiter_key, self) == 0)
        return self;
    sp_free(self);
    return NULL;
}

struct sp_waiter *sp_waiter_self(void)
{
    pthread_once(&waiter_once, waiter_key_create);

    struct sp_waiter *self = pthread_getspecific(waiter_key);
    if (self == NULL)
        return waiter_create();
    if (self->fork_depth != sp_fork_depth())
        waiter_begin(self);
    return self;
}

void sp_waiter_reset(struct sp_waiter *self)
{
    atomic_store(&self->state, AWAKE);
}

/* From here on it costs a system call to wake us. Returns false when somebody has done so already. */
static bool fall_asleep(struct sp_waiter *self, enum state how)
{
    unsigned awake = AWAKE;

    return atomic_compare_exchange_strong(&self->state, &awake, how);
}

/* ---- On the futex ---- */

/* The absence of a deadline, which is a time nevertheless: without any, the kernel would go on waiting after a handler that
 * was installed with SA_RESTART, and nobody would hear of EINTR. */
#define LONGEST_S 0x3fffffff

static struct timespec deadline_of(sp_time_ns deadline_ns)
{
    if (deadline_ns == SP_FOREVER)
        return (struct timespec){.tv_sec = LONGEST_S};
    return (struct timespec){.tv_sec = (time_t)(deadline_ns / 1000000000u),
                             .tv_nsec = (long)(deadline_ns % 1000000000u)};
}

/* With 64 bits for seconds where longs have 32, it is another call. */
#ifdef SYS_futex_time64
#define FUTEX_CALL (sizeof(time_t) > sizeof(long) ? SYS_futex_time64 : SYS_futex)
#else
#define FUTEX_CALL SYS_futex
#endif

/* Returns 0 when *word is not `expected` any more, or may not be. */
static int futex_wait(atomic_uint *word, unsigned expected, const struct timespec *deadline)
{
    long rc = syscall(FUTEX_CALL, word, FUTEX_WAIT_BITSET_PRIVATE, expected, deadline, NULL, FUTEX_BITSET_MATCH_ANY);

    return rc < 0 && (errno == EINTR || errno == ETIMEDOUT) ? -errno : 0;
}

static bool is_woken(const void *waiter)
{
    const struct sp_waiter *self = waiter;

    return atomic_load_explicit(&self->state, memory_order_acquire) == WOKEN;
}

int sp_waiter_sleep(struct sp_waiter *self, sp_time_ns deadline_ns)
{
    int rc = 0;

    sp_patience_look(&self->patience, deadline_ns, is_woken, self);
    if (fall_asleep(self, ASLEEP)) {
        struct timespec deadline = deadline_of(deadline_ns);
        while (rc == 0 && atomic_load(&self->state) == ASLEEP)
            rc = futex_wait(&self->state, ASLEEP, &deadline);
    }
    return atomic_exchange(&self->state, AWAKE) == WOKEN ? 0 : rc;
}

/* ---- Beside a descriptor ---- */

bool sp_waiter_can_sleep_beside(struct sp_waiter *self)
{
    if (self->fd < 0)
        self->fd = sp_fd_opened(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    return self->fd >= 0;
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

static int poll_until(struct pollfd *polled, nfds_t count, sp_time_ns deadline_ns)
{
    for (;;) {
        int rc = poll(polled, count, remaining_ms(deadline_ns));
        if (rc != 0)
            return rc < 0 ? -errno : 0;
        if (deadline_ns != SP_FOREVER && sp_now_ns() >= deadline_ns)
            return -ETIMEDOUT;
    }
}

int sp_waiter_sleep_beside(struct sp_waiter *self, sp_time_ns deadline_ns, int fd, bool *is_ready)
{
    struct pollfd polled[] = {{.fd = fd, .events = POLLIN}, {.fd = self->fd, .events = POLLIN}};
    uint64_t count;
    int rc = 0;

    *is_ready = false;
    if (fall_asleep(self, ASLEEP_BESIDE)) {
        rc = poll_until(polled, 2, deadline_ns);
        *is_ready = rc == 0 && polled[0].revents != 0;
    }
    /* Who wakes us writes after saying so: what comes late ends a later sleep without a reason. */
    if (polled[1].revents != 0) {
        while (read(self->fd, &count, sizeof count) < 0 && errno == EINTR) {
        }
    }
    return atomic_exchange(&self->state, AWAKE) == WOKEN ? 0 : rc;
}

/* ---- Waking ---- */

void sp_waiter_wake(struct sp_waiter *self)
{
    uint64_t one = 1;

    switch (atomic_exchange(&self->state, WOKEN)) {
    case ASLEEP:
        syscall(SYS_futex, &self->state, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
        break;
    case ASLEEP_BESIDE:
        while (write(self->fd, &one, sizeof one) < 0 && errno == EINTR) {
        }
        break;
    default:
        break; /* it is about to look */
    }
}
