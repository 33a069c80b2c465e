/* A thread sleeps parked on its state, or beside a descriptor: then waiting for an event. */
#include "util/parker.h"

#include "platform/event.h"
#include "platform/fork.h"
#include "platform/park.h"
#include "platform/thread.h"
#include "util/invariant.h"
#include "util/memory.h"
#include "util/adaptive_spin.h"

#include <stdatomic.h>

enum state {
    AWAKE,
    WOKEN,         /* whether it slept or not: what follows needs to do nothing */
    ASLEEP,        /* parked on `state` */
    ASLEEP_BESIDE, /* on fd */
};

struct sp_parker {
    atomic_uint state;
    atomic_uint references; /* its thread's, and one for each thread that is about to wake it */
    struct sp_event event;  /* opened when it is needed */
    unsigned fork_depth;    /* of the process that it is in */
    struct sp_adaptive_spin spin;
};

static struct sp_once parker_once = SP_ONCE_INIT;
static struct sp_thread_key parker_key;

void sp_parker_retain(struct sp_parker *self)
{
    atomic_fetch_add_explicit(&self->references, 1, memory_order_relaxed);
}

void sp_parker_release(struct sp_parker *self)
{
    unsigned before = atomic_fetch_sub_explicit(&self->references, 1, memory_order_acq_rel);

    SP_INVARIANT(before > 0, "a parker without references is released");
    if (before > 1)
        return;
    sp_event_close(&self->event);
    sp_free(self);
}

/* A forked child must not sleep on what wakes its parent, and no thread is about to wake it. */
static void parker_begin(struct sp_parker *self)
{
    atomic_init(&self->state, AWAKE);
    atomic_init(&self->references, 1);
    self->event = (struct sp_event)SP_EVENT_CLOSED;
    self->fork_depth = sp_fork_depth();
    sp_adaptive_spin_init(&self->spin);
}

static void parker_end(void *parker)
{
    struct sp_parker *self = parker;

    if (self->fork_depth != sp_fork_depth())
        parker_begin(self);
    sp_parker_release(self);
}

static void parker_key_create(void)
{
    sp_thread_key_create(&parker_key, parker_end);
}

static struct sp_parker *parker_create(void)
{
    struct sp_parker *self = sp_alloc(sizeof *self);

    if (self == NULL)
        return NULL;
    parker_begin(self);
    if (sp_thread_key_set(&parker_key, self) == 0)
        return self;
    sp_free(self);
    return NULL;
}

struct sp_parker *sp_parker_self(void)
{
    sp_once_run(&parker_once, parker_key_create);

    struct sp_parker *self = sp_thread_key_get(&parker_key);
    if (self == NULL)
        return parker_create();
    if (self->fork_depth != sp_fork_depth())
        parker_begin(self);
    return self;
}

void sp_parker_reset(struct sp_parker *self)
{
    atomic_store(&self->state, AWAKE);
}

/* From here on waking costs a system call. Returns false when another thread has woken us already. */
static bool fall_asleep(struct sp_parker *self, enum state how)
{
    unsigned awake = AWAKE;

    return atomic_compare_exchange_strong(&self->state, &awake, how);
}

/* ---- Parked ---- */

static bool is_woken(const void *parker)
{
    const struct sp_parker *self = parker;

    return atomic_load_explicit(&self->state, memory_order_acquire) == WOKEN;
}

int sp_parker_sleep(struct sp_parker *self, sp_time_ns deadline_ns)
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

bool sp_parker_can_sleep_beside(struct sp_parker *self)
{
    return self->event.fd >= 0 || sp_event_open(&self->event, false) == 0;
}

int sp_parker_sleep_beside(struct sp_parker *self, sp_time_ns deadline_ns, int fd, bool *is_ready)
{
    bool is_signalled = false;
    int rc = 0;

    *is_ready = false;
    if (fall_asleep(self, ASLEEP_BESIDE))
        rc = sp_event_wait(&self->event, fd, deadline_ns, &is_signalled, is_ready);
    /* The waking thread signals the event after it has set the state: a late signal ends a later sleep spuriously. */
    if (is_signalled)
        sp_event_clear(&self->event);
    return atomic_exchange(&self->state, AWAKE) == WOKEN ? 0 : rc;
}

/* ---- Waking ---- */

void sp_parker_wake(struct sp_parker *self)
{
    switch (atomic_exchange(&self->state, WOKEN)) {
    case ASLEEP:
        sp_unpark(&self->state);
        break;
    case ASLEEP_BESIDE:
        sp_event_signal(&self->event);
        break;
    default:
        break; /* the thread reads the state before it sleeps */
    }
}
