/* Certificates made for a case, and peers that speak TLS by OpenSSL itself, byte by byte. */
#ifndef TEST_TLS_PEER_H
#define TEST_TLS_PEER_H

#include "raw_peer.h"

#include <openssl/ssl.h>

/* A certificate and its key, as PEM. Valid until the case ends. */
struct tls_identity {
    char *cert;
    char *key;
    X509 *x509;
    EVP_PKEY *pkey;
};

/* An authority, and what it certifies. names: as in "DNS:localhost,IP:127.0.0.1". */
const struct tls_identity *tls_authority(const char *name);
const struct tls_identity *tls_certified(const struct tls_identity *authority, const char *names);
/* The same with a common name; names may be NULL. */
const struct tls_identity *tls_certified_as(const struct tls_identity *authority, const char *name, const char *names);
const struct tls_identity *tls_expired(const struct tls_identity *authority, const char *names);
/* Memory that is to live until the case ends. */
void *tls_keep(void *memory);
/* The key once more, with a password. */
const char *tls_key_with_password(const struct tls_identity *identity);

/* An authority and a certificate for 127.0.0.1 and localhost, the same ones throughout a case. */
const struct tls_identity *tls_ca(void);
const struct tls_identity *tls_server(void);

/* Sets an option that is a text. */
#define SET_TLS(s, option, text) test_set_tls((s), (option), (text), __FILE__, __LINE__)
void test_set_tls(int s, int option, const char *text, const char *file, int line);
void tls_use(int s, const struct tls_identity *identity);
/* A socket bound with tls_server(), and one that connects and knows tls_ca(). */
int tls_bound(int protocol, const char *address);
int tls_connected(int protocol, const char *address);

/* "tls+tcp://127.0.0.1:port" and "wss://127.0.0.1:port" that nothing listens on. */
const char *tls_address(void);
const char *tls_wss_address(void);

/* A client's or a server's half over a descriptor of raw_connect or raw_accept. identity may be NULL for clients.
 * Versions: TLS1_2_VERSION, ... or 0. */
SSL *tls_peer(int fd, bool is_server, const struct tls_identity *identity, int version);
/* A client that has shaken hands. */
SSL *tls_peer_connect(const char *address, int version);
void tls_peer_send(SSL *ssl, const void *bytes, size_t count);
void tls_peer_expect(SSL *ssl, const void *bytes, size_t count);
/* The peer has closed, and has said so by close_notify. */
void tls_peer_expect_end(SSL *ssl);
/* Frees it and closes its descriptor. */
void tls_peer_close(SSL *ssl);
/* SP's handshake, both ways, and messages. */
void tls_peer_sp_handshake(SSL *ssl, int protocol, int peer_protocol);
void tls_peer_send_message(SSL *ssl, const char *text);
void tls_peer_expect_message(SSL *ssl, const char *text);

#endif
