/* Bounds the cost of failed spins: half a microsecond per wait on average, where a sleep costs ten. */
#include "util/adaptive_spin.h"

#include "platform/cpu.h"

/* The usual limit of a spin: sleeping costs less than a longer one. */
#define SHORT_SPIN_NS 4000u
/* The limit while spins succeed. Waking a thread takes longer than a short spin: two threads that both sleep would
 * never find each other awake. */
#define LONG_SPIN_NS 20000u
/* A long spin needs this budget, and costs as much when it fails. */
#define LONG_SPIN_BUDGET 16u
#define MAX_BUDGET 64u
/* Without a budget this many waits are skipped before each spin... */
#define MAX_SKIPS 15u
/* ... and every 16th spin re-enables long spins for a trial. */
#define ATTEMPTS_PER_TRIAL 16u
#define TRIAL_BUDGET 32u
/* Attempts between two readings of the clock. */
#define STRIDE 8

void sp_adaptive_spin_init(struct sp_adaptive_spin *self)
{
    *self = (struct sp_adaptive_spin){.budget = MAX_BUDGET};
    self->is_useless = sp_cpu_count() < 2;
}

/* Returns how long it took, or UINT64_MAX when the limit has passed. */
static uint64_t spin(uint64_t limit_ns, bool (*has_come)(const void *context), const void *context)
{
    sp_time_ns start_ns = sp_now_ns();
    uint64_t past_ns;

    do {
        for (int i = 0; i < STRIDE; i++) {
            if (has_come(context))
                return sp_now_ns() - start_ns;
            sp_cpu_pause();
        }
        past_ns = sp_now_ns() - start_ns;
    } while (past_ns < limit_ns);
    return UINT64_MAX;
}

static bool is_skipped(struct sp_adaptive_spin *self)
{
    if (self->budget > 0)
        return false;
    if (++self->skips <= MAX_SKIPS)
        return true;
    self->skips = 0;
    if (++self->attempts % ATTEMPTS_PER_TRIAL == 0)
        self->budget = TRIAL_BUDGET;
    return false;
}

static void learn(struct sp_adaptive_spin *self, uint64_t took_ns)
{
    unsigned loss = took_ns == UINT64_MAX ? LONG_SPIN_BUDGET : 1;

    if (took_ns > SHORT_SPIN_NS)
        self->budget = self->budget > loss ? self->budget - loss : 0;
    else if (self->budget < MAX_BUDGET)
        self->budget++;
}

void sp_adaptive_spin_run(struct sp_adaptive_spin *self, sp_time_ns deadline_ns, bool (*has_come)(const void *context),
                          const void *context)
{
    if (self->is_useless || is_skipped(self))
        return;
    uint64_t limit_ns = self->budget >= LONG_SPIN_BUDGET ? LONG_SPIN_NS : SHORT_SPIN_NS;
    if (deadline_ns != SP_FOREVER && deadline_ns < sp_now_ns() + limit_ns)
        return;
    learn(self, spin(limit_ns, has_come, context));
}
