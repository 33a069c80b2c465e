/* A thread sleeps parked on its state, or beside a descriptor: then with poll() and an event. */
#include "util/waiter.h"

#include "platform/event.h"
#include "platform/fork.h"
#include "platform/parker.h"
#include "platform/thread.h"
#include "util/invariant.h"
#include "util/memory.h"
#include "util/adaptive_spin.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdint.h>

enum state {
    AWAKE,
    WOKEN,         /* whether it slept or not: what follows needs to do nothing */
    ASLEEP,        /* parked on `state` */
    ASLEEP_BESIDE, /* on fd */
};

struct sp_waiter {
    atomic_uint state;
    atomic_uint references; /* its thread's, and one for each who is about to wake it */
    struct sp_event event;  /* opened when it is needed */
    unsigned fork_depth;    /* of the process that it is in */
    struct sp_adaptive_spin spin;
};

static struct sp_once waiter_once = SP_ONCE_INIT;
static struct sp_thread_key waiter_key;

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
    sp_event_close(&self->event);
    sp_free(self);
}

/* A forked child must not sleep on what wakes its parent, and has nobody who is about to wake it. */
static void waiter_begin(struct sp_waiter *self)
{
    atomic_init(&self->state, AWAKE);
    atomic_init(&self->references, 1);
    self->event = (struct sp_event)SP_EVENT_CLOSED;
    self->fork_depth = sp_fork_depth();
    sp_adaptive_spin_init(&self->spin);
}

static void waiter_end(void *waiter)
{
    struct sp_waiter *self = waiter;

    if (self->fork_depth != sp_fork_depth())
        waiter_begin(self);
    sp_waiter_release(self);
}

static void waiter_key_create(void)
{
    sp_thread_key_create(&waiter_key, waiter_end);
}

static struct sp_waiter *waiter_create(void)
{
    struct sp_waiter *self = sp_alloc(sizeof *self);

    if (self == NULL)
        return NULL;
    waiter_begin(self);
    if (sp_thread_key_set(&waiter_key, self) == 0)
        return self;
    sp_free(self);
    return NULL;
}

struct sp_waiter *sp_waiter_self(void)
{
    sp_once_run(&waiter_once, waiter_key_create);

    struct sp_waiter *self = sp_thread_key_get(&waiter_key);
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

/* ---- Parked ---- */

static bool is_woken(const void *waiter)
{
    const struct sp_waiter *self = waiter;

    return atomic_load_explicit(&self->state, memory_order_acquire) == WOKEN;
}

int sp_waiter_sleep(struct sp_waiter *self, sp_time_ns deadline_ns)
{
    int rc = 0;

    sp_adaptive_spin_run(&self->spin, deadline_ns, is_woken, self);
    if (fall_asleep(self, ASLEEP)) {
        while (rc == 0 && atomic_load(&self->state) == ASLEEP)
            rc = sp_park(&self->state, ASLEEP, deadline_ns);
    }
    return atomic_exchange(&self->state, AWAKE) == WOKEN ? 0 : rc;
}

/* ---- Beside a descriptor ---- */

bool sp_waiter_can_sleep_beside(struct sp_waiter *self)
{
    return self->event.fd >= 0 || sp_event_open(&self->event, false) == 0;
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
    struct pollfd polled[] = {{.fd = fd, .events = POLLIN}, {.fd = self->event.fd, .events = POLLIN}};
    int rc = 0;

    *is_ready = false;
    if (fall_asleep(self, ASLEEP_BESIDE)) {
        rc = poll_until(polled, 2, deadline_ns);
        *is_ready = rc == 0 && polled[0].revents != 0;
    }
    /* Who wakes us writes after saying so: what comes late ends a later sleep without a reason. */
    if (polled[1].revents != 0)
        sp_event_clear(&self->event);
    return atomic_exchange(&self->state, AWAKE) == WOKEN ? 0 : rc;
}

/* ---- Waking ---- */

void sp_waiter_wake(struct sp_waiter *self)
{
    switch (atomic_exchange(&self->state, WOKEN)) {
    case ASLEEP:
        sp_unpark(&self->state);
        break;
    case ASLEEP_BESIDE:
        sp_event_signal(&self->event);
        break;
    default:
        break; /* it will read the state before it sleeps */
    }
}
