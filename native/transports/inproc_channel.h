/* Two bounded queues between two sockets of this process, one for each direction. The sockets may be on different
 * loops and threads: they never hold each other's lock. A side that has news for the other leaves an errand, which
 * runs when the own lock is left. */
#ifndef SP_TRANSPORTS_INPROC_CHANNEL_H
#define SP_TRANSPORTS_INPROC_CHANNEL_H

#include "core/socket_internal.h"

struct sp_channel;

/* One end of a channel, as its endpoint sees it. */
struct sp_channel_end {
    struct sp_socket *socket;
    int endpoint_id;
    size_t limit_bytes; /* NN_RCVBUF: what may be queued to this end */
};

/* Connects two endpoints. Called under the connecting socket's lock; the other one is admitted first, by an errand,
 * so that a refusal is known before our side counts as connected. Returns 0 or -ENOMEM. */
int sp_channel_connect(struct sp_channel_end connecting, struct sp_channel_end bound);

/* Told about the end of a connection of a connecting endpoint, under its socket's lock. */
void sp_inproc_disconnected(struct sp_endpoint *endpoint);

#endif
