/* Backing off. */
#include "streams/retry_delay.h"

#include "util/random.h"

#include <stdint.h>

/* Even NN_RECONNECT_IVL 0 must not spin. */
#define MIN_DELAY_MS 1

int sp_retry_delay_ms(const struct sp_options *options, unsigned failures)
{
    int64_t least_ms = options->reconnect_ivl_ms > MIN_DELAY_MS ? options->reconnect_ivl_ms : MIN_DELAY_MS;
    int64_t limit_ms = options->reconnect_ivl_max_ms > least_ms ? options->reconnect_ivl_max_ms : least_ms;
    int64_t delay_ms = least_ms;

    if (failures <= 1)
        return 0;
    /* At most 31 times, however many failures there were. */
    for (unsigned i = 2; i < failures && delay_ms < limit_ms; i++)
        delay_ms *= 2;
    if (delay_ms > limit_ms)
        delay_ms = limit_ms;
    delay_ms += delay_ms / 4;
    delay_ms = least_ms + (int64_t)(sp_random_u32() % 1024u) * (delay_ms - least_ms) / 1024;
    return delay_ms > INT32_MAX ? INT32_MAX : (int)delay_ms;
}
