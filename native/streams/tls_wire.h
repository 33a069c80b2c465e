/* What lies between OpenSSL and the kernel: records on their way in, as many as one turn of the loop may cost, and
 * bytes on their way out that the kernel does not take yet. */
#ifndef SP_STREAMS_TLS_WIRE_H
#define SP_STREAMS_TLS_WIRE_H

#include "streams/tls_openssl.h"

#include <stdint.h>

#define TLS_RECORD_HEADER_BYTES 5

struct tls_bytes {
    uint8_t *memory; /* NULL: none */
    size_t begin;
    size_t end;
    size_t capacity;
};

/* Where in the peer's stream of records we are. */
struct tls_record_place {
    uint8_t header[TLS_RECORD_HEADER_BYTES];
    size_t header_bytes; /* those that are known */
    size_t record_bytes; /* behind the header */
    size_t missing_bytes;
    bool is_past_first;
};

struct tls_wire {
    int fd;
    int send_error;    /* the kernel takes nothing any more; 0: it does */
    int receive_error; /* why the last read gave nothing (negative errno); 0: it gave something, or nothing yet */
    int spent;         /* of the turn's budget */
    bool is_gathering; /* what OpenSSL says meanwhile leaves with the next flush */
    struct tls_record_place place;
    struct tls_bytes unread; /* received, and more than the turn's budget allows */
    struct tls_bytes unsent;
};

/* Returns a BIO that reads from the descriptor and writes to it; NULL when memory is short. */
BIO *tls_wire_open(struct tls_wire *self, int fd);
void tls_wire_close(struct tls_wire *self);

/* The budget of one call of a connection. A peer's records cost it, and those that bring data give nearly all of that
 * back: what a peer can make OpenSSL do without sending data is bounded, and the loop goes on with other peers. */
void tls_wire_begin_turn(struct tls_wire *self);
void tls_wire_delivered(struct tls_wire *self, size_t data_bytes);

static inline bool tls_wire_has_unread(const struct tls_wire *self)
{
    return self->unread.begin < self->unread.end;
}

static inline size_t tls_wire_unsent_bytes(const struct tls_wire *self)
{
    return self->unsent.end - self->unsent.begin;
}

/* Reads until the peer's first record is complete, or shows that it is no handshake. Until then OpenSSL needs not
 * begin, which takes it 64 KiB: peers that say a byte and nothing more cost little. Returns 1; 0 when more has to come;
 * -errno. */
int tls_wire_await_first_record(struct tls_wire *self);

/* Passes on what is unsent. Returns 0 or -errno. */
int tls_wire_flush(struct tls_wire *self);

#endif
