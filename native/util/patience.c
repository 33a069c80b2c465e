/* What is spent on looks in vain is bounded: half a microsecond for each wait on average, where a sleep costs ten. */
#include "util/patience.h"

#include "platform/cpu.h"

/* An answer that takes longer is not worth waiting for awake. */
#define SHORT_LOOK_NS 4000u
/* Two threads that both sleep would never find each other awake with short looks: it takes longer than that to be woken.
 * So who has credit looks for as long as that takes. */
#define LONG_LOOK_NS 20000u
#define LONG_LOOK_CREDIT 16u
#define MOST_CREDIT 64u
/* Without credit so many waits pass for each look... */
#define PASSES 15u
/* ... and each so-manieth look gives credit for a few long ones. */
#define LOOKS 16u
#define TRIAL_CREDIT 32u
/* Looks between two looks at the clock. */
#define STRIDE 8

void sp_patience_init(struct sp_patience *self)
{
    *self = (struct sp_patience){.credit = MOST_CREDIT};
    self->is_useless = sp_cpu_count() < 2;
}

/* Returns how long it took, or UINT64_MAX: it has not come. */
static uint64_t look(uint64_t limit_ns, bool (*has_come)(const void *context), const void *context)
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

static bool passes_by(struct sp_patience *self)
{
    if (self->credit > 0)
        return false;
    if (++self->passes <= PASSES)
        return true;
    self->passes = 0;
    if (++self->looks % LOOKS == 0)
        self->credit = TRIAL_CREDIT;
    return false;
}

static void learn(struct sp_patience *self, uint64_t took_ns)
{
    unsigned loss = took_ns == UINT64_MAX ? LONG_LOOK_CREDIT : 1;

    if (took_ns > SHORT_LOOK_NS)
        self->credit = self->credit > loss ? self->credit - loss : 0;
    else if (self->credit < MOST_CREDIT)
        self->credit++;
}

void sp_patience_look(struct sp_patience *self, sp_time_ns deadline_ns, bool (*has_come)(const void *context),
                      const void *context)
{
    if (self->is_useless || passes_by(self))
        return;
    uint64_t limit_ns = self->credit >= LONG_LOOK_CREDIT ? LONG_LOOK_NS : SHORT_LOOK_NS;
    if (deadline_ns != SP_FOREVER && deadline_ns < sp_now_ns() + limit_ns)
        return;
    learn(self, look(limit_ns, has_come, context));
}
