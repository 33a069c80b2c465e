/* TLS between a connection and its descriptor. OpenSSL reads and writes by way of tls_wire.c. Nothing new is encrypted
 * while something is unsent: what a connection writes leaves one record unsent at most. */
#include "streams/tls_wire.h"

#include "message/chunk.h"
#include "core/peer_info.h"
#include "util/invariant.h"
#include "util/list.h"
#include "util/memory.h"

#include <stdatomic.h>
#include <string.h>

/* The most that one record carries (RFC 8446, 5.1). */
#define RECORD_BYTES ((size_t)16 * 1024)

struct tls_filter {
    struct sp_filter base; /* first */
    SSL *ssl;
    struct tls_wire wire;
    bool has_begun;      /* OpenSSL has: it is a client's, or the client's first record is there */
    const char *problem; /* what OpenSSL has found wrong, in its own words; NULL: nothing */
    struct tls_filter *next_left;
};

/* Filters that were closed when OpenSSL had ended with the process: they cannot be freed, and are no leaks. */
static _Atomic(struct tls_filter *) last_left;

static struct tls_filter *tls_of(struct sp_filter *base)
{
    return SP_CONTAINER(base, struct tls_filter, base);
}

static int tls_flush(struct sp_filter *base)
{
    struct tls_filter *self = tls_of(base);
    int rc = tls_wire_flush(&self->wire);

    base->unsent_bytes = tls_wire_unsent_bytes(&self->wire);
    return rc;
}

/* ---- Errors ---- */

/* Whether the first error is that one side does not accept the other's certificate (RFC 8446, 6.2). */
static bool is_about_certificate(void)
{
    switch (ERR_GET_REASON(ERR_peek_error())) {
    case SSL_R_CERTIFICATE_VERIFY_FAILED:
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_TLSV1_ALERT_ACCESS_DENIED:
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
        return true;
    default:
        return false;
    }
}

/* The words are constants. */
static const char *words_of_error(const SSL *ssl)
{
    unsigned long error = ERR_peek_error();

    if (ERR_GET_REASON(error) != SSL_R_CERTIFICATE_VERIFY_FAILED)
        return ERR_reason_error_string(error);
    long result = SSL_get_verify_result(ssl);
    return result == TLS_NO_NAMES_ERROR ? "no subjectAltName in the certificate, and its common name does not count"
                                        : X509_verify_cert_error_string(result);
}

/* Why a call has not done what it should, and leaves nothing in the thread's queue of errors, which the host's own use
 * of OpenSSL shares. 0: the peer has ended the stream. errno is of no use here: OpenSSL may have changed it. */
static int reason_of(struct tls_filter *self, int rc)
{
    int reason;

    switch (SSL_get_error(self->ssl, rc)) {
    case SSL_ERROR_WANT_READ:
        reason = -EAGAIN;
        break;
    case SSL_ERROR_ZERO_RETURN:
        reason = 0;
        break;
    case SSL_ERROR_SYSCALL:
        reason = self->wire.receive_error != 0 ? self->wire.receive_error : -ECONNRESET;
        break;
    default:
        reason = is_about_certificate() ? -EACCES : -EPROTO;
        self->problem = words_of_error(self->ssl);
    }
    ERR_clear_error();
    return reason;
}

/* ---- What a connection calls ---- */

static int tls_shake_hands(struct sp_filter *base)
{
    struct tls_filter *self = tls_of(base);

    if (sp_tls_is_over())
        return -ECONNABORTED;
    if (sp_filter_is_choked(base))
        return 0;
    int first = self->has_begun ? 1 : tls_wire_await_first_record(&self->wire);
    if (first <= 0)
        return first;
    self->has_begun = true;
    tls_wire_begin_turn(&self->wire);
    ERR_clear_error();
    int rc = SSL_do_handshake(self->ssl);
    int reason = rc == 1 ? 1 : reason_of(self, rc);
    base->unsent_bytes = tls_wire_unsent_bytes(&self->wire);
    base->has_input = tls_wire_has_unread(&self->wire);
    if (self->wire.send_error < 0 && (rc == 1 || reason == -EAGAIN))
        return self->wire.send_error;
    if (reason == -EAGAIN)
        return 0;
    return reason != 0 ? reason : -ECONNRESET;
}

/* Fills one vector. Returns the number of bytes; *reason says why they are fewer. */
static size_t read_vector(struct tls_filter *self, const struct iovec *vector, int *reason)
{
    size_t total = 0;

    *reason = 1;
    while (total < vector->iov_len) {
        size_t count;
        SP_INVARIANT(tls_wire_unsent_bytes(&self->wire) <= (size_t)64 * 1024, "more is unsent than a peer may cause");
        ERR_clear_error();
        int rc = SSL_read_ex(self->ssl, (char *)vector->iov_base + total, vector->iov_len - total, &count);
        if (rc <= 0) {
            *reason = reason_of(self, rc);
            break;
        }
        tls_wire_delivered(&self->wire, count);
        total += count;
    }
    return total;
}

/* What OpenSSL answers to what it reads leaves together. */
static ssize_t tls_read(struct sp_filter *base, const struct iovec *vectors, int count)
{
    struct tls_filter *self = tls_of(base);
    size_t total = 0;
    int reason = 1;

    if (sp_tls_is_over())
        return -ECONNABORTED;
    if (sp_filter_is_choked(base))
        return -EAGAIN;
    tls_wire_begin_turn(&self->wire);
    self->wire.is_gathering = true;
    for (int i = 0; i < count && reason > 0; i++)
        total += read_vector(self, &vectors[i], &reason);
    self->wire.is_gathering = false;
    tls_flush(base); /* the next write finds an error again */
    /* An end is found again by the next call, which nothing else but has_input brings about. */
    bool has_ended = total > 0 && reason <= 0 && reason != -EAGAIN;
    bool has_pending = reason > 0 && SSL_has_pending(self->ssl);
    base->has_input = has_ended || has_pending || tls_wire_has_unread(&self->wire);
    return total > 0 ? (ssize_t)total : reason;
}

/* Where the next record is: in the first vector if that fills one or is all that is left, else put together. */
static const void *next_record(const struct iovec *vectors, int count, size_t offset, uint8_t together[RECORD_BYTES],
                               size_t *record_bytes)
{
    size_t total = 0;

    if (count == 1 || vectors[0].iov_len - offset >= RECORD_BYTES) {
        size_t left = vectors[0].iov_len - offset;
        *record_bytes = left < RECORD_BYTES ? left : RECORD_BYTES;
        return (const uint8_t *)vectors[0].iov_base + offset;
    }
    for (int i = 0; i < count && total < RECORD_BYTES; i++) {
        size_t left = vectors[i].iov_len - offset;
        size_t taken = left < RECORD_BYTES - total ? left : RECORD_BYTES - total;
        if (taken > 0)
            memcpy(together + total, (const uint8_t *)vectors[i].iov_base + offset, taken);
        total += taken;
        offset = 0;
    }
    *record_bytes = total;
    return together;
}

static ssize_t tls_write(struct sp_filter *base, const struct iovec *vectors, int count)
{
    struct tls_filter *self = tls_of(base);
    uint8_t together[RECORD_BYTES];
    size_t offset = 0; /* in the first vector */
    ssize_t total = 0;
    int rc = sp_tls_is_over() ? -ECONNABORTED : tls_flush(base);

    while (rc == 0 && base->unsent_bytes == 0) {
        for (; count > 0 && offset >= vectors->iov_len; vectors++, count--)
            offset -= vectors->iov_len;
        if (count == 0)
            break;
        size_t record_bytes;
        const void *record = next_record(vectors, count, offset, together, &record_bytes);
        ERR_clear_error();
        size_t written;
        int is_written = SSL_write_ex(self->ssl, record, record_bytes, &written);
        base->unsent_bytes = tls_wire_unsent_bytes(&self->wire);
        rc = is_written == 1 ? self->wire.send_error : reason_of(self, is_written);
        if (is_written == 1)
            total += (ssize_t)record_bytes;
        else if (rc == 0 || rc == -EAGAIN)
            rc = -EPIPE;
        offset += record_bytes;
    }
    return rc < 0 ? rc : total;
}

static void tls_shutdown_write(struct sp_filter *base)
{
    struct tls_filter *self = tls_of(base);

    if (sp_tls_is_over() || tls_flush(base) < 0 || base->unsent_bytes > 0 ||
        (SSL_get_shutdown(self->ssl) & SSL_SENT_SHUTDOWN))
        return;
    ERR_clear_error();
    SSL_shutdown(self->ssl);
    ERR_clear_error();
}

static struct nn_chunk *tls_certificate(const struct sp_filter *base)
{
    const struct tls_filter *self = SP_CONST_CONTAINER(base, struct tls_filter, base);
    const X509 *certificate = sp_tls_is_over() ? NULL : SSL_get0_peer_certificate(self->ssl);
    int count = certificate != NULL ? i2d_X509(certificate, NULL) : 0;
    struct nn_chunk *der = count > 0 ? sp_chunk_create((size_t)count) : NULL;

    if (der != NULL) {
        unsigned char *to = der->bytes;
        i2d_X509(certificate, &to);
        ERR_clear_error();
    }
    return der;
}

static void tls_describe_peer(const struct sp_filter *base, struct sp_peer_info *info)
{
    const struct tls_filter *self = SP_CONST_CONTAINER(base, struct tls_filter, base);
    struct nn_chunk *certificate = info->properties[NN_PEER_CERTIFICATE] == NULL ? tls_certificate(base) : NULL;

    if (certificate != NULL) {
        sp_peer_info_note_chunk(info, NN_PEER_CERTIFICATE, certificate);
        sp_chunk_release(certificate);
    }
    if (self->problem != NULL)
        sp_peer_info_note(info, NN_PEER_PROBLEM, self->problem, strlen(self->problem));
}

static void tls_close(struct sp_filter *base)
{
    struct tls_filter *self = tls_of(base);

    if (sp_tls_is_over()) {
        self->next_left = atomic_exchange(&last_left, self);
        return;
    }
    SSL_free(self->ssl);
    tls_wire_close(&self->wire);
    sp_free(self);
}

static const struct sp_filter_ops tls_ops = {
    .shake_hands = tls_shake_hands,
    .read = tls_read,
    .write = tls_write,
    .flush = tls_flush,
    .shutdown_write = tls_shutdown_write,
    .certificate = tls_certificate,
    .describe_peer = tls_describe_peer,
    .close = tls_close,
};

/* ---- Opening ---- */

struct sp_filter *sp_tls_filter_open(SSL *ssl, int fd)
{
    struct tls_filter *self = sp_zalloc(sizeof *self);
    BIO *bio = self != NULL ? tls_wire_open(&self->wire, fd) : NULL;

    if (bio == NULL) {
        ERR_clear_error();
        SSL_free(ssl);
        sp_free(self);
        return NULL;
    }
    self->base.ops = &tls_ops;
    self->ssl = ssl;
    self->has_begun = !SSL_is_server(ssl);
    SSL_set_bio(ssl, bio, bio);
    return &self->base;
}
