/* OpenSSL 3 as the files of TLS see it, and what they share. */
#ifndef SP_STREAMS_TLS_OPENSSL_H
#define SP_STREAMS_TLS_OPENSSL_H

#include "platform/host_function.h"
#include "streams/tls.h"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

/* The host's own OpenSSL, which Node.js exports. Another host, such as Electron, may lack it: the addon can be loaded
 * there all the same, and sp_tls_open tells. Every function of OpenSSL that is used stands here, so
 * that tls_host.c can see whether all are there, and from one OpenSSL. */
#ifdef NN_TLS_OF_HOST
#define TLS_FUNCTIONS_OF_CRYPTO(X)                                                                                     \
    X(BIO_clear_flags)                                                                                                 \
    X(BIO_free)                                                                                                        \
    X(BIO_get_data)                                                                                                    \
    X(BIO_meth_new)                                                                                                    \
    X(BIO_meth_set_ctrl)                                                                                               \
    X(BIO_meth_set_read)                                                                                               \
    X(BIO_meth_set_write)                                                                                              \
    X(BIO_new)                                                                                                         \
    X(BIO_new_mem_buf)                                                                                                 \
    X(BIO_set_data)                                                                                                    \
    X(BIO_set_flags)                                                                                                   \
    X(BIO_set_init)                                                                                                    \
    X(ERR_clear_error)                                                                                                 \
    X(ERR_peek_error)                                                                                                  \
    X(ERR_reason_error_string)                                                                                         \
    X(EVP_Digest)                                                                                                      \
    X(EVP_PKEY_free)                                                                                                   \
    X(EVP_sha256)                                                                                                      \
    X(OPENSSL_version_major)                                                                                           \
    X(PEM_read_bio_PrivateKey)                                                                                         \
    X(PEM_read_bio_X509)                                                                                               \
    X(X509_STORE_CTX_get_current_cert)                                                                                 \
    X(X509_STORE_CTX_get_error)                                                                                        \
    X(X509_STORE_CTX_set_error)                                                                                        \
    X(X509_STORE_add_cert)                                                                                             \
    X(X509_STORE_load_file)                                                                                            \
    X(X509_STORE_load_path)                                                                                            \
    X(X509_VERIFY_PARAM_set1_host)                                                                                     \
    X(X509_VERIFY_PARAM_set1_ip)                                                                                       \
    X(X509_VERIFY_PARAM_set_hostflags)                                                                                 \
    X(X509_free)                                                                                                       \
    X(X509_get_default_cert_dir_env)                                                                                   \
    X(X509_get_default_cert_file)                                                                                      \
    X(X509_get_default_cert_file_env)                                                                                  \
    X(X509_get_ext_by_NID)                                                                                             \
    X(X509_verify_cert_error_string)                                                                                   \
    X(i2d_X509)

#define TLS_FUNCTIONS_OF_SSL(X)                                                                                        \
    X(SSL_CTX_add_client_CA)                                                                                           \
    X(SSL_CTX_ctrl)                                                                                                    \
    X(SSL_CTX_free)                                                                                                    \
    X(SSL_CTX_get_cert_store)                                                                                          \
    X(SSL_CTX_new)                                                                                                     \
    X(SSL_CTX_set_default_verify_paths)                                                                                \
    X(SSL_CTX_set_num_tickets)                                                                                         \
    X(SSL_CTX_set_options)                                                                                             \
    X(SSL_CTX_set_verify)                                                                                              \
    X(SSL_CTX_use_PrivateKey)                                                                                          \
    X(SSL_CTX_use_certificate)                                                                                         \
    X(SSL_ctrl)                                                                                                        \
    X(SSL_do_handshake)                                                                                                \
    X(SSL_free)                                                                                                        \
    X(SSL_get0_param)                                                                                                  \
    X(SSL_get0_peer_certificate)                                                                                       \
    X(SSL_get_error)                                                                                                   \
    X(SSL_get_shutdown)                                                                                                \
    X(SSL_get_verify_result)                                                                                           \
    X(SSL_has_pending)                                                                                                 \
    X(SSL_is_server)                                                                                                   \
    X(SSL_new)                                                                                                         \
    X(SSL_read_ex)                                                                                                     \
    X(SSL_set_accept_state)                                                                                            \
    X(SSL_set_bio)                                                                                                     \
    X(SSL_set_connect_state)                                                                                           \
    X(SSL_set_read_ahead)                                                                                              \
    X(SSL_shutdown)                                                                                                    \
    X(SSL_write_ex)                                                                                                    \
    X(TLS_method)

TLS_FUNCTIONS_OF_CRYPTO(SP_HOST_DECLARE)
TLS_FUNCTIONS_OF_SSL(SP_HOST_DECLARE)
#endif

/* What the verification of a peer without any subjectAltName ends with; OpenSSL itself says so only when it is told to
 * be strict. */
#define TLS_NO_NAMES_ERROR X509_V_ERR_EMPTY_SUBJECT_ALT_NAME

/* Whether there is an OpenSSL that the files of TLS can use. */
bool tls_is_openssl_there(void);

/* The program ends, and OpenSSL frees its memory: nothing of it may be called any more. Asked under a socket's lock. */
bool sp_tls_is_over(void);
/* Has it set when the program ends. Called after OpenSSL has begun. */
void sp_tls_await_exit(void);

/* Puts TLS upon the descriptor; takes the connection, which has not begun. Returns NULL when memory is short. */
struct sp_filter *sp_tls_filter_open(SSL *ssl, int fd);

#endif
