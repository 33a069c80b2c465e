/* How long a dialer waits before it connects again. */
#ifndef SP_STREAMS_RETRY_DELAY_H
#define SP_STREAMS_RETRY_DELAY_H

#include "core/options.h"

/* Milliseconds before the attempt that follows the n-th failure: none before the first, so that a short break costs
 * nothing; then NN_RECONNECT_IVL (1 ms for 0), doubling up to NN_RECONNECT_IVL_MAX. Up to a quarter is added at
 * random. Where it has doubled, anything between NN_RECONNECT_IVL and that is as likely: so the clients of a restarted
 * server come back one by one, and not all at once at growing intervals. */
int sp_retry_delay_ms(const struct sp_options *options, unsigned failures);

#endif
