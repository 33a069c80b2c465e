/* Looking for a moment whether something has come, before sleeping until it has. To fall asleep and to be woken costs a
 * conversation of two threads some 10 us each way; who is awake may answer in less than one. */
#ifndef SP_UTIL_PATIENCE_H
#define SP_UTIL_PATIENCE_H

#include "platform/clock.h"

#include <stdbool.h>

/* A thread's, which learns what pays. */
struct sp_patience {
    unsigned credit; /* of looks that have paid */
    unsigned passes; /* waits without a look, since the last one */
    unsigned looks;  /* without credit */
    bool is_useless; /* the thread has but one processor, on which nobody else comes meanwhile */
};

/* For the calling thread. */
void sp_patience_init(struct sp_patience *self);

/* Looks for a few microseconds if that pays. */
void sp_patience_look(struct sp_patience *self, sp_time_ns deadline_ns, bool (*has_come)(const void *context),
                      const void *context);

#endif
