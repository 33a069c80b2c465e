/* Records come in by a BIO of our own, which counts them; what OpenSSL writes is kept when the kernel does not take it,
 * so that OpenSSL never has to be asked twice to send the same. */
#include "streams/tls_wire.h"

#include "platform/stream_io.h"
#include "platform/thread.h"
#include "util/bytes.h"
#include "util/memory.h"
#include <string.h>

/* One turn handles up to TURN_BUDGET records with data, or TURN_BUDGET / RECORD_COST that bring none: to renew keys
 * costs some 50 us, so that these take a few milliseconds. A long record costs more, as it may hold many messages. */
#define TURN_BUDGET 2048
#define RECORD_COST 64
#define COST_STEP_BYTES 1024

/* ---- Bytes that are kept ---- */

static void bytes_clear(struct tls_bytes *self)
{
    sp_free(self->memory);
    *self = (struct tls_bytes){0};
}

/* Drops the first `count` bytes. */
static void bytes_consume(struct tls_bytes *self, size_t count)
{
    self->begin += count;
    if (self->begin == self->end)
        bytes_clear(self);
}

/* Makes room behind the end. What is kept moves only where that frees half of the memory, or doubles it: each byte
 * moves a bounded number of times. */
static int bytes_reserve(struct tls_bytes *self, size_t count)
{
    size_t used = self->end - self->begin;
    size_t needed = used + count;

    if (self->capacity - self->end >= count)
        return 0;
    if (needed > self->capacity / 2) {
        size_t capacity = needed > self->capacity * 2 ? needed : self->capacity * 2;
        uint8_t *grown = sp_realloc(self->memory, capacity);
        if (grown == NULL)
            return -ENOMEM;
        self->memory = grown;
        self->capacity = capacity;
    }
    memmove(self->memory, self->memory + self->begin, used);
    self->begin = 0;
    self->end = used;
    return 0;
}

static int bytes_append(struct tls_bytes *self, const uint8_t *bytes, size_t count)
{
    if (bytes_reserve(self, count) < 0)
        return -ENOMEM;
    memcpy(self->memory + self->end, bytes, count);
    self->end += count;
    return 0;
}

/* ---- Sending ---- */

static void send_failed(struct tls_wire *self, int error)
{
    self->send_error = error;
    bytes_clear(&self->unsent); /* the peer will not take it */
}

/* Returns how many the kernel has taken. */
static size_t send_some(struct tls_wire *self, const uint8_t *bytes, size_t count)
{
    struct iovec vector = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = count};
    ssize_t rc = sp_io_write(self->fd, &vector, 1);

    if (rc >= 0)
        return (size_t)rc;
    send_failed(self, (int)rc);
    return 0;
}

/* Takes all: the caller of OpenSSL reports an error of the kernel. That way OpenSSL goes on reading what
 * the peer has sent before it left. */
static int bio_write(BIO *bio, const char *bytes, int count)
{
    struct tls_wire *self = BIO_get_data(bio);
    size_t sent = 0;

    if (tls_wire_unsent_bytes(self) == 0 && self->send_error == 0 && !self->is_gathering)
        sent = send_some(self, (const uint8_t *)bytes, (size_t)count);
    if (self->send_error == 0 && sent < (size_t)count &&
        bytes_append(&self->unsent, (const uint8_t *)bytes + sent, (size_t)count - sent) < 0)
        send_failed(self, -ENOMEM);
    return count;
}

int tls_wire_flush(struct tls_wire *self)
{
    size_t count = tls_wire_unsent_bytes(self);

    if (count > 0 && self->send_error == 0) {
        size_t sent = send_some(self, self->unsent.memory + self->unsent.begin, count);
        if (self->send_error == 0)
            bytes_consume(&self->unsent, sent);
    }
    return self->send_error;
}

/* ---- Receiving ---- */

static int cost_of(size_t bytes)
{
    return RECORD_COST * (1 + (int)(bytes / COST_STEP_BYTES));
}

void tls_wire_begin_turn(struct tls_wire *self)
{
    self->spent = 0;
}

void tls_wire_delivered(struct tls_wire *self, size_t data_bytes)
{
    self->spent -= cost_of(data_bytes) - 1;
    if (self->spent < 0)
        self->spent = 0; /* a record that was delivered in parts */
}

/* Takes the next byte of a header. OpenSSL also accepts the ClientHello of SSL 2 as the first record, whose header is
 * shorter. Returns whether the length is known. */
static bool place_take_header(struct tls_record_place *self, uint8_t byte)
{
    self->header[self->header_bytes++] = byte;
    bool is_of_ssl2 = !self->is_past_first && (self->header[0] & 0x80) != 0;
    if (self->header_bytes < (is_of_ssl2 ? 2 : TLS_RECORD_HEADER_BYTES))
        return false;
    self->record_bytes = is_of_ssl2 ? sp_get_u16(self->header) & 0x7fffu : sp_get_u16(self->header + 3);
    self->missing_bytes = self->record_bytes;
    self->header_bytes = 0;
    self->is_past_first = true;
    return true;
}

/* How many of these bytes this turn may still handle: up to the end of the record with which the budget is spent. */
static size_t spend(struct tls_wire *self, const uint8_t *bytes, size_t count)
{
    struct tls_record_place *place = &self->place;
    size_t used = 0;

    while (used < count && self->spent < TURN_BUDGET) {
        if (place->missing_bytes == 0 && !place_take_header(place, bytes[used++]))
            continue;
        size_t some = place->missing_bytes < count - used ? place->missing_bytes : count - used;
        place->missing_bytes -= some;
        used += some;
        if (place->missing_bytes == 0)
            self->spent += cost_of(place->record_bytes);
    }
    return used;
}

/* Returns the number of bytes; 0: nothing there now, or an error in receive_error. */
static size_t receive(struct tls_wire *self, uint8_t *bytes, size_t count)
{
    ssize_t rc = sp_io_receive(self->fd, bytes, count);

    if (rc > 0)
        return (size_t)rc;
    /* An end that the peer has not announced by close_notify may be forged. */
    if (rc == 0)
        self->receive_error = -ECONNRESET;
    else if (rc != -EAGAIN)
        self->receive_error = (int)rc;
    return 0;
}

static size_t read_kept(struct tls_wire *self, uint8_t *bytes, size_t count)
{
    size_t kept = self->unread.end - self->unread.begin;
    size_t used = spend(self, self->unread.memory + self->unread.begin, kept < count ? kept : count);

    memcpy(bytes, self->unread.memory + self->unread.begin, used);
    bytes_consume(&self->unread, used);
    return used;
}

static size_t read_new(struct tls_wire *self, uint8_t *bytes, size_t count)
{
    size_t received = receive(self, bytes, count);
    size_t used = spend(self, bytes, received);

    if (used < received && bytes_append(&self->unread, bytes + used, received - used) < 0) {
        self->receive_error = -ENOMEM;
        return 0;
    }
    return used;
}

static int bio_read(BIO *bio, char *bytes, int count)
{
    struct tls_wire *self = BIO_get_data(bio);
    size_t read = 0;

    BIO_clear_retry_flags(bio);
    self->receive_error = 0;
    if (self->spent < TURN_BUDGET && tls_wire_unsent_bytes(self) < SP_FILTER_UNSENT_LIMIT_BYTES)
        read = tls_wire_has_unread(self) ? read_kept(self, (uint8_t *)bytes, (size_t)count)
                                         : read_new(self, (uint8_t *)bytes, (size_t)count);
    if (read > 0)
        return (int)read;
    if (self->receive_error == 0)
        BIO_set_retry_read(bio);
    return -1;
}

/* ---- The first record ---- */

#define HANDSHAKE_RECORD 0x16
/* Of those that OpenSSL accepts. */
#define MAX_RECORD_BYTES ((size_t)(16 + 2) * 1024)
/* Most first records are shorter. */
#define FIRST_READ_BYTES ((size_t)2 * 1024)

static bool has_first_record(const struct tls_wire *self)
{
    size_t count = self->unread.end - self->unread.begin;

    if (count == 0)
        return false; /* there may be no memory yet */
    const uint8_t *bytes = self->unread.memory + self->unread.begin;
    if (bytes[0] != HANDSHAKE_RECORD)
        return true; /* for OpenSSL to refuse */
    if (count < TLS_RECORD_HEADER_BYTES)
        return false;
    size_t record_bytes = sp_get_u16(bytes + 3);
    return record_bytes > MAX_RECORD_BYTES || count >= TLS_RECORD_HEADER_BYTES + record_bytes;
}

int tls_wire_await_first_record(struct tls_wire *self)
{
    uint8_t bytes[FIRST_READ_BYTES];

    self->receive_error = 0;
    while (!has_first_record(self)) {
        size_t count = receive(self, bytes, sizeof bytes);
        if (count == 0)
            return self->receive_error;
        if (bytes_append(&self->unread, bytes, count) < 0)
            return -ENOMEM;
    }
    return 1;
}

/* ---- Opening, closing ---- */

static long bio_control(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH;
}

static BIO_METHOD *method;

static void make_method(void)
{
    BIO_METHOD *made = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "nanomsg");

    if (made != NULL) {
        BIO_meth_set_write(made, bio_write);
        BIO_meth_set_read(made, bio_read);
        BIO_meth_set_ctrl(made, bio_control);
    }
    method = made;
}

BIO *tls_wire_open(struct tls_wire *self, int fd)
{
    static struct sp_once once = SP_ONCE_INIT;

    sp_once_run(&once, make_method);
    BIO *bio = method != NULL ? BIO_new(method) : NULL;
    if (bio == NULL)
        return NULL;
    self->fd = fd;
    BIO_set_data(bio, self);
    BIO_set_init(bio, 1);
    return bio;
}

void tls_wire_close(struct tls_wire *self)
{
    bytes_clear(&self->unread);
    bytes_clear(&self->unsent);
}
