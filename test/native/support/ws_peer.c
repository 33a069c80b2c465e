/* WebSocket, written by hand. */
#include "ws_peer.h"

#include "sockets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define HEAD_BYTES 4096

static const uint8_t key[4] = {0x9a, 0x00, 0x5c, 0xff};

const char *ws_request(const char *path, const char *server_type)
{
    static char request[HEAD_BYTES];

    /* The key of RFC 6455, section 1.3. */
    snprintf(request, sizeof request,
             "GET %s HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
             "Sec-WebSocket-Protocol: %s.sp.nanomsg.org\r\n\r\n",
             path, server_type);
    return request;
}

const char *ws_read_head(int fd)
{
    static char head[HEAD_BYTES];
    size_t count = 0;

    do {
        CHECK(count < sizeof head - 1);
        ssize_t rc = recv(fd, head + count, 1, 0);
        if (rc <= 0)
            FAIL("the connection ends behind \"%.*s\"", (int)count, head);
        head[++count] = '\0';
    } while (strstr(head, "\r\n\r\n") == NULL);
    return head;
}

const char *ws_ask(int fd, const char *request)
{
    raw_send(fd, request, strlen(request));
    return ws_read_head(fd);
}

void ws_check_status(const char *head, const char *status, const char *file, int line)
{
    char start[32];

    snprintf(start, sizeof start, "HTTP/1.1 %s ", status);
    if (strncmp(head, start, strlen(start)) != 0)
        test_fail(file, line, "the status is no %s: %s", status, head);
}

int ws_connect(const char *address, const char *server_type)
{
    const char *path = strchr(address + strlen("ws://"), '/');
    int fd = raw_connect(address);
    const char *head = ws_ask(fd, ws_request(path != NULL ? path : "/", server_type));

    CHECK_STATUS(head, "101");
    return fd;
}

/* ---- Servers ---- */

static uint32_t rotated(uint32_t word, int bits)
{
    return word << bits | word >> (32 - bits);
}

/* One block of SHA-1 (RFC 3174, 6.1). */
static void hash_block(uint32_t hash[5], const uint8_t block[64])
{
    static const uint32_t constants[4] = {0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6};
    uint32_t words[80];
    uint32_t a = hash[0], b = hash[1], c = hash[2], d = hash[3], e = hash[4];

    for (int i = 0; i < 80; i++) {
        words[i] = i >= 16 ? rotated(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16], 1)
                           : (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 |
                                 (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
        uint32_t mixed = i < 20 ? (b & c) | (~b & d) : i < 40 || i >= 60 ? b ^ c ^ d : (b & c) | (b & d) | (c & d);
        uint32_t next = rotated(a, 5) + mixed + e + words[i] + constants[i / 20];
        e = d;
        d = c;
        c = rotated(b, 30);
        b = a;
        a = next;
    }
    hash[0] += a;
    hash[1] += b;
    hash[2] += c;
    hash[3] += d;
    hash[4] += e;
}

/* RFC 6455, 4.2.2, of a key of 24 characters; by our own means, as the engine's are what is tested. */
static void write_accept(const char *request_key, char accept[29])
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint32_t hash[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
    uint8_t blocks[128] = {0};
    uint8_t digest[21] = {0};

    memcpy(blocks, request_key, 24);
    memcpy(blocks + 24, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11", 36);
    blocks[60] = 0x80;
    blocks[126] = 60 * 8 >> 8;
    blocks[127] = 60 * 8 & 0xff;
    hash_block(hash, blocks);
    hash_block(hash, blocks + 64);
    for (int i = 0; i < 20; i++)
        digest[i] = (uint8_t)(hash[i / 4] >> 8 * (3 - i % 4));
    for (int i = 0; i < 28; i++) {
        int bit = 6 * i;
        unsigned pair = digest[bit / 8] * 256u + (bit / 8 + 1 < 21 ? digest[bit / 8 + 1] : 0u);
        accept[i] = digits[pair >> (10 - bit % 8) & 63];
    }
    strcpy(accept + 27, "=");
}

void ws_accept(int fd, const char *server_type)
{
    const char *request = ws_read_head(fd);
    const char *request_key = strstr(request, "\r\nSec-WebSocket-Key: ");
    char wanted[128];
    char answer[512];
    char accept[29];

    snprintf(wanted, sizeof wanted, "\r\nSec-WebSocket-Protocol: %s.sp.nanomsg.org\r\n", server_type);
    CHECK(request_key != NULL && strstr(request, wanted) != NULL);
    write_accept(request_key + strlen("\r\nSec-WebSocket-Key: "), accept);
    snprintf(answer, sizeof answer,
             "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
             "Sec-WebSocket-Accept: %s%s\r\n",
             accept, wanted);
    raw_send(fd, answer, strlen(answer));
}

/* ---- Frames ---- */

static size_t write_prefix(uint8_t *prefix, int start, uint64_t count)
{
    size_t length_bytes = count < 126 ? 0 : count <= UINT16_MAX ? 2 : 8;

    prefix[0] = (uint8_t)start;
    prefix[1] = (uint8_t)(0x80 | (length_bytes == 0 ? count : length_bytes == 2 ? 126 : 127));
    for (size_t i = 0; i < length_bytes; i++)
        prefix[2 + i] = (uint8_t)(count >> 8 * (length_bytes - 1 - i));
    memcpy(prefix + 2 + length_bytes, key, sizeof key);
    return 2 + length_bytes + sizeof key;
}

void ws_send_prefix(int fd, int start, uint64_t announced_bytes)
{
    uint8_t prefix[14];

    raw_send(fd, prefix, write_prefix(prefix, start, announced_bytes));
}

void ws_send(int fd, int start, const void *body, size_t count)
{
    const uint8_t *from = body;
    uint8_t *frame = malloc(14 + count);
    size_t prefix_bytes;

    CHECK(frame != NULL);
    prefix_bytes = write_prefix(frame, start, count);
    for (size_t i = 0; i < count; i++)
        frame[prefix_bytes + i] = from[i] ^ key[i % sizeof key];
    raw_send(fd, frame, prefix_bytes + count);
    free(frame);
}

void ws_expect(int fd, int start, const void *body, size_t count)
{
    uint8_t prefix[14];
    size_t prefix_bytes = write_prefix(prefix, start, count) - sizeof key;

    prefix[1] &= 0x7f;
    raw_expect(fd, prefix, prefix_bytes);
    raw_expect(fd, body, count);
}

void ws_expect_message(int fd, int opcode, const void *body, size_t count)
{
    const uint8_t *from = body;
    size_t sent = 0;

    do {
        size_t part = count - sent < WS_FRAGMENT_BYTES ? count - sent : WS_FRAGMENT_BYTES;
        int start = (sent == 0 ? opcode : WS_CONTINUATION) | (sent + part == count ? WS_FIN : 0);
        ws_expect(fd, start, from + sent, part);
        sent += part;
    } while (sent < count);
}

void ws_expect_close(int fd, int code)
{
    uint8_t body[2] = {(uint8_t)(code >> 8), (uint8_t)code};

    ws_expect(fd, WS_CLOSE, body, sizeof body);
    CHECK(raw_is_closed(fd));
}
