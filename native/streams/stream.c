/* Streams: what does not stand in a message's way. */
#include "streams/stream.h"

/* How much is read before a descriptor is closed. */
#define DRAIN_LIMIT_BYTES ((size_t)256 * 1024)

static ssize_t filtered_read(struct sp_stream *self, const struct iovec *vectors, int count)
{
    return self->filter->ops->read(self->filter, vectors, count);
}

static ssize_t filtered_write(struct sp_stream *self, struct iovec *vectors, int count)
{
    return self->filter->ops->write(self->filter, vectors, count);
}

static bool filtered_has_unread(const struct sp_stream *self, size_t count)
{
    return self->filter->has_input || sp_io_unread_bytes(self->fd) >= count;
}

static void filtered_shutdown_write(struct sp_stream *self)
{
    self->filter->ops->shutdown_write(self->filter);
    sp_net_finish(self->fd);
}

static void filtered_close(struct sp_stream *self)
{
    self->filter->ops->close(self->filter);
    sp_descriptor_close(self->fd);
}

const struct sp_stream_ops sp_filtered_stream = {
    .read = filtered_read,
    .write = filtered_write,
    .has_unread = filtered_has_unread,
    .shutdown_write = filtered_shutdown_write,
    .close = filtered_close,
};

bool sp_stream_has_unread(const struct sp_stream *self, size_t count)
{
    if (self->ops != NULL && self->ops->has_unread != NULL)
        return self->ops->has_unread(self, count);
    return sp_io_unread_bytes(self->fd) >= count;
}

void sp_stream_shutdown_write(struct sp_stream *self)
{
    if (self->ops != NULL)
        self->ops->shutdown_write(self);
    else
        sp_net_finish(self->fd);
}

void sp_stream_drain(struct sp_stream *self)
{
    char unwanted[8 * 1024];
    size_t total = 0;
    ssize_t count;

    if (self->fd < 0)
        return;
    while (total < DRAIN_LIMIT_BYTES && (count = sp_io_receive(self->fd, unwanted, sizeof unwanted)) > 0)
        total += (size_t)count;
}

void sp_stream_close(struct sp_stream *self)
{
    if (self->ops != NULL)
        self->ops->close(self);
    else
        sp_descriptor_close(self->fd);
    *self = (struct sp_stream){.fd = -1};
}
