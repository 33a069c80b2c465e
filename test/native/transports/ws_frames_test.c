/* The frames of WebSocket: what is received from clients that speak byte by byte, and what is sent to them. */
#include "sockets.h"
#include "ws_peer.h"

#include <nanomsg/pair.h>
#include <nanomsg/pipeline.h>
#include <nanomsg/reqrep.h>
#include <nanomsg/ws.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A PAIR and its only peer. */
static int pair;
static int peer;

static void meet(void)
{
    const char *address = test_ws_address();

    pair = test_socket_bound(NN_PAIR, address);
    peer = ws_connect(address, "pair");
    WAIT_PEERS(pair, 1);
}

static uint8_t *make_body(size_t count)
{
    uint8_t *body = malloc(count + 1);

    CHECK(body != NULL);
    for (size_t i = 0; i < count; i++)
        body[i] = (uint8_t)(i * 31 + count);
    return body;
}

static void check_receives_body(const uint8_t *body, size_t count)
{
    void *received;

    CHECK_EQUAL(nn_recv(pair, &received, NN_MSG, 0), count);
    CHECK_BYTES(received, count, body, count);
    nn_freemsg(received);
}

/* ---- Messages ---- */

/* Around each form of length, and around what is read and masked as one. */
static const size_t sizes[] = {0,   1,   2,   3,    4,    15,   16,    17,    63,    64,    65,    125,    126,
                               127, 128, 255, 1023, 4095, 4096, 16383, 16384, 65535, 65536, 65537, 200000, 1048576};

/* Around the length of a fragment. */
static const size_t long_sizes[] = {1048575,        1048577, 1048580, 1048576 + 4096,
                                    1048576 + 4097, 2097152, 2097153, 16777216};

TEST(messages_of_all_sizes_are_received)
{
    meet();
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        uint8_t *body = make_body(sizes[i]);
        ws_send(peer, WS_FIN | WS_BINARY, body, sizes[i]);
        check_receives_body(body, sizes[i]);
        free(body);
    }
    close(peer);
}

TEST(messages_of_all_sizes_are_sent)
{
    meet();
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        uint8_t *body = make_body(sizes[i]);
        CHECK_EQUAL(nn_send(pair, body, sizes[i], 0), sizes[i]);
        ws_expect(peer, WS_FIN | WS_BINARY, body, sizes[i]);
        free(body);
    }
    close(peer);
}

TEST(long_messages_are_sent_in_fragments)
{
    meet();
    for (size_t i = 0; i < sizeof long_sizes / sizeof long_sizes[0]; i++) {
        uint8_t *body = make_body(long_sizes[i]);
        void *message = nn_allocmsg(long_sizes[i], 0);
        memcpy(message, body, long_sizes[i]);
        CHECK_EQUAL(nn_send(pair, body, long_sizes[i], 0), long_sizes[i]); /* copied as far as the kernel is full */
        ws_expect_message(peer, WS_BINARY, body, long_sizes[i]);
        CHECK_EQUAL(nn_send(pair, &message, NN_MSG, 0), long_sizes[i]); /* referenced */
        ws_expect_message(peer, WS_BINARY, body, long_sizes[i]);
        free(body);
    }
    close(peer);
}

TEST(the_header_of_a_long_request_is_in_its_first_fragment)
{
    const char *address = test_ws_address();
    int req = test_socket_bound(NN_REQ, address);
    int fd = ws_connect(address, "req");
    uint8_t *wire = make_body(WS_FRAGMENT_BYTES + 100);
    uint8_t *body = make_body(WS_FRAGMENT_BYTES + 96);
    uint8_t prefix[10];

    WAIT_PEERS(req, 1);
    CHECK_OK(nn_send(req, body, WS_FRAGMENT_BYTES + 96, 0));
    raw_receive(fd, prefix, sizeof prefix);
    CHECK_BYTES(prefix, sizeof prefix, "\x02\x7f\0\0\0\0\0\x10\0\0", 10);
    raw_receive(fd, wire, WS_FRAGMENT_BYTES);
    raw_receive(fd, prefix, 2);
    CHECK_BYTES(prefix, 2, "\x80\x64", 2);
    raw_receive(fd, wire + WS_FRAGMENT_BYTES, 100);
    CHECK_BYTES(wire + 4, WS_FRAGMENT_BYTES + 96, body, WS_FRAGMENT_BYTES + 96);
    ws_send(fd, WS_FIN | WS_BINARY, wire, 4);
    CHECK_EQUAL(nn_recv(req, prefix, sizeof prefix, 0), 0);
    free(wire);
    free(body);
    close(fd);
}

TEST(a_long_text_is_text_in_its_first_fragment_only)
{
    meet();
    SET_INT(pair, NN_WS, NN_WS_MSG_TYPE, NN_WS_MSG_TYPE_TEXT);
    const char *address = test_ws_address();
    size_t count = WS_FRAGMENT_BYTES + 2;
    char *text = malloc(count);

    memset(text, 'a', count);
    memcpy(text + WS_FRAGMENT_BYTES - 1, "\xc3\xbc", 2); /* a character on both sides of the cut */
    CHECK_OK(nn_bind(pair, address));
    close(peer);
    WAIT_PEERS(pair, 0);
    peer = ws_connect(address, "pair");
    WAIT_PEERS(pair, 1);
    CHECK_EQUAL(nn_send(pair, text, count, 0), count);
    ws_expect_message(peer, WS_TEXT, text, count);
    free(text);
    close(peer);
}

/* The peer asks and leaves while fragments wait for it: answers come behind the message, and nothing is stuck. */
TEST(frames_of_our_own_come_behind_the_fragments_of_a_message)
{
    meet();
    size_t count = 16777216;
    SET_INT(pair, NN_SOL_SOCKET, NN_LINGER, test_deadline_ms(10000));
    uint8_t *body = make_body(count);

    CHECK_EQUAL(nn_send(pair, body, count, 0), count);
    ws_send(peer, WS_PING, "still there?", 12);
    ws_send(peer, WS_FIN | WS_BINARY, "between", 7);
    CHECK_RECEIVES(pair, "between");
    ws_expect_message(peer, WS_BINARY, body, count);
    ws_expect(peer, WS_PONG, "still there?", 12);
    CHECK_EQUAL(nn_send(pair, body, count, 0), count);
    CHECK_OK(nn_close(pair));
    ws_expect_message(peer, WS_BINARY, body, count);
    ws_expect_close(peer, 1000);
    free(body);
    close(peer);
}

TEST(a_peer_that_leaves_amid_fragments_disturbs_no_other)
{
    const char *address = test_ws_address();
    int push = test_socket_bound(NN_PUSH, address);
    size_t count = 8 * WS_FRAGMENT_BYTES;
    uint8_t *body = make_body(count);

    for (int i = 0; i < 10; i++) {
        int fd = ws_connect(address, "push");
        uint8_t some[1000];
        WAIT_PEERS(push, 1);
        CHECK_EQUAL(nn_send(push, body, count, 0), count);
        raw_receive(fd, some, sizeof some);
        raw_reset(fd);
        WAIT_PEERS(push, 0);
    }
    int fd = ws_connect(address, "push");
    CHECK_EQUAL(nn_send(push, body, count, 0), count);
    ws_expect_message(fd, WS_BINARY, body, count);
    free(body);
    close(fd);
}

TEST(long_messages_pass_between_sockets_of_ours)
{
    const char *address = test_ws_address();
    int server = test_socket_bound(NN_PAIR, address);
    int client;

    SET_INT(server, NN_SOL_SOCKET, NN_RCVMAXSIZE, -1);
    client = SOCKET(NN_PAIR);
    SET_INT(client, NN_SOL_SOCKET, NN_RCVMAXSIZE, -1);
    CHECK_OK(nn_connect(client, address));
    for (size_t i = 0; i < sizeof long_sizes / sizeof long_sizes[0]; i++) {
        uint8_t *body = make_body(long_sizes[i]);
        CHECK_EQUAL(nn_send(client, body, long_sizes[i], 0), long_sizes[i]);
        pair = server;
        check_receives_body(body, long_sizes[i]);
        CHECK_EQUAL(nn_send(server, body, long_sizes[i], 0), long_sizes[i]);
        pair = client;
        check_receives_body(body, long_sizes[i]);
        free(body);
    }
}

TEST(a_frame_may_come_byte_by_byte)
{
    meet();
    const char frame[] = "\x82\xfe\x00\x80\x01\x02\x03\x04";
    uint8_t body[128];
    uint8_t masked[128];

    for (size_t i = 0; i < sizeof body; i++) {
        body[i] = (uint8_t)i;
        masked[i] = (uint8_t)(i ^ (i % 4 + 1));
    }
    for (size_t i = 0; i < 8; i++)
        raw_send(peer, frame + i, 1);
    for (size_t i = 0; i < sizeof masked; i++)
        raw_send(peer, masked + i, 1);
    check_receives_body(body, sizeof body);
    close(peer);
}

/* ---- Types ---- */

static int received_type(const char *expected)
{
    char control[256];
    void *body;
    struct nn_iovec vector = {.iov_base = &body, .iov_len = NN_MSG};
    struct nn_msghdr header = {
        .msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    int type = -1;

    CHECK_EQUAL(nn_recvmsg(pair, &header, 0), strlen(expected));
    CHECK_BYTES(body, strlen(expected), expected, strlen(expected));
    nn_freemsg(body);
    for (struct nn_cmsghdr *item = NN_CMSG_FIRSTHDR(&header); item != NULL; item = NN_CMSG_NXTHDR(&header, item)) {
        if (item->cmsg_level == NN_WS && item->cmsg_type == NN_WS_MSG_TYPE)
            type = *(uint8_t *)NN_CMSG_DATA(item);
    }
    return type;
}

TEST(the_type_of_a_message_is_told_by_control_data)
{
    meet();
    ws_send(peer, WS_FIN | WS_TEXT, "text", 4);
    ws_send(peer, WS_FIN | WS_BINARY, "binary", 6);
    CHECK_EQUAL(received_type("text"), NN_WS_MSG_TYPE_TEXT);
    CHECK_EQUAL(received_type("binary"), NN_WS_MSG_TYPE_BINARY);
    close(peer);
}

TEST(messages_are_sent_as_text_when_the_option_says_so)
{
    const char *address = test_ws_address();
    pair = SOCKET(NN_PAIR);
    SET_INT(pair, NN_WS, NN_WS_MSG_TYPE, NN_WS_MSG_TYPE_TEXT);
    CHECK_OK(nn_bind(pair, address));
    peer = ws_connect(address, "pair");

    CHECK_SENDS(pair, "text");
    ws_expect(peer, WS_FIN | WS_TEXT, "text", 4);
    close(peer);
}

TEST(the_type_of_one_message_is_set_by_control_data)
{
    meet();
    char control[NN_CMSG_SPACE(1)] = {0};
    struct nn_iovec vector = {.iov_base = "text", .iov_len = 4};
    struct nn_msghdr header = {
        .msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    struct nn_cmsghdr *item = NN_CMSG_FIRSTHDR(&header);

    item->cmsg_len = NN_CMSG_SPACE(1);
    item->cmsg_level = NN_WS;
    item->cmsg_type = NN_WS_MSG_TYPE;
    *(uint8_t *)NN_CMSG_DATA(item) = NN_WS_MSG_TYPE_TEXT;
    CHECK_EQUAL(nn_sendmsg(pair, &header, 0), 4);
    CHECK_SENDS(pair, "binary");
    ws_expect(peer, WS_FIN | WS_TEXT, "text", 4);
    ws_expect(peer, WS_FIN | WS_BINARY, "binary", 6);
    close(peer);
}

/* ---- Fragments ---- */

TEST(a_message_may_come_in_fragments_with_control_frames_between)
{
    meet();
    ws_send(peer, WS_BINARY, "one ", 4);
    ws_send(peer, WS_PING, "are you there?", 14);
    ws_send(peer, WS_CONTINUATION, "", 0);
    ws_send(peer, WS_PONG, "nobody asked", 12);
    ws_send(peer, WS_CONTINUATION, "two ", 4);
    ws_send(peer, WS_FIN | WS_CONTINUATION, "three", 5);
    CHECK_RECEIVES(pair, "one two three");
    ws_expect(peer, WS_PONG, "are you there?", 14);
    close(peer);
}

TEST(fragments_may_be_many_and_long)
{
    meet();
    size_t count = 700000;
    uint8_t *body = make_body(count);
    size_t sent = 0;

    for (size_t step = 1; sent + step < count; step = step * 2 % 40009 + 1) {
        ws_send(peer, sent == 0 ? WS_BINARY : WS_CONTINUATION, body + sent, step);
        sent += step;
    }
    ws_send(peer, WS_FIN | WS_CONTINUATION, body + sent, count - sent);
    check_receives_body(body, count);
    free(body);
    close(peer);
}

TEST(what_follows_a_fragmented_message_is_received_as_well)
{
    meet();
    for (int i = 0; i < 50; i++) {
        ws_send(peer, WS_TEXT, "fr\xc3", 3); /* a character may be cut in two */
        ws_send(peer, WS_FIN | WS_CONTINUATION, "\xa4gment", 6);
        ws_send(peer, WS_FIN | WS_TEXT, "whole", 5);
    }
    for (int i = 0; i < 50; i++) {
        CHECK_RECEIVES(pair, "fr\xc3\xa4gment");
        CHECK_RECEIVES(pair, "whole");
    }
    close(peer);
}

/* ---- Control frames ---- */

TEST(pings_are_answered_in_order_until_the_peer_leaves)
{
    meet();
    char body[] = "ping 0";

    for (; body[5] < '9'; body[5]++)
        ws_send(peer, WS_PING, body, 6);
    ws_send(peer, WS_CLOSE, "\x0f\xa1", 2);
    ws_send(peer, WS_PING, "too late", 8);
    for (body[5] = '0'; body[5] < '9'; body[5]++)
        ws_expect(peer, WS_PONG, body, 6);
    ws_expect_close(peer, 4001);
    close(peer);
}

TEST(a_ping_is_answered)
{
    meet();
    uint8_t *body = make_body(125);

    ws_send(peer, WS_PING, "", 0);
    ws_expect(peer, WS_PONG, "", 0);
    ws_send(peer, WS_PING, body, 125);
    ws_expect(peer, WS_PONG, body, 125);
    free(body);
    close(peer);
}

TEST(a_peer_that_asks_and_never_reads_disturbs_no_other)
{
    const char *address = test_ws_address();
    int pull = test_socket_bound(NN_PULL, address);
    int asking = ws_connect(address, "pull");
    int working = ws_connect(address, "pull");
    uint8_t *body = make_body(125);

    for (int i = 0; i < 100000; i++)
        ws_send(asking, WS_PING, body, 125);
    ws_send(working, WS_FIN | WS_BINARY, "work", 4);
    CHECK_RECEIVES(pull, "work");
    ws_send(asking, WS_FIN | WS_BINARY, "work too", 8);
    CHECK_RECEIVES(pull, "work too");
    free(body);
    close(asking);
    close(working);
}

/* ---- The end ---- */

TEST(the_closing_handshake_of_a_peer_is_answered_with_its_code)
{
    meet();
    ws_send(peer, WS_CLOSE, "\x03\xe9going away", 12);
    ws_expect_close(peer, 1001);
    WAIT_PEERS(pair, 0);
    close(peer);
}

TEST(a_closing_frame_without_code_is_answered)
{
    meet();
    ws_send(peer, WS_CLOSE, "", 0);
    ws_expect_close(peer, 1000);
    close(peer);
}

TEST(messages_before_the_closing_frame_are_delivered)
{
    meet();
    ws_send(peer, WS_FIN | WS_BINARY, "one", 3);
    ws_send(peer, WS_FIN | WS_BINARY, "two", 3);
    ws_send(peer, WS_CLOSE, "\x03\xe8", 2);
    CHECK_RECEIVES(pair, "one");
    CHECK_RECEIVES(pair, "two");
    ws_expect_close(peer, 1000);
    close(peer);
}

TEST(a_socket_that_is_closed_says_so_behind_its_messages)
{
    meet();
    CHECK_SENDS(pair, "last words");
    CHECK_OK(nn_close(pair));
    ws_expect(peer, WS_FIN | WS_BINARY, "last words", 10);
    ws_expect_close(peer, 1000);
    close(peer);
}

/* ---- Broken rules ---- */

static const struct {
    const char *rule;
    const char *bytes;
    size_t count;
    int code;
} broken[] = {
#define FRAME(bytes) bytes, sizeof(bytes) - 1
    {"clients mask", FRAME("\x82\x03xyz"), 1002},
    {"no extension: first reserved bit", FRAME("\xc2\x80\0\0\0\0"), 1002},
    {"no extension: second reserved bit", FRAME("\xa2\x80\0\0\0\0"), 1002},
    {"no extension: third reserved bit", FRAME("\x92\x80\0\0\0\0"), 1002},
    {"opcode 3 is reserved", FRAME("\x83\x80\0\0\0\0"), 1002},
    {"opcode 7 is reserved", FRAME("\x87\x80\0\0\0\0"), 1002},
    {"opcode 11 is reserved", FRAME("\x8b\x80\0\0\0\0"), 1002},
    {"opcode 15 is reserved", FRAME("\x8f\x80\0\0\0\0"), 1002},
    {"nothing to continue", FRAME("\x80\x80\0\0\0\0"), 1002},
    {"a fragment is not interrupted by a message", FRAME("\x02\x80\0\0\0\0\x82\x80\0\0\0\0"), 1002},
    {"a control frame is no fragment", FRAME("\x09\x80\0\0\0\0"), 1002},
    {"a control frame is short", FRAME("\x89\xfe\x00\x7e\0\0\0\0"), 1002},
    {"a length below 126 has one byte", FRAME("\x82\xfe\0\x7d\0\0\0\0"), 1002},
    {"a length of 0 has one byte", FRAME("\x82\xfe\0\0\0\0\0\0"), 1002},
    {"a length below 126 has no eight bytes", FRAME("\x82\xff\0\0\0\0\0\0\0\x03\0\0\0\0abc"), 1002},
    {"a length below 65536 has no eight bytes", FRAME("\x82\xff\0\0\0\0\0\0\xff\xff\0\0\0\0"), 1002},
    {"the length of a text is minimal", FRAME("\x81\xfe\0\x01\0\0\0\0a"), 1002},
    {"the length of a first fragment is minimal", FRAME("\x02\xfe\0\x01\0\0\0\0a"), 1002},
    {"the length of a later fragment is minimal", FRAME("\x02\x80\0\0\0\0\x80\xfe\0\x01\0\0\0\0a"), 1002},
    {"a length has 63 bits", FRAME("\x82\xff\x80\0\0\0\0\0\0\0\0\0\0\0"), 1002},
    {"a code has two bytes", FRAME("\x88\x81\0\0\0\0\x03"), 1002},
    {"999 is no code", FRAME("\x88\x82\0\0\0\0\x03\xe7"), 1002},
    {"1005 is in no frame", FRAME("\x88\x82\0\0\0\0\x03\xed"), 1002},
    {"1006 is in no frame", FRAME("\x88\x82\0\0\0\0\x03\xee"), 1002},
    {"1004 is reserved", FRAME("\x88\x82\0\0\0\0\x03\xec"), 1002},
    {"1015 is in no frame", FRAME("\x88\x82\0\0\0\0\x03\xf7"), 1002},
    {"1016 is reserved", FRAME("\x88\x82\0\0\0\0\x03\xf8"), 1002},
    {"5000 is no code", FRAME("\x88\x82\0\0\0\0\x13\x88"), 1002},
    {"2999 is reserved", FRAME("\x88\x82\0\0\0\0\x0b\xb7"), 1002},
    {"a reason is UTF-8", FRAME("\x88\x83\0\0\0\0\x03\xe8\xff"), 1007},
    {"text is UTF-8", FRAME("\x81\x81\0\0\0\0\x80"), 1007},
    {"text is UTF-8 to its end", FRAME("\x81\x82\0\0\0\0\xe2\x82"), 1007},
    {"text in fragments is UTF-8", FRAME("\x01\x81\0\0\0\0\xc3\x80\x81\0\0\0\0("), 1007},
    {"text in fragments is UTF-8 to its end", FRAME("\x01\x81\0\0\0\0\xc3\x80\x80\0\0\0\0"), 1007},
    /* Nothing follows: what cannot become text is refused at once. */
    {"a first fragment of text is UTF-8", FRAME("\x01\x83\0\0\0\0a\x80z"), 1007},
    {"a first fragment may end within a character only", FRAME("\x01\x82\0\0\0\0\xed\xa0"), 1007},
    {"a later fragment of text is UTF-8", FRAME("\x01\x82\0\0\0\0\xf4\x8f\x00\x81\0\0\0\0\xc3"), 1007},
    {"longer than NN_RCVMAXSIZE", FRAME("\x82\xff\0\0\0\0\0\x10\0\x01\0\0\0\0"), 1009},
    {"longer than memory", FRAME("\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff\0\0\0\0"), 1009},
};

TEST(a_peer_that_breaks_a_rule_is_told_which_and_disturbs_no_other)
{
    const char *address = test_ws_address();
    int pull = test_socket_bound(NN_PULL, address);
    int innocent = ws_connect(address, "pull");

    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        int fd = ws_connect(address, "pull");
        uint8_t answer[4] = {WS_CLOSE, 2, (uint8_t)(broken[i].code >> 8), (uint8_t)broken[i].code};
        uint8_t received[4] = {0};
        raw_send(fd, broken[i].bytes, broken[i].count);
        for (size_t at = 0; at < sizeof received && read(fd, received + at, 1) == 1; at++) {
        }
        if (memcmp(received, answer, sizeof answer) != 0)
            FAIL("\"%s\" is answered by %02x %02x %u", broken[i].rule, received[0], received[1],
                 received[2] * 256u + received[3]);
        CHECK(raw_is_closed(fd));
        close(fd);
        ws_send(innocent, WS_FIN | WS_BINARY, "still here", 10);
        CHECK_RECEIVES(pull, "still here");
    }
    CHECK_SILENT(pull);
    CHECK_EQUAL(nn_get_statistic(pull, NN_STAT_BROKEN_CONNECTIONS), sizeof broken / sizeof broken[0]);
    CHECK_EQUAL(nn_get_statistic(pull, NN_STAT_CURRENT_CONNECTIONS), 1);
    close(innocent);
}

TEST(messages_before_a_broken_rule_are_delivered)
{
    meet();
    ws_send(peer, WS_FIN | WS_BINARY, "before", 6);
    raw_send(peer, "\xff", 1);
    CHECK_RECEIVES(pair, "before");
    ws_expect_close(peer, 1002);
    close(peer);
}

TEST(fragments_are_limited_by_NN_RCVMAXSIZE_together)
{
    meet();
    SET_INT(pair, NN_SOL_SOCKET, NN_RCVMAXSIZE, 100);
    uint8_t *body = make_body(60);

    ws_send(peer, WS_BINARY, body, 60);
    ws_send(peer, WS_FIN | WS_CONTINUATION, body, 40);
    void *received;
    CHECK_EQUAL(nn_recv(pair, &received, NN_MSG, 0), 100);
    nn_freemsg(received);
    ws_send(peer, WS_BINARY, body, 60);
    ws_send(peer, WS_FIN | WS_CONTINUATION, body, 41);
    ws_expect_close(peer, 1009);
    free(body);
    close(peer);
}

TEST(a_message_that_is_announced_and_never_comes_is_dropped_with_its_peer)
{
    const char *address = test_ws_address();
    int pull = test_socket_bound(NN_PULL, address);

    for (int i = 0; i < 100; i++) {
        int fd = ws_connect(address, "pull");
        ws_send_prefix(fd, WS_FIN | WS_BINARY, 1048576);
        raw_send(fd, "half", 4);
        if (i % 2 == 0)
            raw_reset(fd);
        else
            close(fd);
    }
    WAIT_STATISTIC(pull, NN_STAT_BROKEN_CONNECTIONS, 100);
    CHECK_SILENT(pull);
}

/* ---- Text ---- */

/* Places in a text where a check that looks at many bytes at once may go wrong. */
static const size_t offsets[] = {0, 1, 2, 3, 13, 14, 15, 16, 17, 31, 32, 61, 62, 63, 64, 65, 100, 127, 128, 190};

static const struct {
    const char *bytes;
    bool is_text;
} characters[] = {
    {"\x7f", true},
    {"\xc2\x80", true},
    {"\xdf\xbf", true},
    {"\xe0\xa0\x80", true},
    {"\xed\x9f\xbf", true},
    {"\xee\x80\x80", true},
    {"\xef\xbf\xbf", true},
    {"\xf0\x90\x80\x80", true},
    {"\xf4\x8f\xbf\xbf", true},
    {"\x80", false},
    {"\xbf", false},
    {"\xc0\x80", false},
    {"\xc1\xbf", false},
    {"\xc2", false},
    {"\xc2\x80\x80", false},
    {"\xe0\x9f\xbf", false},
    {"\xe0\xa0", false},
    {"\xed\xa0\x80", false},
    {"\xed\xbf\xbf", false},
    {"\xf0\x8f\xbf\xbf", false},
    {"\xf0\x90\x80", false},
    {"\xf4\x90\x80\x80", false},
    {"\xf5\x80\x80\x80", false},
    {"\xff", false},
};

/* Sends 200 bytes of text with this character in it. */
static void send_character(int fd, const char *character, size_t offset, bool is_ascii_around)
{
    char text[200];
    size_t count = strlen(character);

    for (size_t i = 0; i < sizeof text; i += 2)
        memcpy(text + i, is_ascii_around ? "ab" : "\xc3\xa9", 2);
    if (offset % 2 == 1)
        text[offset - 1] = 'c';
    memcpy(text + offset, character, count);
    if ((offset + count) % 2 == 1)
        text[offset + count] = 'd';
    ws_send(fd, WS_FIN | WS_TEXT, text, sizeof text);
}

TEST(text_is_checked_wherever_a_character_stands)
{
    const char *address = test_ws_address();
    int pull = test_socket_bound(NN_PULL, address);
    int fd = ws_connect(address, "pull");

    for (size_t i = 0; i < sizeof characters / sizeof characters[0]; i++) {
        for (size_t at = 0; at < 2 * sizeof offsets / sizeof offsets[0]; at++) {
            send_character(fd, characters[i].bytes, offsets[at / 2], at % 2 == 0);
            if (characters[i].is_text) {
                void *received;
                CHECK_EQUAL(nn_recv(pull, &received, NN_MSG, 0), 200);
                nn_freemsg(received);
                continue;
            }
            ws_expect_close(fd, 1007);
            close(fd);
            fd = ws_connect(address, "pull");
        }
    }
    close(fd);
}
