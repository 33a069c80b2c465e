/* A peer's half of TLS: OpenSSL between two memory BIOs. */
#include "peer.h"

#include "check.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <string.h>

#define DAY_SECONDS (24 * 60 * 60L)
#define PEM_LIMIT_BYTES 4096

struct peer_tls {
    SSL *ssl;
};

struct identity {
    X509 *x509;
    EVP_PKEY *key;
    char pem[PEM_LIMIT_BYTES]; /* the certificate, then the key */
};

/* ---- Certificates, made once ---- */

static void add_extension(X509 *x509, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;

    X509V3_set_ctx(&context, issuer, x509, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    CHECK(extension != NULL && X509_add_ext(x509, extension, -1) == 1);
    X509_EXTENSION_free(extension);
}

static void write_pem(struct identity *self)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *bytes;

    CHECK(PEM_write_bio_X509(bio, self->x509) == 1);
    CHECK(PEM_write_bio_PrivateKey(bio, self->key, NULL, NULL, 0, NULL, NULL) == 1);
    size_t count = (size_t)BIO_get_mem_data(bio, &bytes);
    CHECK(count < sizeof self->pem);
    memcpy(self->pem, bytes, count);
    self->pem[count] = '\0';
    BIO_free(bio);
}

/* issuer: NULL for the authority. */
static void make_identity(struct identity *self, const struct identity *issuer)
{
    X509 *x509 = X509_new();
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509_NAME *name = X509_get_subject_name(x509);

    X509_set_version(x509, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), issuer == NULL ? 1 : 2);
    X509_gmtime_adj(X509_getm_notBefore(x509), -DAY_SECONDS);
    X509_gmtime_adj(X509_getm_notAfter(x509), 365 * DAY_SECONDS);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)(issuer == NULL ? "authority" : "peer"),
                               -1, -1, 0);
    X509_set_issuer_name(x509, issuer == NULL ? name : X509_get_subject_name(issuer->x509));
    X509_set_pubkey(x509, key);
    if (issuer == NULL)
        add_extension(x509, x509, NID_basic_constraints, "critical,CA:TRUE");
    else
        add_extension(x509, issuer->x509, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1");
    CHECK(X509_sign(x509, issuer == NULL ? key : issuer->key, EVP_sha256()) > 0);
    self->x509 = x509;
    self->key = key;
    write_pem(self);
}

static struct identity authority;
static struct identity certified;

static void make_identities(void)
{
    if (authority.x509 != NULL)
        return;
    make_identity(&authority, NULL);
    make_identity(&certified, &authority);
}

const char *peer_tls_authority(void)
{
    make_identities();
    return authority.pem;
}

const char *peer_tls_certificate(void)
{
    make_identities();
    return certified.pem;
}

/* ---- Sessions ---- */

static SSL_CTX *make_context(bool has_certificate)
{
    SSL_CTX *context = SSL_CTX_new(TLS_method());

    CHECK(context != NULL);
    make_identities();
    if (has_certificate) {
        CHECK(SSL_CTX_use_certificate(context, certified.x509) == 1);
        CHECK(SSL_CTX_use_PrivateKey(context, certified.key) == 1);
    }
    return context;
}

/* With a certificate or without, made once: contexts are dear. */
static SSL_CTX *context_of(bool has_certificate)
{
    static SSL_CTX *contexts[2];

    if (contexts[has_certificate] == NULL)
        contexts[has_certificate] = make_context(has_certificate);
    return contexts[has_certificate];
}

struct peer_tls *peer_tls_open(bool is_server, bool has_certificate, int version)
{
    struct peer_tls *self = malloc(sizeof *self);

    CHECK(self != NULL);
    self->ssl = SSL_new(context_of(has_certificate));
    CHECK(self->ssl != NULL);
    SSL_set_bio(self->ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_max_proto_version(self->ssl, version);
    if (is_server)
        SSL_set_accept_state(self->ssl);
    else
        SSL_set_connect_state(self->ssl);
    SSL_do_handshake(self->ssl);
    return self;
}

void peer_tls_close(struct peer_tls *self)
{
    SSL_free(self->ssl);
    free(self);
    ERR_clear_error();
}

void peer_tls_feed(struct peer_tls *self, const void *bytes, size_t count)
{
    BIO_write(SSL_get_rbio(self->ssl), bytes, (int)count);
    if (!SSL_is_init_finished(self->ssl))
        SSL_do_handshake(self->ssl);
}

size_t peer_tls_drain(struct peer_tls *self, void *bytes, size_t count)
{
    int got = BIO_read(SSL_get_wbio(self->ssl), bytes, (int)count);

    return got > 0 ? (size_t)got : 0;
}

void peer_tls_write(struct peer_tls *self, const void *bytes, size_t count)
{
    if (count > 0)
        SSL_write(self->ssl, bytes, (int)count);
    ERR_clear_error();
}

size_t peer_tls_read(struct peer_tls *self, void *bytes, size_t count)
{
    int got = SSL_read(self->ssl, bytes, (int)count);

    ERR_clear_error();
    return got > 0 ? (size_t)got : 0;
}

void peer_tls_shut_down(struct peer_tls *self)
{
    SSL_shutdown(self->ssl);
    ERR_clear_error();
}

void peer_tls_renew(struct peer_tls *self, bool wants_answer)
{
    if (SSL_version(self->ssl) == TLS1_3_VERSION)
        SSL_key_update(self->ssl, wants_answer ? SSL_KEY_UPDATE_REQUESTED : SSL_KEY_UPDATE_NOT_REQUESTED);
    else
        SSL_renegotiate(self->ssl);
    SSL_do_handshake(self->ssl);
    ERR_clear_error();
}
