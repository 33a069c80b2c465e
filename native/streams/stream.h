/* The bytes of a connection, both ways: its descriptor, and the filter that may lie between, such as TLS. */
#ifndef SP_STREAMS_STREAM_H
#define SP_STREAMS_STREAM_H

#include "streams/descriptor.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

struct nn_chunk;
struct sp_peer_info;
struct sp_filter;

/* None of these blocks. Whoever calls them looks at the two members of struct sp_filter afterwards. */
struct sp_filter_ops {
    /* Goes on to agree with the peer, as far as one turn of the loop may take it. Returns 1 when that is done; 0 when more has to come from the peer; -EACCES when
     * one of the two does not accept the other's certificate; another -errno. */
    int (*shake_hands)(struct sp_filter *self);
    /* As readv and sendmsg, but for two things: -errno is returned, and 0 when nothing can be sent now. */
    ssize_t (*read)(struct sp_filter *self, const struct iovec *vectors, int count);
    ssize_t (*write)(struct sp_filter *self, const struct iovec *vectors, int count);
    /* Passes on what is unsent. Returns 0 or -errno. */
    int (*flush)(struct sp_filter *self);
    /* Tells the peer that nothing more comes, if the kernel takes that now. */
    void (*leave)(struct sp_filter *self);
    /* The peer's certificate in DER, as a new reference; NULL: there is none. */
    struct nn_chunk *(*certificate)(const struct sp_filter *self);
    /* Notes what is known of the peer, and what was wrong. */
    void (*tell)(const struct sp_filter *self, struct sp_peer_info *ends);
    void (*close)(struct sp_filter *self);
};

/* A filter that holds as much unsent reads nothing more: a peer that makes it answer has to take the answers first. What
 * it holds stays below 64 KiB. */
#define SP_FILTER_UNSENT_LIMIT_BYTES ((size_t)60 * 1024)

struct sp_filter {
    const struct sp_filter_ops *ops;
    size_t unsent_bytes; /* taken by `write`, and not by the kernel */
    bool has_input;      /* holds bytes, or an end, that the descriptor does not announce */
};

static inline bool sp_filter_is_choked(const struct sp_filter *self)
{
    return self->unsent_bytes >= SP_FILTER_UNSENT_LIMIT_BYTES;
}

/* Makes a filter for each connection of an endpoint. */
struct sp_filter_source {
    /* The descriptor stays the caller's. Returns NULL when memory is short. */
    struct sp_filter *(*open)(struct sp_filter_source *self, int fd);
    /* Whether both, of bound endpoints, present themselves alike and expect the same of peers. */
    bool (*is_same)(const struct sp_filter_source *self, const struct sp_filter_source *other);
    void (*close)(struct sp_filter_source *self); /* the filters stay */
};

struct sp_stream {
    int fd;
    struct sp_filter *filter; /* NULL: none */
};

/* Returns the number of bytes, 0 at the end of the stream, or -errno (-EAGAIN: nothing there). */
static inline ssize_t sp_stream_read(struct sp_stream *self, const struct iovec *vectors, int count)
{
    ssize_t rc;

    if (self->filter != NULL)
        return self->filter->ops->read(self->filter, vectors, count);
    do {
        rc = readv(self->fd, vectors, count);
    } while (rc < 0 && errno == EINTR);
    return rc < 0 ? -errno : rc;
}

/* Returns the number of bytes that are taken, which may be 0, or -errno. */
static inline ssize_t sp_stream_write(struct sp_stream *self, struct iovec *vectors, int count)
{
    struct msghdr header = {.msg_iov = vectors, .msg_iovlen = (size_t)count};
    ssize_t rc;

    if (self->filter != NULL)
        return self->filter->ops->write(self->filter, vectors, count);
    do {
        rc = sendmsg(self->fd, &header, MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (rc < 0 && errno == EINTR);
    if (rc < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS))
        return 0;
    return rc < 0 ? -errno : rc;
}

/* Nothing more is sent. */
static inline void sp_stream_leave(struct sp_stream *self)
{
    if (self->filter != NULL)
        self->filter->ops->leave(self->filter);
    shutdown(self->fd, SHUT_WR);
}

static inline void sp_stream_close(struct sp_stream *self)
{
    if (self->filter != NULL)
        self->filter->ops->close(self->filter);
    sp_descriptor_close(self->fd);
    *self = (struct sp_stream){.fd = -1};
}

#endif
