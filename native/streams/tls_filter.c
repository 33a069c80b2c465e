/* TLS between a connection and its descriptor. OpenSSL reads from the descriptor and writes to it; what the kernel does
 * not take is kept here, so that OpenSSL never has to be asked twice to send the same. As nothing new is encrypted
 * meanwhile, that is one record, or one step of a handshake. */
#include "streams/tls_openssl.h"

#include "core/chunk.h"
#include "core/monitor.h"
#include "util/list.h"
#include "util/memory.h"

#include <pthread.h>
#include <string.h>

/* The most that one record carries (RFC 8446, 5.1). */
#define RECORD_BYTES ((size_t)16 * 1024)

struct tls_filter {
    struct sp_filter base; /* first */
    SSL *ssl;
    int fd;
    int send_error;      /* the kernel takes nothing any more; 0: it does */
    const char *problem; /* what OpenSSL has found wrong, in its own words; NULL: nothing */
    uint8_t *unsent;     /* base.unsent_bytes of them; NULL: none */
};

static struct tls_filter *tls_of(struct sp_filter *base)
{
    return SP_CONTAINER(base, struct tls_filter, base);
}

/* ---- Between OpenSSL and the kernel ---- */

/* Returns how many the kernel has taken. */
static size_t send_some(struct tls_filter *self, const uint8_t *bytes, size_t count)
{
    ssize_t rc;

    do {
        rc = send(self->fd, bytes, count, MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (rc < 0 && errno == EINTR);
    if (rc >= 0)
        return (size_t)rc;
    if (errno != EAGAIN && errno != EWOULDBLOCK && errno != ENOBUFS)
        self->send_error = -errno;
    return 0;
}

static int keep_unsent(struct tls_filter *self, const uint8_t *bytes, size_t count)
{
    uint8_t *grown = sp_realloc(self->unsent, self->base.unsent_bytes + count);

    if (grown == NULL)
        return -ENOMEM;
    memcpy(grown + self->base.unsent_bytes, bytes, count);
    self->unsent = grown;
    self->base.unsent_bytes += count;
    return 0;
}

/* Takes all: an error of the kernel is reported by whoever has called OpenSSL. That way OpenSSL goes on reading what
 * the peer has sent before it left. */
static int bio_write(BIO *bio, const char *bytes, int count)
{
    struct tls_filter *self = BIO_get_data(bio);
    size_t sent = 0;

    if (self->base.unsent_bytes == 0 && self->send_error == 0)
        sent = send_some(self, (const uint8_t *)bytes, (size_t)count);
    if (self->send_error == 0 && sent < (size_t)count)
        self->send_error = keep_unsent(self, (const uint8_t *)bytes + sent, (size_t)count - sent);
    return count;
}

static int bio_read(BIO *bio, char *bytes, int count)
{
    const struct tls_filter *self = BIO_get_data(bio);
    ssize_t rc;

    BIO_clear_retry_flags(bio);
    do {
        rc = recv(self->fd, bytes, (size_t)count, MSG_DONTWAIT);
    } while (rc < 0 && errno == EINTR);
    if (rc < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        BIO_set_retry_read(bio);
    return (int)rc;
}

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

static int tls_flush(struct sp_filter *base)
{
    struct tls_filter *self = tls_of(base);

    if (base->unsent_bytes > 0 && self->send_error == 0) {
        size_t sent = send_some(self, self->unsent, base->unsent_bytes);
        base->unsent_bytes -= sent;
        memmove(self->unsent, self->unsent + sent, base->unsent_bytes);
    }
    if (base->unsent_bytes == 0) {
        sp_free(self->unsent);
        self->unsent = NULL;
    }
    return self->send_error;
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

/* The words are constants of OpenSSL. */
static const char *words_of_error(const SSL *ssl)
{
    unsigned long error = ERR_peek_error();

    if (ERR_GET_REASON(error) == SSL_R_CERTIFICATE_VERIFY_FAILED)
        return X509_verify_cert_error_string(SSL_get_verify_result(ssl));
    return ERR_reason_error_string(error);
}

/* Why a call has not done what it should, and leaves nothing in the thread's queue of errors, which the host's own use
 * of OpenSSL shares. 0: the peer has ended the stream. */
static int reason_of(struct tls_filter *self, int rc)
{
    int system_error = errno;
    int reason;

    switch (SSL_get_error(self->ssl, rc)) {
    case SSL_ERROR_WANT_READ:
        reason = -EAGAIN;
        break;
    case SSL_ERROR_ZERO_RETURN:
        reason = 0;
        break;
    case SSL_ERROR_SYSCALL:
        reason = system_error != 0 ? -system_error : -ECONNRESET;
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

    ERR_clear_error();
    errno = 0;
    int rc = SSL_do_handshake(self->ssl);
    if (rc == 1)
        return self->send_error < 0 ? self->send_error : 1;
    int reason = reason_of(self, rc);
    if (reason == -EAGAIN)
        return self->send_error;
    return reason < 0 ? reason : -ECONNRESET;
}

/* Fills one vector. Returns the number of bytes; *reason tells why they are fewer. */
static size_t read_vector(struct tls_filter *self, const struct iovec *vector, int *reason)
{
    size_t total = 0;

    *reason = 1;
    while (total < vector->iov_len) {
        size_t count;
        ERR_clear_error();
        errno = 0;
        int rc = SSL_read_ex(self->ssl, (char *)vector->iov_base + total, vector->iov_len - total, &count);
        if (rc <= 0) {
            *reason = reason_of(self, rc);
            break;
        }
        total += count;
    }
    return total;
}

static ssize_t tls_read(struct sp_filter *base, const struct iovec *vectors, int count)
{
    struct tls_filter *self = tls_of(base);
    size_t total = 0;
    int reason = 1;

    for (int i = 0; i < count && reason > 0; i++)
        total += read_vector(self, &vectors[i], &reason);
    /* An end is found again by the next call, which nothing else but has_input brings about. */
    base->has_input = total > 0 && reason != -EAGAIN && (reason <= 0 || SSL_has_pending(self->ssl));
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
    int rc = tls_flush(base);

    while (rc == 0 && base->unsent_bytes == 0) {
        for (; count > 0 && offset >= vectors->iov_len; vectors++, count--)
            offset -= vectors->iov_len;
        if (count == 0)
            break;
        size_t record_bytes;
        const void *record = next_record(vectors, count, offset, together, &record_bytes);
        ERR_clear_error();
        errno = 0;
        size_t written;
        int is_written = SSL_write_ex(self->ssl, record, record_bytes, &written);
        rc = is_written == 1 ? self->send_error : reason_of(self, is_written);
        if (is_written == 1)
            total += (ssize_t)record_bytes;
        else if (rc == 0 || rc == -EAGAIN)
            rc = -EPIPE;
        offset += record_bytes;
    }
    return rc < 0 ? rc : total;
}

static void tls_leave(struct sp_filter *base)
{
    struct tls_filter *self = tls_of(base);

    if (tls_flush(base) < 0 || base->unsent_bytes > 0 || (SSL_get_shutdown(self->ssl) & SSL_SENT_SHUTDOWN))
        return;
    ERR_clear_error();
    SSL_shutdown(self->ssl);
    ERR_clear_error();
}

static struct nn_chunk *tls_certificate(const struct sp_filter *base)
{
    const struct tls_filter *self = SP_CONTAINER(base, const struct tls_filter, base);
    const X509 *certificate = SSL_get0_peer_certificate(self->ssl);
    int count = certificate != NULL ? i2d_X509(certificate, NULL) : 0;
    struct nn_chunk *der = count > 0 ? sp_chunk_create((size_t)count) : NULL;

    if (der != NULL) {
        unsigned char *to = der->bytes;
        i2d_X509(certificate, &to);
    }
    ERR_clear_error();
    return der;
}

static void tls_tell(const struct sp_filter *base, struct sp_ends *ends)
{
    const struct tls_filter *self = SP_CONTAINER(base, const struct tls_filter, base);
    struct nn_chunk *certificate = ends->facts[NN_PEER_CERTIFICATE] == NULL ? tls_certificate(base) : NULL;

    if (certificate != NULL) {
        sp_ends_note_chunk(ends, NN_PEER_CERTIFICATE, certificate);
        sp_chunk_release(certificate);
    }
    if (self->problem != NULL)
        sp_ends_note(ends, NN_PEER_PROBLEM, self->problem, strlen(self->problem));
}

static void tls_close(struct sp_filter *base)
{
    struct tls_filter *self = tls_of(base);

    SSL_free(self->ssl);
    sp_free(self->unsent);
    sp_free(self);
}

static const struct sp_filter_ops tls_ops = {
    .shake_hands = tls_shake_hands,
    .read = tls_read,
    .write = tls_write,
    .flush = tls_flush,
    .leave = tls_leave,
    .certificate = tls_certificate,
    .tell = tls_tell,
    .close = tls_close,
};

/* ---- Opening ---- */

struct sp_filter *sp_tls_filter_open(SSL *ssl, int fd)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, make_method);
    struct tls_filter *self = sp_zalloc(sizeof *self);
    BIO *bio = self != NULL && method != NULL ? BIO_new(method) : NULL;
    if (bio == NULL) {
        ERR_clear_error();
        SSL_free(ssl);
        sp_free(self);
        return NULL;
    }
    self->base.ops = &tls_ops;
    self->ssl = ssl;
    self->fd = fd;
    BIO_set_data(bio, self);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl, bio, bio);
    return &self->base;
}
