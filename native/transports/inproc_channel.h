/* Two bounded queues between two sockets of this process, one for each direction. The sockets may be on different
 * loops and threads: they never hold each other's lock. A side that has news for the other raises its signal. */
#ifndef SP_TRANSPORTS_INPROC_CHANNEL_H
#define SP_TRANSPORTS_INPROC_CHANNEL_H

#include <nanomsg/transport.h>

#include "util/list.h"

/* One end of a channel, whose socket guards what only this end looks at. */
struct sp_channel_side;

/* A channel on its way to a bound endpoint; the list's owner guards it. */
struct sp_channel_arrival {
    struct sp_list_item item;
};

/* Makes a channel for a connecting endpoint, whose side is admitted once the other one is, so that a refusal is known
 * before our side counts as connected. `ended` is called once when it has ended, under the socket's lock. Returns NULL
 * when memory is short. */
struct sp_channel_side *sp_channel_open(struct nn_endpoint *connecting, void (*ended)(struct nn_endpoint *connecting),
                                        struct sp_channel_arrival **arrival);

/* The bound endpoint's side, under its socket's lock: admits the peer, or turns it away. */
void sp_channel_accept(struct sp_channel_arrival *arrival, struct nn_endpoint *bound);
void sp_channel_refuse(struct sp_channel_arrival *arrival, struct nn_endpoint *bound);

/* The connecting endpoint is closed: gives the channel up unless it has a pipe, which is closed by itself. */
void sp_channel_abandon(struct sp_channel_side *side);

extern const struct nn_pipe_operations sp_channel_pipe_operations;

#endif
