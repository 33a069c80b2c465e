/* What the endpoints of all byte-stream transports have in common. */
#ifndef SP_STREAMS_STREAM_ENDPOINT_H
#define SP_STREAMS_STREAM_ENDPOINT_H

#include "core/socket_state.h"
#include "streams/dialer.h"
#include "streams/listener.h"
#include "streams/tls.h"

struct sp_stream_endpoint {
    bool is_secure;                   /* set before it is opened */
    struct sp_filter_source *filters; /* NULL: bytes travel as they are */
    union {
        struct sp_listener listener; /* when it is bound */
        struct sp_dialer dialer;
    };
};

static inline struct sp_stream_endpoint *sp_stream_endpoint_of(struct nn_endpoint *base)
{
    return nn_endpoint_data(base);
}

/* Prepares an endpoint that is secure, before it is opened: to bind when target is NULL. Returns 0, or -errno and
 * nothing to undo. */
static inline int sp_stream_endpoint_secure(struct nn_endpoint *base, const struct sp_dialer_target *target)
{
    struct sp_stream_endpoint *self = sp_stream_endpoint_of(base);

    return self->is_secure ? sp_tls_open(&self->filters, &base->options, target) : 0;
}

/* Undoes that; the connections stay secure. */
static inline void sp_stream_endpoint_unsecure(struct nn_endpoint *base)
{
    struct sp_stream_endpoint *self = sp_stream_endpoint_of(base);

    if (self->filters != NULL)
        self->filters->close(self->filters);
    self->filters = NULL;
}

/* Takes what the socket's options of TLS say now for the connections that are made from now on. Returns 0, or as
 * sp_tls_open, and nothing has changed. */
static inline int sp_stream_endpoint_renew(struct nn_endpoint *base)
{
    struct sp_stream_endpoint *self = sp_stream_endpoint_of(base);
    struct sp_connection_owner *owner = base->is_bound ? &self->listener.owner : &self->dialer.owner;
    struct sp_filter_source *renewed = NULL;
    int rc = sp_tls_open(&renewed, &base->socket->options, base->is_bound ? NULL : &self->dialer.target);

    if (rc < 0)
        return rc;
    self->filters->close(self->filters);
    self->filters = owner->filters = renewed;
    return 0;
}

/* Accept and connect, and undo the above when that fails. They return as sp_listener_start and so on. */
static inline int sp_stream_endpoint_accept(struct nn_endpoint *base, const struct sp_framing *framing, int fd)
{
    struct sp_stream_endpoint *self = sp_stream_endpoint_of(base);
    int rc = sp_listener_start(&self->listener, base, framing, self->filters, fd);

    if (rc < 0)
        sp_stream_endpoint_unsecure(base);
    return rc;
}

static inline int sp_stream_endpoint_listen(struct nn_endpoint *base, const struct sp_framing *framing,
                                            const struct sp_socket_address *address)
{
    struct sp_stream_endpoint *self = sp_stream_endpoint_of(base);
    int rc = sp_listener_open(&self->listener, base, framing, self->filters, address);

    if (rc < 0)
        sp_stream_endpoint_unsecure(base);
    return rc;
}

static inline int sp_stream_endpoint_connect(struct nn_endpoint *base, const struct sp_framing *framing,
                                             const struct sp_dialer_target *target)
{
    struct sp_stream_endpoint *self = sp_stream_endpoint_of(base);
    int rc = sp_dialer_open(&self->dialer, base, framing, self->filters, target);

    if (rc < 0)
        sp_stream_endpoint_unsecure(base);
    return rc;
}

static inline void sp_stream_endpoint_close(struct nn_endpoint *base)
{
    struct sp_stream_endpoint *self = sp_stream_endpoint_of(base);

    if (base->is_bound)
        sp_listener_close(&self->listener);
    else
        sp_dialer_close(&self->dialer);
    sp_stream_endpoint_unsecure(base);
}

#endif
