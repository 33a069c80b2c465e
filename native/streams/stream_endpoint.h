/* What the endpoints of all byte-stream transports have in common. */
#ifndef SP_STREAMS_STREAM_ENDPOINT_H
#define SP_STREAMS_STREAM_ENDPOINT_H

#include "streams/dialer.h"
#include "streams/listener.h"

struct sp_stream_endpoint {
    struct sp_endpoint base; /* first */
    union {
        struct sp_listener listener; /* base.is_bound */
        struct sp_dialer dialer;
    };
};

static inline struct sp_stream_endpoint *sp_stream_endpoint_of(struct sp_endpoint *base)
{
    return SP_CONTAINER(base, struct sp_stream_endpoint, base);
}

static inline void sp_stream_endpoint_close(struct sp_endpoint *base)
{
    struct sp_stream_endpoint *self = sp_stream_endpoint_of(base);

    if (base->is_bound)
        sp_listener_close(&self->listener);
    else
        sp_dialer_close(&self->dialer);
}

#endif
