/* A peer of the engine, played by the fuzzer: over a connection of the virtual network or over a stream of the host,
 * with or without TLS, byte by byte or in well-formed handshakes and frames. */
#ifndef FUZZ_PEER_H
#define FUZZ_PEER_H

#include <nanomsg/stream.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How the bytes are framed. The engine's half of a WebSocket is the client's in WIRE_WS_CLIENT. */
enum wire { WIRE_TCP, WIRE_IPC, WIRE_WS_SERVER, WIRE_WS_CLIENT };

#define PEER_ECHO_BYTES 512

struct peer_tls;

struct peer {
    int fd;                   /* -1: none */
    struct nn_stream *stream; /* NULL: none */
    struct peer_tls *tls;     /* NULL: none */
    enum wire wire;
    bool has_opened;               /* its half of the handshake was sent */
    uint8_t echo[PEER_ECHO_BYTES]; /* the payload of the last frame that the engine sent */
    size_t echo_bytes;
    char key[24];     /* of the engine's request to upgrade */
    uint8_t *pending; /* sent, and not taken yet */
    size_t pending_bytes;
    bool is_gathering; /* what is sent stays pending */
};

void peer_begin(struct peer *self, enum wire wire, int fd, struct nn_stream *stream, struct peer_tls *tls);
bool peer_is_open(const struct peer *self);

/* Sends bytes as they stand; inside of TLS when the peer has it. */
void peer_send(struct peer *self, const void *bytes, size_t count);
/* The same outside of TLS. */
void peer_send_wire(struct peer *self, const void *bytes, size_t count);
/* Sends what was not taken before, as far as it is taken now. */
void peer_flush(struct peer *self);
/* What is sent between the two calls arrives at once. */
void peer_gather(struct peer *self);
void peer_pass(struct peer *self);
/* Reads what the engine has sent, at most about limit_bytes. */
void peer_read(struct peer *self, size_t limit_bytes);

/* Sends a well-formed half of the handshake, of a peer of this type. */
void peer_open(struct peer *self, int protocol, const char *type_name);
/* Sends a frame around the payload. start: the first byte of a WebSocket's. */
void peer_send_frame(struct peer *self, uint8_t start, const void *payload, size_t count);
/* Sends the last payload back, and more behind it: a reply to a request, for example. */
void peer_echo(struct peer *self, const void *more, size_t count);

enum peer_end { PEER_SHUT_DOWN, PEER_CLOSED, PEER_RESET };
void peer_finish(struct peer *self, enum peer_end how);
/* Lets go of everything. */
void peer_end(struct peer *self);

/* ---- TLS ---- */

/* A peer's half of TLS, by OpenSSL in memory. version: TLS1_2_VERSION or TLS1_3_VERSION. */
struct peer_tls *peer_tls_open(bool is_server, bool has_certificate, int version);
void peer_tls_close(struct peer_tls *self);
/* Puts in what came from the engine; takes out what is to be sent to it. Returns the number of bytes. */
void peer_tls_feed(struct peer_tls *self, const void *bytes, size_t count);
size_t peer_tls_drain(struct peer_tls *self, void *bytes, size_t count);
void peer_tls_write(struct peer_tls *self, const void *bytes, size_t count);
size_t peer_tls_read(struct peer_tls *self, void *bytes, size_t count);
/* Says that nothing more comes. */
void peer_tls_shut_down(struct peer_tls *self);
/* Asks for new keys, or for a new handshake. */
void peer_tls_renew(struct peer_tls *self, bool wants_answer);
/* PEM of the authority, and of a certificate with its key, that were generated when the process began. */
const char *peer_tls_authority(void);
const char *peer_tls_certificate(void);

#endif
