/* Peers: bytes, handshakes and frames. */
#include "peer.h"

#include "check.h"

#include "util/base64.h"
#include "util/sha1.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_BYTES ((size_t)16384)
#define MASK_BYTES 4
#define PIECES 8
#define PENDING_LIMIT_BYTES ((size_t)4 << 20)

void peer_begin(struct peer *self, enum wire wire, int fd, struct nn_stream *stream, struct peer_tls *tls)
{
    memset(self, 0, sizeof *self);
    self->wire = wire;
    self->fd = fd;
    self->stream = stream;
    self->tls = tls;
}

bool peer_is_open(const struct peer *self)
{
    return self->fd >= 0 || self->stream != NULL;
}

/* ---- Bytes ---- */

/* Returns how much was taken; all of it when nothing will be taken any more. */
static size_t pass_on(const struct peer *self, const uint8_t *bytes, size_t count)
{
    int64_t taken = -1;

    if (count == 0)
        return 0;
    if (self->stream != NULL) {
        taken = nn_stream_feed(self->stream, bytes, count);
        CHECK(taken <= (int64_t)count);
    } else if (self->fd >= 0) {
        taken = send(self->fd, bytes, count, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (taken < 0 && errno == EAGAIN)
            taken = 0;
    }
    return taken < 0 ? count : (size_t)taken;
}

static void keep_pending(struct peer *self, const uint8_t *bytes, size_t count)
{
    if (count == 0 || count > PENDING_LIMIT_BYTES - self->pending_bytes)
        return;
    self->pending = realloc(self->pending, self->pending_bytes + count);
    CHECK(self->pending != NULL);
    memcpy(self->pending + self->pending_bytes, bytes, count);
    self->pending_bytes += count;
}

void peer_gather(struct peer *self)
{
    self->is_gathering = true;
}

void peer_flush(struct peer *self)
{
    if (self->is_gathering)
        return;
    size_t taken = pass_on(self, self->pending, self->pending_bytes);

    self->pending_bytes -= taken;
    if (taken > 0)
        memmove(self->pending, self->pending + taken, self->pending_bytes);
}

void peer_pass(struct peer *self)
{
    self->is_gathering = false;
    peer_flush(self);
}

void peer_send_wire(struct peer *self, const void *bytes, size_t count)
{
    size_t taken = self->pending_bytes == 0 && !self->is_gathering ? pass_on(self, bytes, count) : 0;

    keep_pending(self, (const uint8_t *)bytes + taken, count - taken);
}

static void send_records(struct peer *self)
{
    uint8_t records[READ_BYTES];
    size_t count;

    while ((count = peer_tls_drain(self->tls, records, sizeof records)) > 0)
        peer_send_wire(self, records, count);
}

void peer_send(struct peer *self, const void *bytes, size_t count)
{
    if (self->tls == NULL) {
        peer_send_wire(self, bytes, count);
        return;
    }
    peer_tls_write(self->tls, bytes, count);
    send_records(self);
}

/* ---- What the engine sends ---- */

/* The prefix of a frame that the engine has sent. Returns its length, or 0: this is none. */
static size_t read_prefix(const struct peer *self, const uint8_t *at, size_t count, uint64_t *payload_bytes)
{
    size_t skip = self->wire == WIRE_IPC ? 1 : 0;
    size_t length_bytes = 8;
    size_t mask_bytes = 0;

    if (self->wire == WIRE_WS_SERVER || self->wire == WIRE_WS_CLIENT) {
        skip = 2;
        mask_bytes = self->wire == WIRE_WS_CLIENT ? MASK_BYTES : 0;
        if (count < skip)
            return 0;
        *payload_bytes = at[1] & 0x7f;
        length_bytes = *payload_bytes == 127 ? 8 : *payload_bytes == 126 ? 2 : 0;
    }
    if (count < skip + length_bytes + mask_bytes)
        return 0;
    if (length_bytes > 0)
        *payload_bytes = 0;
    for (size_t i = 0; i < length_bytes; i++)
        *payload_bytes = *payload_bytes << 8 | at[skip + i];
    return skip + length_bytes + mask_bytes;
}

static void keep_payload(struct peer *self, const uint8_t *payload, size_t count, const uint8_t *mask)
{
    self->echo_bytes = count < sizeof self->echo ? count : sizeof self->echo;
    for (size_t i = 0; i < self->echo_bytes; i++)
        self->echo[i] = payload[i] ^ (mask != NULL ? mask[i % MASK_BYTES] : 0);
}

static void look_at_frames(struct peer *self, const uint8_t *bytes, size_t count)
{
    uint64_t payload_bytes = 0;
    size_t prefix_bytes;

    while ((prefix_bytes = read_prefix(self, bytes, count, &payload_bytes)) > 0 &&
           payload_bytes <= count - prefix_bytes) {
        const uint8_t *payload = bytes + prefix_bytes;
        keep_payload(self, payload, (size_t)payload_bytes, self->wire == WIRE_WS_CLIENT ? payload - MASK_BYTES : NULL);
        bytes += prefix_bytes + payload_bytes;
        count -= prefix_bytes + (size_t)payload_bytes;
    }
}

/* The head of a request or an answer ends with an empty line, SP's handshake after 8 bytes. Returns its length. */
static size_t look_at_handshake(struct peer *self, const uint8_t *bytes, size_t count)
{
    static const char key_field[] = "Sec-WebSocket-Key: ";

    if (self->wire != WIRE_WS_CLIENT && self->wire != WIRE_WS_SERVER)
        return count >= 8 && memcmp(bytes, "\0SP\0", 4) == 0 ? 8 : 0;
    const uint8_t *end = memmem(bytes, count, "\r\n\r\n", 4);
    if (end == NULL)
        return 0;
    const uint8_t *key = memmem(bytes, count, key_field, sizeof key_field - 1);
    if (key != NULL && (size_t)(end - key) >= sizeof key_field - 1 + sizeof self->key)
        memcpy(self->key, key + sizeof key_field - 1, sizeof self->key);
    return (size_t)(end - bytes) + 4;
}

static void look_at(struct peer *self, const uint8_t *bytes, size_t count)
{
    size_t handshake_bytes = look_at_handshake(self, bytes, count);

    look_at_frames(self, bytes + handshake_bytes, count - handshake_bytes);
}

static void look_inside_tls(struct peer *self, const uint8_t *records, size_t count)
{
    uint8_t bytes[READ_BYTES];
    size_t got;

    peer_tls_feed(self->tls, records, count);
    while ((got = peer_tls_read(self->tls, bytes, sizeof bytes)) > 0)
        look_at(self, bytes, got);
    send_records(self);
}

static void receive(struct peer *self, const uint8_t *bytes, size_t count)
{
    if (self->tls != NULL)
        look_inside_tls(self, bytes, count);
    else
        look_at(self, bytes, count);
}

/* Pieces are joined: a frame's prefix is one of its own. */
static size_t drain_stream(struct peer *self, uint8_t bytes[READ_BYTES])
{
    struct nn_stream_piece pieces[PIECES];
    size_t total = 0;
    int count = nn_stream_drain(self->stream, pieces, PIECES);

    for (int i = 0; i < count; i++) {
        size_t part = pieces[i].size_bytes < READ_BYTES - total ? pieces[i].size_bytes : READ_BYTES - total;
        memcpy(bytes + total, pieces[i].bytes, part);
        total += part;
        nn_chunk_release(pieces[i].chunk);
    }
    return total;
}

void peer_read(struct peer *self, size_t limit_bytes)
{
    uint8_t bytes[READ_BYTES];

    for (size_t total = 0; total < limit_bytes;) {
        ssize_t count = 0;
        if (self->stream != NULL)
            count = (ssize_t)drain_stream(self, bytes);
        else if (self->fd >= 0)
            count = recvfrom(self->fd, bytes, sizeof bytes, MSG_DONTWAIT, NULL, NULL); /* recv may fail */
        if (count <= 0)
            return;
        receive(self, bytes, (size_t)count);
        total += (size_t)count;
    }
}

/* ---- Handshakes ---- */

static void open_sp(struct peer *self, int protocol)
{
    const uint8_t handshake[8] = {0, 'S', 'P', 0, (uint8_t)(protocol >> 8), (uint8_t)protocol, 0, 0};

    peer_send(self, handshake, sizeof handshake);
}

static void open_as_client(struct peer *self, const char *type_name)
{
    char request[512];
    int count = snprintf(request, sizeof request,
                         "GET /a HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
                         "Sec-WebSocket-Protocol: %s.sp.nanomsg.org\r\n\r\n",
                         type_name);

    peer_send(self, request, (size_t)count);
}

static void open_as_server(struct peer *self)
{
    static const char suffix[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    uint8_t digest[SP_SHA1_BYTES];
    char accept[SP_BASE64_LENGTH(SP_SHA1_BYTES)];
    char text[sizeof self->key + sizeof suffix];
    char answer[256];

    peer_read(self, READ_BYTES);
    memcpy(text, self->key, sizeof self->key);
    memcpy(text + sizeof self->key, suffix, sizeof suffix);
    sp_sha1(text, sizeof text - 1, digest);
    sp_base64_encode(digest, sizeof digest, accept);
    int count = snprintf(answer, sizeof answer,
                         "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                         "Sec-WebSocket-Accept: %.*s\r\n\r\n",
                         (int)sizeof accept, accept);
    peer_send(self, answer, (size_t)count);
}

void peer_open(struct peer *self, int protocol, const char *type_name)
{
    self->has_opened = true;
    if (self->wire == WIRE_WS_SERVER)
        open_as_client(self, type_name);
    else if (self->wire == WIRE_WS_CLIENT)
        open_as_server(self);
    else
        open_sp(self, protocol);
}

/* ---- Frames ---- */

static size_t put_length(uint8_t *to, uint64_t length, size_t count)
{
    for (size_t i = 0; i < count; i++)
        to[i] = (uint8_t)(length >> 8 * (count - 1 - i));
    return count;
}

static size_t put_prefix(const struct peer *self, uint8_t *to, uint8_t start, size_t payload_bytes)
{
    static const uint8_t mask[MASK_BYTES] = {0};
    size_t count = 0;

    if (self->wire == WIRE_TCP || self->wire == WIRE_IPC) {
        if (self->wire == WIRE_IPC)
            to[count++] = 1;
        return count + put_length(to + count, payload_bytes, 8);
    }
    uint8_t masked = self->wire == WIRE_WS_SERVER ? 0x80 : 0;
    to[count++] = start;
    if (payload_bytes < 126) {
        to[count++] = (uint8_t)(masked | payload_bytes);
    } else {
        bool is_short = payload_bytes <= UINT16_MAX;
        to[count++] = (uint8_t)(masked | (is_short ? 126 : 127));
        count += put_length(to + count, payload_bytes, is_short ? 2 : 8);
    }
    if (masked) {
        memcpy(to + count, mask, sizeof mask); /* of zeros: what the input says stands on the wire */
        count += sizeof mask;
    }
    return count;
}

static void send_two(struct peer *self, uint8_t start, const void *one, size_t one_bytes, const void *other,
                     size_t other_bytes)
{
    uint8_t *frame = malloc(16 + one_bytes + other_bytes);

    CHECK(frame != NULL);
    size_t count = put_prefix(self, frame, start, one_bytes + other_bytes);
    if (one_bytes > 0)
        memcpy(frame + count, one, one_bytes);
    if (other_bytes > 0)
        memcpy(frame + count + one_bytes, other, other_bytes);
    peer_send(self, frame, count + one_bytes + other_bytes);
    free(frame);
}

void peer_send_frame(struct peer *self, uint8_t start, const void *payload, size_t count)
{
    send_two(self, start, payload, count, NULL, 0);
}

void peer_echo(struct peer *self, const void *more, size_t count)
{
    send_two(self, 0x82, self->echo, self->echo_bytes, more, count);
}

/* ---- The end ---- */

static void finish_descriptor(struct peer *self, enum peer_end how)
{
    if (how == PEER_SHUT_DOWN) {
        shutdown(self->fd, SHUT_WR);
        return;
    }
    if (how == PEER_CLOSED)
        peer_read(self, SIZE_MAX / 2); /* else the kernel resets a local connection */
    close(self->fd);
    self->fd = -1;
}

void peer_finish(struct peer *self, enum peer_end how)
{
    if (self->tls != NULL && how != PEER_RESET && peer_is_open(self)) {
        peer_tls_shut_down(self->tls);
        send_records(self);
    }
    if (self->stream != NULL)
        nn_stream_end(self->stream, how == PEER_RESET);
    else if (self->fd >= 0)
        finish_descriptor(self, how);
}

void peer_end(struct peer *self)
{
    if (self->stream != NULL)
        nn_stream_release(self->stream);
    if (self->fd >= 0)
        close(self->fd);
    if (self->tls != NULL)
        peer_tls_close(self->tls);
    free(self->pending);
    peer_begin(self, self->wire, -1, NULL, NULL);
}
