/* OpenSSL 3 as the files of TLS see it, and what they share. */
#ifndef SP_STREAMS_TLS_OPENSSL_H
#define SP_STREAMS_TLS_OPENSSL_H

#include "streams/tls.h"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

/* The host's own OpenSSL, which Node.js exports. Another host, such as Electron, may lack it: with weak symbols the
 * addon can be loaded there all the same, and sp_tls_open tells. */
#ifdef NN_TLS_OF_HOST
#pragma weak OPENSSL_version_major
#pragma weak OPENSSL_cleanse
#pragma weak BIO_clear_flags
#pragma weak BIO_free
#pragma weak BIO_get_data
#pragma weak BIO_meth_new
#pragma weak BIO_meth_set_ctrl
#pragma weak BIO_meth_set_read
#pragma weak BIO_meth_set_write
#pragma weak BIO_new
#pragma weak BIO_new_mem_buf
#pragma weak BIO_set_data
#pragma weak BIO_set_flags
#pragma weak BIO_set_init
#pragma weak ERR_clear_error
#pragma weak ERR_peek_error
#pragma weak ERR_reason_error_string
#pragma weak EVP_PKEY_free
#pragma weak PEM_read_bio_PrivateKey
#pragma weak PEM_read_bio_X509
#pragma weak SSL_CTX_add_client_CA
#pragma weak SSL_CTX_ctrl
#pragma weak SSL_CTX_free
#pragma weak SSL_CTX_get_cert_store
#pragma weak SSL_CTX_new
#pragma weak SSL_CTX_set_default_verify_paths
#pragma weak SSL_CTX_set_num_tickets
#pragma weak SSL_CTX_set_options
#pragma weak SSL_CTX_set_verify
#pragma weak SSL_CTX_use_PrivateKey
#pragma weak SSL_CTX_use_certificate
#pragma weak SSL_ctrl
#pragma weak SSL_do_handshake
#pragma weak SSL_free
#pragma weak SSL_get0_peer_certificate
#pragma weak SSL_get0_param
#pragma weak SSL_get_error
#pragma weak SSL_get_shutdown
#pragma weak SSL_get_verify_result
#pragma weak SSL_has_pending
#pragma weak SSL_new
#pragma weak SSL_read_ex
#pragma weak SSL_set_accept_state
#pragma weak SSL_set_bio
#pragma weak SSL_set_connect_state
#pragma weak SSL_set_read_ahead
#pragma weak SSL_shutdown
#pragma weak SSL_write_ex
#pragma weak TLS_method
#pragma weak X509_STORE_add_cert
#pragma weak X509_STORE_load_file
#pragma weak X509_VERIFY_PARAM_set1_host
#pragma weak X509_VERIFY_PARAM_set1_ip
#pragma weak X509_VERIFY_PARAM_set_hostflags
#pragma weak X509_free
#pragma weak X509_get_default_cert_file
#pragma weak X509_get_default_cert_file_env
#pragma weak X509_verify_cert_error_string
#pragma weak i2d_X509
#endif

/* Puts TLS upon the descriptor; takes the connection, which has not begun. Returns NULL when memory is short. */
struct sp_filter *sp_tls_filter_open(SSL *ssl, int fd);

#endif
