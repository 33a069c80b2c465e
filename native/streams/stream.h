/* The bytes of a connection, both ways: by its descriptor, with a filter such as TLS between, or by the host. */
#ifndef SP_STREAMS_STREAM_H
#define SP_STREAMS_STREAM_H

#include "loop/loop.h"
#include "platform/stream_io.h"
#include "streams/descriptor.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

struct nn_chunk;
struct sp_peer_info;
struct sp_filter;
struct sp_stream;

/* None of these blocks. The caller looks at the two members of struct sp_filter afterwards. */
struct sp_filter_ops {
    /* Goes on to agree with the peer, as far as one turn of the loop may take it. Returns 1 when that is done; 0 when
     * more has to come from the peer; -EACCES when one of the two does not accept the other's certificate; another
     * -errno. */
    int (*shake_hands)(struct sp_filter *self);
    /* As sp_io_read and sp_io_write. */
    ssize_t (*read)(struct sp_filter *self, const struct iovec *vectors, int count);
    ssize_t (*write)(struct sp_filter *self, const struct iovec *vectors, int count);
    /* Passes on what is unsent. Returns 0 or -errno. */
    int (*flush)(struct sp_filter *self);
    /* Tells the peer that nothing more comes, if the kernel takes that now. */
    void (*shutdown_write)(struct sp_filter *self);
    /* The peer's certificate in DER, as a new reference; NULL: there is none. */
    struct nn_chunk *(*certificate)(const struct sp_filter *self);
    /* Notes what is known of the peer, and what was wrong. */
    void (*describe_peer)(const struct sp_filter *self, struct sp_peer_info *info);
    void (*close)(struct sp_filter *self);
};

/* A filter that holds as much unsent reads nothing more: a peer that makes it answer has to take the answers first.
 * What it holds stays below 64 KiB. */
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

/* What a stream does: a descriptor with a filter (sp_filtered_stream), a stream that the host of the loop carries
 * (host_stream.c), bytes in memory (remains.c, which only reads). A descriptor alone needs no table: it is inline
 * below. */
struct sp_stream_ops {
    ssize_t (*read)(struct sp_stream *self, const struct iovec *vectors, int count);
    ssize_t (*write)(struct sp_stream *self, struct iovec *vectors, int count);
    /* What the connection waits for, SP_READABLE and SP_WRITABLE. NULL: the loop watches the descriptor. */
    void (*want)(struct sp_stream *self, unsigned wanted);
    /* Whether that number of bytes can be read, or any where the number is not known. NULL: the descriptor says it. */
    bool (*has_unread)(const struct sp_stream *self, size_t count);
    void (*shutdown_write)(struct sp_stream *self);
    void (*close)(struct sp_stream *self);
};

struct sp_stream {
    int fd;                          /* -1: none */
    const struct sp_stream_ops *ops; /* NULL: those of a descriptor */
    struct sp_filter *filter;        /* NULL: none */
    void *host;                      /* of a host's stream */
};

extern const struct sp_stream_ops sp_filtered_stream;

/* The host carries the bytes: there is no descriptor, and what is written stays in the connection's queue until the
 * host takes it. */
static inline bool sp_stream_is_hosted(const struct sp_stream *self)
{
    return self->ops != NULL && self->ops->want != NULL;
}

/* Returns the number of bytes, 0 at the end of the stream, or -errno (-EAGAIN: nothing there). */
static inline ssize_t sp_stream_read(struct sp_stream *self, const struct iovec *vectors, int count)
{
    if (self->ops != NULL)
        return self->ops->read(self, vectors, count);
    return sp_io_read(self->fd, vectors, count);
}

/* Returns the number of bytes that are taken, which may be 0, or -errno. */
static inline ssize_t sp_stream_write(struct sp_stream *self, struct iovec *vectors, int count)
{
    if (self->ops != NULL)
        return self->ops->write(self, vectors, count);
    return sp_io_write(self->fd, vectors, count);
}

/* Has the connection's handler called when the stream is as wanted. watch: the connection's, of the descriptor; its
 * `wanted` is kept for hosts as well. Returns 0 or -errno. */
static inline int sp_stream_want(struct sp_stream *self, struct sp_watch *watch, unsigned wanted)
{
    if (!sp_stream_is_hosted(self))
        return sp_watch_want(watch, wanted);
    watch->wanted = wanted;
    self->ops->want(self, wanted);
    return 0;
}

bool sp_stream_has_unread(const struct sp_stream *self, size_t count);
/* Nothing more is sent. */
void sp_stream_shutdown_write(struct sp_stream *self);
/* Reads and drops what has come, up to a limit: closing a descriptor with unread data sends a reset, which can destroy
 * data that the peer has not read. */
void sp_stream_drain(struct sp_stream *self);
void sp_stream_close(struct sp_stream *self);

#endif
