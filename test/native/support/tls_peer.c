/* Certificates and peers of TLS. */
#include "tls_peer.h"

#include "sockets.h"

#include <nanomsg/tls.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define IDENTITIES 16
#define KEPT 64
#define DAY_SECONDS (24 * 60 * 60L)

/* ---- Certificates ---- */

void *tls_keep(void *memory)
{
    static void *kept[KEPT]; /* the leak checker ignores what is reachable */
    static int count;

    CHECK(memory != NULL && count < KEPT);
    return kept[count++] = memory;
}

static char *text_of(BIO *bio)
{
    char *bytes;
    long count = BIO_get_mem_data(bio, &bytes);
    char *text = tls_keep(malloc((size_t)count + 1));

    CHECK(count > 0);
    memcpy(text, bytes, (size_t)count);
    text[count] = '\0';
    BIO_free(bio);
    return text;
}

static void add_extension(X509 *x509, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;

    X509V3_set_ctx(&context, issuer, x509, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    CHECK(extension != NULL);
    CHECK(X509_add_ext(x509, extension, -1) == 1);
    X509_EXTENSION_free(extension);
}

static const struct tls_identity *make(const struct tls_identity *issuer, const char *name, const char *names,
                                       long from, long until)
{
    static struct tls_identity identities[IDENTITIES];
    static int count;
    struct tls_identity *self = &identities[count++];

    CHECK(count <= IDENTITIES);
    self->pkey = EVP_EC_gen("P-256");
    self->x509 = X509_new();
    CHECK(self->pkey != NULL && self->x509 != NULL);
    X509 *x509 = self->x509;
    CHECK(X509_set_version(x509, X509_VERSION_3) == 1);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), count);
    X509_gmtime_adj(X509_getm_notBefore(x509), from);
    X509_gmtime_adj(X509_getm_notAfter(x509), until);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
    CHECK(X509_set_issuer_name(x509, X509_get_subject_name(issuer != NULL ? issuer->x509 : x509)) == 1);
    CHECK(X509_set_pubkey(x509, self->pkey) == 1);
    if (issuer == NULL)
        add_extension(x509, x509, NID_basic_constraints, "critical,CA:TRUE");
    else if (names != NULL)
        add_extension(x509, issuer->x509, NID_subject_alt_name, names);
    CHECK(X509_sign(x509, issuer != NULL ? issuer->pkey : self->pkey, EVP_sha256()) > 0);

    BIO *bio = BIO_new(BIO_s_mem());
    CHECK(PEM_write_bio_X509(bio, x509) == 1);
    self->cert = text_of(bio);
    bio = BIO_new(BIO_s_mem());
    CHECK(PEM_write_bio_PrivateKey(bio, self->pkey, NULL, NULL, 0, NULL, NULL) == 1);
    self->key = text_of(bio);
    return self;
}

const struct tls_identity *tls_authority(const char *name)
{
    return make(NULL, name, NULL, -DAY_SECONDS, DAY_SECONDS);
}

const struct tls_identity *tls_certified(const struct tls_identity *authority, const char *names)
{
    return make(authority, "a socket", names, -DAY_SECONDS, DAY_SECONDS);
}

const struct tls_identity *tls_certified_as(const struct tls_identity *authority, const char *name, const char *names)
{
    return make(authority, name, names, -DAY_SECONDS, DAY_SECONDS);
}

const struct tls_identity *tls_expired(const struct tls_identity *authority, const char *names)
{
    return make(authority, "a socket", names, -2 * DAY_SECONDS, -DAY_SECONDS);
}

const char *tls_key_with_password(const struct tls_identity *identity)
{
    BIO *bio = BIO_new(BIO_s_mem());

    CHECK(PEM_write_bio_PrivateKey(bio, identity->pkey, EVP_aes_128_cbc(), (const unsigned char *)"secret", 6, NULL,
                                   NULL) == 1);
    return text_of(bio);
}

const struct tls_identity *tls_ca(void)
{
    static const struct tls_identity *ca;

    if (ca == NULL)
        ca = tls_authority("the tests' authority");
    return ca;
}

const struct tls_identity *tls_server(void)
{
    static const struct tls_identity *server;

    if (server == NULL)
        server = tls_certified(tls_ca(), "DNS:localhost,IP:127.0.0.1");
    return server;
}

/* ---- Sockets ---- */

void test_set_tls(int s, int option, const char *text, const char *file, int line)
{
    if (nn_setsockopt(s, NN_TLS, option, text, strlen(text)) < 0)
        test_fail(file, line, "cannot set option %d of TLS: %s", option, nn_strerror(nn_errno()));
}

void tls_use(int s, const struct tls_identity *identity)
{
    SET_TLS(s, NN_TLS_CERT, identity->cert);
    SET_TLS(s, NN_TLS_KEY, identity->key);
}

int tls_bound(int protocol, const char *address)
{
    int s = SOCKET(protocol);

    tls_use(s, tls_server());
    CHECK_OK(nn_bind(s, address));
    return s;
}

int tls_connected(int protocol, const char *address)
{
    int s = SOCKET(protocol);

    SET_TLS(s, NN_TLS_CA, tls_ca()->cert);
    CHECK_OK(nn_connect(s, address));
    return s;
}

static const char *with_scheme(const char *scheme)
{
    static char texts[IDENTITIES][64];
    static unsigned count;
    char *text = texts[count++ % IDENTITIES];

    snprintf(text, sizeof texts[0], "%s%s", scheme, strstr(test_localhost_address(), "://"));
    return text;
}

const char *tls_address(void)
{
    return with_scheme("tls+tcp");
}

const char *tls_wss_address(void)
{
    return with_scheme("wss");
}

/* ---- Peers ---- */

SSL *tls_peer(int fd, bool is_server, const struct tls_identity *identity, int version)
{
    struct timeval limit = {.tv_sec = test_deadline_ms(8000) / 1000};
    SSL_CTX *context = SSL_CTX_new(TLS_method());

    CHECK(context != NULL);
    if (identity != NULL) {
        CHECK(SSL_CTX_use_certificate(context, identity->x509) == 1);
        CHECK(SSL_CTX_use_PrivateKey(context, identity->pkey) == 1);
    }
    SSL_CTX_set_security_level(context, 0); /* so that versions of old can be tried */
    SSL_CTX_set_min_proto_version(context, version);
    SSL_CTX_set_max_proto_version(context, version);
    SSL *ssl = SSL_new(context);
    SSL_CTX_free(context);
    CHECK(ssl != NULL);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    SSL_set_fd(ssl, fd);
    if (is_server)
        SSL_set_accept_state(ssl);
    else
        SSL_set_connect_state(ssl);
    return ssl;
}

SSL *tls_peer_connect(const char *address, int version)
{
    SSL *ssl = tls_peer(raw_connect(address), false, NULL, version);

    CHECK_EQUAL(SSL_do_handshake(ssl), 1);
    return ssl;
}

void tls_peer_send(SSL *ssl, const void *bytes, size_t count)
{
    size_t written;

    CHECK_EQUAL(SSL_write_ex(ssl, bytes, count, &written), 1);
    CHECK_EQUAL(written, count);
}

void tls_peer_expect(SSL *ssl, const void *bytes, size_t count)
{
    uint8_t *received = malloc(count + 1);
    size_t total = 0;

    CHECK(received != NULL);
    while (total < count) {
        size_t some;
        CHECK_EQUAL(SSL_read_ex(ssl, received + total, count - total, &some), 1);
        total += some;
    }
    CHECK_BYTES(received, total, bytes, count);
    free(received);
}

void tls_peer_expect_end(SSL *ssl)
{
    char byte;
    int rc = SSL_read(ssl, &byte, 1);

    CHECK(rc <= 0);
    CHECK_EQUAL(SSL_get_error(ssl, rc), SSL_ERROR_ZERO_RETURN);
}

void tls_peer_close(SSL *ssl)
{
    int fd = SSL_get_fd(ssl);

    SSL_free(ssl);
    close(fd);
}

void tls_peer_sp_handshake(SSL *ssl, int protocol, int peer_protocol)
{
    uint8_t handshake[8] = {0, 'S', 'P', 0, 0, (uint8_t)protocol, 0, 0};

    tls_peer_send(ssl, handshake, sizeof handshake);
    handshake[5] = (uint8_t)peer_protocol;
    tls_peer_expect(ssl, handshake, sizeof handshake);
}

void tls_peer_send_message(SSL *ssl, const char *text)
{
    uint8_t frame[256] = {0};
    size_t count = strlen(text);

    CHECK(count < sizeof frame - 8);
    frame[7] = (uint8_t)count;
    memcpy(frame + 8, text, count);
    tls_peer_send(ssl, frame, 8 + count);
}

void tls_peer_expect_message(SSL *ssl, const char *text)
{
    uint8_t frame[256] = {0};
    size_t count = strlen(text);

    frame[7] = (uint8_t)count;
    memcpy(frame + 8, text, count);
    tls_peer_expect(ssl, frame, 8 + count);
}
