/* tls+tcp://host:port and wss://host:port/path: tcp and WebSocket inside of TLS 1.2 or 1.3.
 *
 * Options of level NN_TLS hold for endpoints that are made after they are set. Texts are what is between value and
 * value + length, without a NUL; an empty one takes the option back. CERT, KEY and CA are PEM text or, where they do
 * not contain "-----BEGIN", the name of a file with such text, which is read by each nn_bind and nn_connect. These
 * fail with EINVAL where the text is not what it should be, and with the errno of a file that cannot be read. What is
 * no PEM and has a line break is refused by nn_setsockopt (EINVAL). */
#ifndef TLS_H_INCLUDED
#define TLS_H_INCLUDED

#include <nanomsg/nn.h>

#define NN_TLS (-6)

/* Our certificate, and after it those of the authorities between ours and one that the peer knows. Who binds needs it;
 * who connects, when the peer requires it. */
#define NN_TLS_CERT 1
/* Its private key, without a password. Default: it stands in NN_TLS_CERT. Cannot be read back. */
#define NN_TLS_KEY 2
/* The authorities that the peer's certificate must come from. Default for who connects: those of the system. */
#define NN_TLS_CA 3
/* 1: who connects checks the peer's certificate and that it is for NN_TLS_SERVER_NAME; 0: the peer may be anybody
 * (int, default 1). */
#define NN_TLS_VERIFY 4
/* The name that who connects asks for and expects: the subjectAltName of the peer's certificate must have it. Default:
 * the host of the address. A dot at the end is left out; one at the start is refused (EINVAL). */
#define NN_TLS_SERVER_NAME 5
/* 1: who binds accepts only peers with a certificate from NN_TLS_CA, which must be set (int, default 0). */
#define NN_TLS_REQUIRE_CLIENT_CERT 6
/* Option, int, 0 (default) or 1; and type of control data. With 1, nn_recvmsg() gives a record of this level and type with
 * each message of peers that come from now on and have a certificate: the peer's own, in DER, which tells its length;
 * what follows is 0. */
#define NN_TLS_PEER_CERTIFICATE 7

#endif
