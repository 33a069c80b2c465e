/* Our clients of WebSocket with a server that writes byte by byte: the client masks everything that it sends, and
 * refuses what comes masked. */
#include "sockets.h"
#include "ws_peer.h"

#include <nanomsg/pair.h>
#include <nanomsg/pipeline.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int pair;
static int listener;
static int server;

/* Answers the request of a client of ours. */
static int accept_client(void)
{
    int fd = raw_accept(listener);

    ws_accept(fd, "pair");
    return fd;
}

static void meet(void)
{
    const char *address = test_ws_address();

    listener = raw_listen(address);
    pair = SOCKET(NN_PAIR);
    SET_INT(pair, NN_SOL_SOCKET, NN_RECONNECT_IVL, 1);
    CHECK_OK(nn_connect(pair, address));
    server = accept_client();
    WAIT_PEERS(pair, 1);
}

static void part(void)
{
    close(server);
    close(listener);
}

/* A frame of at most 125 bytes, as a server sends it. */
static void send_frame(int start, const void *body, uint8_t count)
{
    uint8_t prefix[2] = {(uint8_t)start, count};

    raw_send(server, prefix, sizeof prefix);
    raw_send(server, body, count);
}

/* The next frame is this one, masked. Returns its mask. */
static uint32_t expect_masked(int start, const void *body, uint8_t count)
{
    const uint8_t *expected = body;
    uint8_t head[6];
    uint8_t masked[125];
    uint32_t key;

    raw_receive(server, head, sizeof head);
    CHECK_EQUAL(head[0], start);
    CHECK_EQUAL(head[1], 0x80 | count);
    raw_receive(server, masked, count);
    for (size_t i = 0; i < count; i++)
        CHECK_EQUAL(masked[i] ^ head[2 + i % 4], expected[i]);
    memcpy(&key, head + 2, sizeof key);
    return key;
}

TEST(what_a_client_sends_is_masked_each_time_with_another_key)
{
    meet();
    uint32_t keys[3];

    for (int i = 0; i < 3; i++) {
        CHECK_SENDS(pair, "the same message");
        keys[i] = expect_masked(WS_FIN | WS_BINARY, "the same message", 16);
    }
    CHECK(keys[0] != keys[1] && keys[1] != keys[2] && keys[0] != keys[2]);
    part();
}

/* Each fragment is masked by itself. */
TEST(a_client_sends_long_messages_in_masked_fragments)
{
    enum { COUNT = 2 * 1048576 + 5 };
    uint8_t *body = malloc(COUNT);
    uint8_t *received = malloc(COUNT);
    static const struct {
        uint8_t start[10];
        size_t start_bytes;
        size_t count;
    } frames[] = {{{WS_BINARY, 0xff, 0, 0, 0, 0, 0, 0x10, 0, 0}, 10, 1048576},
                  {{WS_CONTINUATION, 0xff, 0, 0, 0, 0, 0, 0x10, 0, 0}, 10, 1048576},
                  {{WS_FIN | WS_CONTINUATION, 0x85}, 2, 5}};
    uint8_t keys[3][4];
    size_t got = 0;

    meet();
    for (size_t i = 0; i < COUNT; i++)
        body[i] = (uint8_t)(i * 7 + i / 1000);
    CHECK_EQUAL(nn_send(pair, body, COUNT, 0), COUNT);
    for (int i = 0; i < 3; i++) {
        uint8_t start[10];
        raw_receive(server, start, frames[i].start_bytes);
        CHECK_BYTES(start, frames[i].start_bytes, frames[i].start, frames[i].start_bytes);
        raw_receive(server, keys[i], 4);
        raw_receive(server, received + got, frames[i].count);
        for (size_t j = 0; j < frames[i].count; j++)
            received[got + j] ^= keys[i][j % 4];
        got += frames[i].count;
    }
    CHECK_BYTES(received, COUNT, body, COUNT);
    CHECK(memcmp(keys[0], keys[1], 4) != 0 && memcmp(keys[1], keys[2], 4) != 0);
    free(body);
    free(received);
    part();
}

TEST(a_client_answers_pings_and_close_frames_masked)
{
    meet();
    send_frame(WS_PING, "are you there?", 14);
    expect_masked(WS_PONG, "are you there?", 14);
    send_frame(WS_CLOSE,
               "\x03\xe9"
               "going",
               7);
    expect_masked(WS_CLOSE, "\x03\xe9", 2);
    WAIT_PEERS(pair, 0);
    part();
}

TEST(a_client_puts_fragments_together)
{
    meet();
    send_frame(WS_TEXT, "Gr\xc3", 3);
    send_frame(WS_PING, "", 0);
    send_frame(WS_CONTINUATION, "", 0);
    send_frame(WS_FIN | WS_CONTINUATION, "\xbc\xc3\x9f", 3);
    CHECK_RECEIVES(pair, "Gr\xc3\xbc\xc3\x9f");
    expect_masked(WS_PONG, "", 0);
    part();
}

static const struct {
    const char *rule;
    const char *bytes;
    size_t count;
    int code;
} broken[] = {
#define FRAME(bytes) bytes, sizeof(bytes) - 1
    {"servers do not mask messages", FRAME("\x82\x83\0\0\0\0xyz"), 1002},
    {"servers do not mask control frames", FRAME("\x89\x80\0\0\0\0"), 1002},
    {"no extension", FRAME("\xc2\0"), 1002},
    {"opcode 3 is reserved", FRAME("\x83\0"), 1002},
    {"nothing to continue", FRAME("\x80\0"), 1002},
    {"a fragment is not interrupted by a message", FRAME("\x02\0\x82\0"), 1002},
    {"a control frame is no fragment", FRAME("\x08\0"), 1002},
    {"a control frame is short", FRAME("\x8a\x7e\0\x7e"), 1002},
    {"a length below 126 has one byte", FRAME("\x82\x7e\0\x7d"), 1002},
    {"a length below 126 has no eight bytes", FRAME("\x82\x7f\0\0\0\0\0\0\0\x7d"), 1002},
    {"a length below 65536 has no eight bytes", FRAME("\x82\x7f\0\0\0\0\0\0\xff\xff"), 1002},
    {"a length of 64 bits has its top bit clear", FRAME("\x82\x7f\x80\0\0\0\0\0\0\0"), 1002},
    {"a length has 63 bits", FRAME("\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff"), 1002},
    {"1005 is in no frame", FRAME("\x88\x02\x03\xed"), 1002},
    {"text is UTF-8", FRAME("\x81\x02\xc0\x80"), 1007},
    {"a first fragment of text is UTF-8", FRAME("\x01\x01\xff"), 1007},
    {"longer than NN_RCVMAXSIZE", FRAME("\x82\x7f\0\0\0\0\0\x10\0\x01"), 1009},
};

TEST(a_server_that_breaks_a_rule_is_told_which_and_called_again)
{
    meet();
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        uint8_t code[2] = {(uint8_t)(broken[i].code >> 8), (uint8_t)broken[i].code};
        raw_send(server, broken[i].bytes, broken[i].count);
        expect_masked(WS_CLOSE, code, sizeof code);
        close(server);
        server = accept_client();
        send_frame(WS_FIN | WS_BINARY, "welcome back", 12);
        CHECK_RECEIVES(pair, "welcome back");
    }
    CHECK_EQUAL(nn_get_statistic(pair, NN_STAT_BROKEN_CONNECTIONS), sizeof broken / sizeof broken[0]);
    part();
}
