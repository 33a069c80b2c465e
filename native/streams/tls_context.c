/* What the options of TLS make of OpenSSL: one SSL_CTX for each endpoint. */
#include "streams/tls_openssl.h"

#include "message/chunk.h"
#include "platform/authorities.h"
#include "platform/environment.h"
#include "platform/net.h"
#include "platform/text_file.h"
#include "util/list.h"
#include "util/memory.h"
#include "util/secret.h"

#include <string.h>

/* A file of certificates is read up to this length. */
#define FILE_LIMIT_BYTES ((size_t)4 * 1024 * 1024)

#define DIGEST_BYTES 32

/* What was read of a text, or of a file of that name at that time. All zero: nothing. */
struct digest {
    unsigned char bytes[DIGEST_BYTES];
};

struct tls_source {
    struct sp_filter_source base; /* first */
    SSL_CTX *context;
    bool is_server;
    bool is_verifying;
    struct digest read[SP_TLS_TEXTS];
    /* Of clients: the server's name or address. */
    char *name; /* NULL: by its address */
    uint8_t address[16];
    size_t address_bytes;
};

static struct tls_source *source_of(struct sp_filter_source *base)
{
    return SP_CONTAINER(base, struct tls_source, base);
}

/* ---- Texts ---- */

/* A text of PEM, which the caller may own. */
struct pem {
    const char *text;
    size_t count;
    char *owned; /* NULL: borrowed */
};

static void pem_release(struct pem *self)
{
    if (self->owned != NULL)
        sp_secret_wipe(self->owned, self->count);
    sp_free(self->owned);
}

static int read_all(int fd, struct pem *pem)
{
    size_t capacity = 16 * 1024;
    int rc = 1;

    while (rc > 0) {
        if (pem->owned == NULL || pem->count == capacity) {
            capacity *= 2;
            char *grown = capacity <= FILE_LIMIT_BYTES ? sp_alloc(capacity) : NULL;
            if (grown == NULL)
                return capacity <= FILE_LIMIT_BYTES ? -ENOMEM : -EINVAL;
            if (pem->owned != NULL)
                memcpy(grown, pem->owned, pem->count);
            pem_release(pem); /* and leaves no part of a key behind */
            pem->owned = grown;
        }
        rc = sp_file_read(fd, pem->owned + pem->count, capacity - pem->count);
        if (rc < 0)
            return rc;
        pem->count += (size_t)rc;
    }
    pem->text = pem->owned;
    return 0;
}

/* The text itself, or that of the file that it names. pem is to be released, also on failure. */
static int pem_read(struct pem *pem, const struct nn_chunk *option)
{
    const char *text = (const char *)option->bytes;

    *pem = (struct pem){.text = text, .count = option->size_bytes};
    if (strstr(text, "-----BEGIN") != NULL)
        return 0;
    *pem = (struct pem){0};
    int fd = sp_file_open(text);
    if (fd < 0)
        return fd;
    int rc = read_all(fd, pem);
    sp_file_close(fd);
    return rc;
}

/* The same for an option, and notes what it was. */
static int pem_open(struct tls_source *self, struct pem *pem, const struct sp_options *options, int index)
{
    int rc = pem_read(pem, options->texts[index]);

    if (rc == 0 && EVP_Digest(pem->text, pem->count, self->read[index].bytes, NULL, EVP_sha256(), NULL) != 1)
        rc = -ENOMEM;
    return rc;
}

/* No password is prompted for. */
static int no_password(char *buffer, int size, int is_writing, void *context)
{
    (void)buffer;
    (void)size;
    (void)is_writing;
    (void)context;
    return 0;
}

static BIO *bio_of(const struct pem *pem)
{
    return BIO_new_mem_buf(pem->text, (int)pem->count);
}

/* ---- Certificates ---- */

/* Calls `use` for each certificate; it leaves the reference. Returns 0, or -EINVAL when there is none or one is of no
 * use. */
static int each_certificate(const struct pem *pem, SSL_CTX *context, int (*use)(SSL_CTX *, X509 *, int index))
{
    BIO *bio = bio_of(pem);
    X509 *certificate;
    int count = 0;
    int rc = 0;

    if (bio == NULL)
        return -ENOMEM;
    while (rc == 0 && (certificate = PEM_read_bio_X509(bio, NULL, no_password, NULL)) != NULL) {
        rc = use(context, certificate, count++) == 1 ? 0 : -EINVAL;
        X509_free(certificate);
    }
    /* What ends it must be the end. */
    if (rc == 0 && ERR_GET_REASON(ERR_peek_error()) != PEM_R_NO_START_LINE)
        rc = -EINVAL;
    BIO_free(bio);
    return count == 0 ? -EINVAL : rc;
}

/* The first is ours, the others lead to an authority. */
static int use_own(SSL_CTX *context, X509 *certificate, int index)
{
    return index == 0 ? SSL_CTX_use_certificate(context, certificate)
                      : (int)SSL_CTX_add1_chain_cert(context, certificate);
}

static int use_authority(SSL_CTX *context, X509 *certificate, int index)
{
    (void)index;
    return X509_STORE_add_cert(SSL_CTX_get_cert_store(context), certificate);
}

/* A server also announces the authorities whose certificates it accepts. */
static int use_client_authority(SSL_CTX *context, X509 *certificate, int index)
{
    return use_authority(context, certificate, index) == 1 ? SSL_CTX_add_client_CA(context, certificate) : 0;
}

/* ---- Our own certificate ---- */

static int use_key(SSL_CTX *context, const struct pem *pem)
{
    BIO *bio = bio_of(pem);
    EVP_PKEY *key = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL) : NULL;
    int rc = key != NULL && SSL_CTX_use_PrivateKey(context, key) == 1 ? 0 : -EINVAL; /* -EINVAL: or of another one */

    EVP_PKEY_free(key);
    BIO_free(bio);
    return rc;
}

static int load_own(struct tls_source *self, const struct sp_options *options)
{
    bool has_key = options->texts[SP_TLS_KEY] != NULL;
    struct pem pem;

    if (options->texts[SP_TLS_CERT] == NULL)
        return -EINVAL;
    int rc = pem_open(self, &pem, options, SP_TLS_CERT);
    if (rc == 0)
        rc = each_certificate(&pem, self->context, use_own);
    if (rc == 0 && !has_key)
        rc = use_key(self->context, &pem);
    pem_release(&pem);
    if (rc < 0 || !has_key)
        return rc;
    rc = pem_open(self, &pem, options, SP_TLS_KEY);
    if (rc == 0)
        rc = use_key(self->context, &pem);
    pem_release(&pem);
    return rc;
}

/* ---- Authorities ---- */

/* Authorities named by the environment replace the default ones. */
static bool load_authorities_of_environment(X509_STORE *store)
{
    const char *file = sp_trusted_variable(X509_get_default_cert_file_env());
    const char *folders = sp_trusted_variable(X509_get_default_cert_dir_env());

    if (file != NULL)
        X509_STORE_load_file(store, file);
    if (folders != NULL)
        X509_STORE_load_path(store, folders);
    return file != NULL || folders != NULL;
}

/* Node.js trusts those of one more file, which its own sockets of TLS do as well. */
static void load_authorities_of_node(X509_STORE *store)
{
#ifdef NN_TLS_OF_HOST
    const char *file = sp_trusted_variable("NODE_EXTRA_CA_CERTS");

    if (file != NULL)
        X509_STORE_load_file(store, file);
#else
    (void)store;
#endif
}

/* An OpenSSL may be built for another place than the system's, as that of Node.js is. Without any authority no
 * certificate will do, and that is how it is reported. */
static int load_authorities_of_system(SSL_CTX *context)
{
    X509_STORE *store = SSL_CTX_get_cert_store(context);
    const char *file;

    load_authorities_of_node(store);
    if (load_authorities_of_environment(store))
        return 0;
    SSL_CTX_set_default_verify_paths(context);
    if (sp_file_is_readable(X509_get_default_cert_file()))
        return 0;
    for (size_t i = 0; (file = sp_authorities_file(i)) != NULL; i++) {
        if (sp_file_is_readable(file) && X509_STORE_load_file(store, file) == 1)
            break;
    }
    return 0;
}

static int load_authorities(struct tls_source *self, const struct sp_options *options)
{
    struct pem pem;

    if (options->texts[SP_TLS_CA] == NULL)
        return self->is_server ? -EINVAL : load_authorities_of_system(self->context);
    int rc = pem_open(self, &pem, options, SP_TLS_CA);
    if (rc == 0)
        rc = each_certificate(&pem, self->context, self->is_server ? use_client_authority : use_authority);
    pem_release(&pem);
    return rc;
}

/* ---- The context ---- */

/* Sessions are not resumed: each connection authenticates anew, and no session tickets are sent. */
static int context_open(struct tls_source *self)
{
    SSL_CTX *context = sp_tls_is_over() ? NULL : SSL_CTX_new(TLS_method());

    if (context == NULL)
        return -ENOMEM;
    sp_tls_await_exit();
    self->context = context;
    if (SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1)
        return -EINVAL;
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_num_tickets(context, 0);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    return 0;
}

/* Only names in the subjectAltName count (RFC 9525), and the error names a certificate that has none. */
static int explain_mismatch(int is_good, X509_STORE_CTX *verification)
{
    int error = X509_STORE_CTX_get_error(verification);
    const X509 *certificate = X509_STORE_CTX_get_current_cert(verification);

    if (!is_good && (error == X509_V_ERR_HOSTNAME_MISMATCH || error == X509_V_ERR_IP_ADDRESS_MISMATCH) &&
        X509_get_ext_by_NID(certificate, NID_subject_alt_name, -1) < 0)
        X509_STORE_CTX_set_error(verification, TLS_NO_NAMES_ERROR);
    return is_good;
}

static int context_configure(struct tls_source *self, const struct sp_options *options)
{
    int verify_mode = SSL_VERIFY_PEER | (self->is_server ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0);
    int rc = context_open(self);

    if (rc == 0 && (self->is_server || options->texts[SP_TLS_CERT] != NULL))
        rc = load_own(self, options);
    if (rc == 0 && self->is_verifying)
        rc = load_authorities(self, options);
    if (rc == 0)
        SSL_CTX_set_verify(self->context, self->is_verifying ? verify_mode : SSL_VERIFY_NONE, explain_mismatch);
    return rc;
}

/* ---- Connections ---- */

/* Without this any certificate of the authorities would do. */
static bool expect_peer(const struct tls_source *self, SSL *ssl)
{
    X509_VERIFY_PARAM *expected = SSL_get0_param(ssl);

    X509_VERIFY_PARAM_set_hostflags(expected,
                                    X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    if (self->name == NULL)
        return !self->is_verifying || X509_VERIFY_PARAM_set1_ip(expected, self->address, self->address_bytes) == 1;
    return SSL_set_tlsext_host_name(ssl, self->name) == 1 &&
           (!self->is_verifying || X509_VERIFY_PARAM_set1_host(expected, self->name, 0) == 1);
}

static struct sp_filter *tls_source_open(struct sp_filter_source *base, int fd)
{
    const struct tls_source *self = source_of(base);

    if (sp_tls_is_over())
        return NULL;
    SSL *ssl = SSL_new(self->context);

    if (ssl == NULL || (!self->is_server && !expect_peer(self, ssl))) {
        SSL_free(ssl);
        ERR_clear_error();
        return NULL;
    }
    if (self->is_server)
        SSL_set_accept_state(ssl);
    else
        SSL_set_connect_state(ssl);
    SSL_set_read_ahead(ssl, 1); /* a record's length and the record in one call of the kernel */
    return sp_tls_filter_open(ssl, fd);
}

/* The names of files say nothing about what was in them when each was read. */
static bool tls_source_is_same(const struct sp_filter_source *base, const struct sp_filter_source *other_base)
{
    const struct tls_source *self = SP_CONST_CONTAINER(base, struct tls_source, base);
    const struct tls_source *other = SP_CONST_CONTAINER(other_base, struct tls_source, base);

    return self->is_verifying == other->is_verifying && memcmp(self->read, other->read, sizeof self->read) == 0;
}

static void tls_source_close(struct sp_filter_source *base)
{
    struct tls_source *self = source_of(base);

    if (!sp_tls_is_over())
        SSL_CTX_free(self->context);
    sp_free(self->name);
    sp_free(self);
}

/* ---- Opening ---- */

static void take_address(struct tls_source *self, const struct sp_socket_address *address)
{
    if (address->storage.ss_family == AF_INET6) {
        self->address_bytes = sizeof(struct in6_addr);
        memcpy(self->address, &((const struct sockaddr_in6 *)&address->storage)->sin6_addr, self->address_bytes);
    } else {
        self->address_bytes = sizeof(struct in_addr);
        memcpy(self->address, &((const struct sockaddr_in *)&address->storage)->sin_addr, self->address_bytes);
    }
}

static bool take_literal(struct tls_source *self, const char *name)
{
    if (inet_pton(AF_INET, name, self->address) == 1)
        self->address_bytes = sizeof(struct in_addr);
    else if (inet_pton(AF_INET6, name, self->address) == 1)
        self->address_bytes = sizeof(struct in6_addr);
    return self->address_bytes > 0;
}

/* The server's name: the one that the user gives, or that of the address. The dot that ends a name in full is no part
 * of it in certificates, nor on the wire (RFC 6066, section 3). */
static int take_target(struct tls_source *self, const struct sp_options *options, const struct sp_dialer_target *target)
{
    const struct nn_chunk *given = options->texts[SP_TLS_SERVER_NAME];
    const char *name = given != NULL ? (const char *)given->bytes : target->host;
    size_t count = strlen(name);

    if (count == 0) {
        take_address(self, &target->address);
        return 0;
    }
    if (name[count - 1] == '.')
        count--;
    /* To OpenSSL a leading dot means any name that ends like this. */
    if (count == 0 || count > TLSEXT_MAXLEN_host_name || name[0] == '.')
        return -EINVAL;
    self->name = sp_zalloc(count + 1);
    if (self->name == NULL)
        return -ENOMEM;
    memcpy(self->name, name, count);
    if (take_literal(self, self->name)) {
        sp_free(self->name);
        self->name = NULL;
    }
    return 0;
}

int sp_tls_open(struct sp_filter_source **source, const struct sp_options *options,
                const struct sp_dialer_target *target)
{
    if (!tls_is_openssl_there())
        return -EPROTONOSUPPORT;
    struct tls_source *self = sp_zalloc(sizeof *self);
    if (self == NULL)
        return -ENOMEM;
    self->base.open = tls_source_open;
    self->base.is_same = tls_source_is_same;
    self->base.close = tls_source_close;
    self->is_server = target == NULL;
    self->is_verifying = self->is_server ? options->tls_require_client_cert : options->tls_verify;

    ERR_clear_error();
    int rc = self->is_server ? 0 : take_target(self, options, target);
    if (rc == 0)
        rc = context_configure(self, options);
    ERR_clear_error();
    if (rc < 0)
        tls_source_close(&self->base);
    else
        *source = &self->base;
    return rc;
}
