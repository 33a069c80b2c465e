/* Peers that speak byte by byte. Whatever the other side does is well: nothing here is a check. */
#include "strange_peer.h"

#include "patterned_body.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define SPEECH_BYTES ((size_t)65536)
#define MAX_MESSAGES 8
#define MAX_BODY_BYTES 3000
#define LIMIT_MS 50

enum framing { FRAMING_TCP, FRAMING_IPC, FRAMING_WS };

/* What a peer is about to say, gathered so that it can leave in one packet. */
struct speech {
    uint8_t bytes[SPEECH_BYTES];
    size_t count;
    enum framing framing;
    bool is_client;
};

unsigned chaos_draw(uint64_t *state, unsigned limit)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (unsigned)((*state * 0x2545f4914f6cdd1dULL >> 33) % limit);
}

/* ---- Addresses ---- */

static enum framing framing_of(const char *address)
{
    if (strncmp(address, "ipc://", 6) == 0)
        return FRAMING_IPC;
    return strncmp(address, "ws://", 5) == 0 ? FRAMING_WS : FRAMING_TCP;
}

static socklen_t system_address(const char *address, struct sockaddr_storage *storage)
{
    struct sockaddr_un *path = (struct sockaddr_un *)storage;
    struct sockaddr_in *host = (struct sockaddr_in *)storage;
    char text[INET_ADDRSTRLEN] = "";
    int port = 0;

    memset(storage, 0, sizeof *storage);
    if (framing_of(address) == FRAMING_IPC) {
        path->sun_family = AF_UNIX;
        snprintf(path->sun_path, sizeof path->sun_path, "%s", address + 6);
        return sizeof *path;
    }
    host->sin_family = AF_INET;
    sscanf(strstr(address, "://") + 3, "%15[0-9.]:%d", text, &port);
    inet_pton(AF_INET, text, &host->sin_addr);
    host->sin_port = htons((uint16_t)port);
    return sizeof *host;
}

/* ---- What is said ---- */

static void say(struct speech *self, const void *bytes, size_t count)
{
    if (count <= SPEECH_BYTES - self->count) {
        memcpy(self->bytes + self->count, bytes, count);
        self->count += count;
    }
}

static void say_ws_prefix(struct speech *self, int start, uint64_t length)
{
    uint8_t prefix[14] = {(uint8_t)start};
    size_t count = 2;

    if (length < 126) {
        prefix[1] = (uint8_t)length;
    } else {
        prefix[1] = length <= UINT16_MAX ? 126 : 127;
        int bits = length <= UINT16_MAX ? 16 : 64;
        while (bits > 0)
            prefix[count++] = (uint8_t)(length >> (bits -= 8));
    }
    if (self->is_client) {
        prefix[1] |= 0x80;
        count += 4; /* a mask of zeros */
    }
    say(self, prefix, count);
}

static void say_prefix(struct speech *self, uint64_t length)
{
    uint8_t prefix[9] = {1};

    if (self->framing == FRAMING_WS) {
        say_ws_prefix(self, 0x82, length);
        return;
    }
    for (int i = 0; i < 8; i++)
        prefix[1 + i] = (uint8_t)(length >> (56 - 8 * i));
    if (self->framing == FRAMING_IPC)
        say(self, prefix, 9);
    else
        say(self, prefix + 1, 8);
}

/* With a header that ends a backtrace, or without one: then some types pass the message over. */
static void say_message(struct speech *self, uint64_t *random)
{
    static const size_t lengths[] = {0, 1, 3, 4, 8, 100};
    uint8_t message[4 + MAX_BODY_BYTES];
    size_t header = chaos_draw(random, 3) > 0 ? 4 : 0;
    size_t body = chaos_draw(random, 2) ? lengths[chaos_draw(random, 6)] : chaos_draw(random, MAX_BODY_BYTES);

    message[0] = 0x80;
    message[1] = message[2] = 0;
    message[3] = (uint8_t)chaos_draw(random, 256);
    pattern_fill(message + header, body, (uint8_t)chaos_draw(random, 256));
    say_prefix(self, header + body);
    say(self, message, header + body);
}

/* What no peer may say. */
static void say_wrong(struct speech *self, uint64_t *random)
{
    static const int ws_starts[] = {0x88, 0x89, 0x8a, 0x83, 0xc2, 0x00, 0x09};

    if (self->framing == FRAMING_WS)
        say_ws_prefix(self, ws_starts[chaos_draw(random, 7)], 0);
    else if (self->framing == FRAMING_IPC && chaos_draw(random, 2))
        say(self, "\2\0\0\0\0\0\0\0\0", 9);
    else
        say_prefix(self, UINT64_MAX >> chaos_draw(random, 24));
}

static void say_handshake(struct speech *self, uint64_t *random, int protocol)
{
    uint8_t handshake[8] = {0, 'S', 'P', 0, (uint8_t)(protocol >> 8), (uint8_t)protocol, 0, 0};
    static const char *const types[] = {"pair", "req", "rep", "pub", "sub", "push", "pull", "bus"};
    char request[512];

    if (self->framing != FRAMING_WS) {
        if (chaos_draw(random, 10) == 0)
            handshake[chaos_draw(random, 8)] ^= 0x41;
        say(self, handshake, sizeof handshake);
        return;
    }
    int length = snprintf(request, sizeof request,
                          "GET %s HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
                          "Sec-WebSocket-Protocol: %s.sp.nanomsg.org\r\n\r\n",
                          chaos_draw(random, 2) ? "/" : "/a", types[chaos_draw(random, 8)]);
    say(self, request, (size_t)length);
}

/* ---- Speaking ---- */

static void listen_to(int fd, uint64_t *random)
{
    uint8_t heard[4096];
    struct pollfd ready = {.fd = fd, .events = POLLIN};

    for (unsigned i = chaos_draw(random, 4); i > 0 && poll(&ready, 1, (int)chaos_draw(random, LIMIT_MS)) == 1; i--) {
        if (recv(fd, heard, 1 + chaos_draw(random, sizeof heard), MSG_DONTWAIT) <= 0)
            return;
    }
}

/* In pieces as they come; the last one may be cut. */
static void utter(struct speech *self, int fd, uint64_t *random)
{
    size_t done = 0;

    if (chaos_draw(random, 4) == 0 && self->count > 0)
        self->count = chaos_draw(random, (unsigned)self->count);
    while (done < self->count) {
        size_t piece =
            chaos_draw(random, 2) ? self->count - done : 1 + chaos_draw(random, (unsigned)(self->count - done));
        ssize_t sent = send(fd, self->bytes + done, piece, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0)
            break;
        done += (size_t)sent;
    }
    self->count = 0;
}

static void end(int fd, uint64_t *random)
{
    struct linger none = {.l_onoff = 1, .l_linger = 0};
    unsigned way = chaos_draw(random, 4);

    if (way == 0)
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    if (way == 1) {
        shutdown(fd, SHUT_WR);
        listen_to(fd, random);
    }
    if (way == 2)
        listen_to(fd, random);
    close(fd);
}

static void speak(int fd, enum framing framing, bool is_client, uint64_t *random, int protocol)
{
    struct speech *speech = malloc(sizeof *speech);

    if (speech == NULL) {
        close(fd);
        return;
    }
    speech->count = 0;
    speech->framing = framing;
    speech->is_client = is_client;
    say_handshake(speech, random, protocol);
    if (framing == FRAMING_WS || chaos_draw(random, 2)) {
        utter(speech, fd, random);
        listen_to(fd, random);
    }
    for (unsigned i = chaos_draw(random, MAX_MESSAGES); i > 0; i--)
        say_message(speech, random);
    if (chaos_draw(random, 3) == 0)
        say_wrong(speech, random);
    utter(speech, fd, random);
    end(fd, random);
    free(speech);
}

static int open_for(const char *address)
{
    return socket(framing_of(address) == FRAMING_IPC ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
                  0);
}

void strange_peer_visit(uint64_t *random, const char *address, int protocol)
{
    struct sockaddr_storage storage;
    socklen_t length = system_address(address, &storage);
    int fd = open_for(address);

    if (fd < 0)
        return;
    struct pollfd ready = {.fd = fd, .events = POLLOUT};
    if (connect(fd, (struct sockaddr *)&storage, length) < 0 &&
        (errno != EINPROGRESS || poll(&ready, 1, LIMIT_MS) != 1)) {
        close(fd);
        return;
    }
    speak(fd, framing_of(address), true, random, protocol);
}

void strange_peer_serve(uint64_t *random, const char *address, int protocol)
{
    struct sockaddr_storage storage;
    socklen_t length = system_address(address, &storage);
    int listener = open_for(address);
    int yes = 1;

    if (listener < 0)
        return;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    struct pollfd ready = {.fd = listener, .events = POLLIN};
    if (bind(listener, (struct sockaddr *)&storage, length) == 0 && listen(listener, 4) == 0 &&
        poll(&ready, 1, LIMIT_MS) == 1) {
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0)
            speak(fd, framing_of(address), false, random, protocol);
    }
    close(listener);
    if (framing_of(address) == FRAMING_IPC)
        unlink(address + 6);
}
