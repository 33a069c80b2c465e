/* What the endpoints of all byte-stream transports have in common. */
#ifndef SP_STREAMS_STREAM_ENDPOINT_H
#define SP_STREAMS_STREAM_ENDPOINT_H

#include "streams/dialer.h"
#include "streams/listener.h"

struct sp_stream_endpoint {
    union {
        struct sp_listener listener; /* when it is bound */
        struct sp_dialer dialer;
    };
};

static inline struct sp_stream_endpoint *sp_stream_endpoint_of(struct nn_endpoint *base)
{
    return nn_endpoint_data(base);
}

static inline void sp_stream_endpoint_close(struct nn_endpoint *base)
{
    struct sp_stream_endpoint *self = sp_stream_endpoint_of(base);

    if (base->is_bound)
        sp_listener_close(&self->listener);
    else
        sp_dialer_close(&self->dialer);
}

#endif
