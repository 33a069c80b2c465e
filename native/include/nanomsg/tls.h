/* tls+tcp://host:port and wss://host:port/path: tcp and WebSocket over TLS 1.2 or 1.3.
 *
 * Options of level NN_TLS apply to endpoints made after they are set. Text options have a length and no NUL; an empty
 * text resets the option. CERT, KEY and CA are PEM text or, if the value does not contain "-----BEGIN", the name of a
 * PEM file, which each nn_bind and nn_connect reads. These calls fail with EINVAL if the text is not valid, and with
 * the errno of a file that cannot be read. nn_setsockopt refuses a value that has a line break and is not PEM text
 * (EINVAL). */
#ifndef TLS_H_INCLUDED
#define TLS_H_INCLUDED

#include <nanomsg/nn.h>

#define NN_TLS (-6)

/* The certificate of this side, followed by the intermediate ones. Mandatory for endpoints that bind; endpoints that
 * connect need it if the peer requires one. */
#define NN_TLS_CERT 1
/* The private key of the certificate, without a password. Default: contained in NN_TLS_CERT. Cannot be read back. */
#define NN_TLS_KEY 2
/* The authorities that may issue the peer's certificate. Default for endpoints that connect: those of the system. */
#define NN_TLS_CA 3
/* int, default 1: endpoints that connect verify the peer's certificate and its name (NN_TLS_SERVER_NAME). 0: any peer
 * is accepted. */
#define NN_TLS_VERIFY 4
/* The server name that endpoints that connect request (SNI) and require in the subjectAltName of the peer's
 * certificate. Default: the host of the address. A trailing dot is removed, a leading one refused (EINVAL). */
#define NN_TLS_SERVER_NAME 5
/* int, default 0. 1: endpoints that bind accept only peers with a certificate issued by NN_TLS_CA, which must be
 * set. */
#define NN_TLS_REQUIRE_CLIENT_CERT 6
/* int, 0 (default) or 1; also a type of control data. With 1, nn_recvmsg() adds a record of this level and type to each
 * message of peers that connect from now on and have a certificate: the peer's own certificate in DER (which contains
 * its length), padded with zeros. */
#define NN_TLS_PEER_CERTIFICATE 7

#ifdef __cplusplus
extern "C" {
#endif

/** Makes the connections of an endpoint (the result of nn_bind or nn_connect) that begin from now on follow the options
 *  of level NN_TLS as they are now, as for a renewed certificate: files are read again. Connections that there are
 *  stay. Endpoints of wss:// that share a port are renewed one by one. Returns 0, or -1 and sets errno, and nothing has
 *  changed: EBADF, EINVAL (no such endpoint, or as nn_bind), ENOTSUP (it is none of TLS), ENOMEM, or the errno of a
 *  file that cannot be read. */
NN_EXPORT int nn_endpoint_renew_tls(int s, int endpoint);

#ifdef __cplusplus
}
#endif

#endif
