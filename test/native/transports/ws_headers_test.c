/* Headers of the request that opens a WebSocket: those that a client adds, and those that a server is told. */
#include "sockets.h"
#include "ws_peer.h"

#include <nanomsg/pipeline.h>
#include <nanomsg/pubsub.h>
#include <nanomsg/reqrep.h>
#include <nanomsg/ws.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TOKEN_LINE "Authorization: Bearer abc\r\n"

static int set_headers(int s, const char *lines)
{
    return nn_setsockopt(s, NN_WS, NN_WS_REQUEST_HEADERS, lines, strlen(lines));
}

static void ask_for_headers(int s)
{
    CHECK_EQUAL(test_get_int(s, NN_WS, NN_WS_PEER_HEADERS), 0);
    SET_INT(s, NN_WS, NN_WS_PEER_HEADERS, 1);
}

/* ---- Clients ---- */

/* Connects to a server that only reads, and returns the request, which is valid until the next call. */
static const char *request_of(int s)
{
    const char *address = test_ws_address();
    int listener = raw_listen(address);

    CHECK_OK(nn_connect(s, address));
    int fd = raw_accept(listener);
    const char *request = ws_read_head(fd);
    close(fd);
    close(listener);
    return request;
}

TEST(a_client_sends_the_headers_that_are_set)
{
    static const char lines[] = TOKEN_LINE "x-empty:\r\nX-Place: Caf\xe9\ta b: c\r\n";
    int s = SOCKET(NN_REQ);
    char text[128];
    size_t size = sizeof text;

    CHECK_OK(set_headers(s, lines));
    CHECK_OK(nn_getsockopt(s, NN_WS, NN_WS_REQUEST_HEADERS, text, &size));
    CHECK_BYTES(text, size, lines, strlen(lines));
    const char *request = request_of(s);
    const char *found = strstr(request, lines);
    CHECK(strncmp(request, "GET / HTTP/1.1\r\n", 16) == 0);
    CHECK(found != NULL);
    CHECK_STRING(found + strlen(lines), "\r\n");
}

TEST(headers_hold_for_later_endpoints)
{
    const char *address = test_ws_address();
    int listener = raw_listen(address);
    int s = SOCKET(NN_REQ);

    CHECK_OK(set_headers(s, TOKEN_LINE));
    SET_INT(s, NN_SOL_SOCKET, NN_RECONNECT_IVL, 10);
    CHECK_OK(nn_connect(s, address));
    CHECK_OK(nn_setsockopt(s, NN_WS, NN_WS_REQUEST_HEADERS, NULL, 0));
    for (int i = 0; i < 2; i++) { /* also when it comes again */
        int fd = raw_accept(listener);
        CHECK(strstr(ws_read_head(fd), "\r\n" TOKEN_LINE) != NULL);
        close(fd);
    }
    close(listener);
    CHECK(strstr(request_of(s), "Authorization") == NULL);
}

TEST(headers_that_cannot_be_sent_are_invalid)
{
    static const char *const wrong[] = {
        "X: y",
        "X: y\n",
        "X: y\r\n\r\n",
        "\r\n",
        "X\r\n",
        ": y\r\n",
        "X : y\r\n",
        " X: y\r\n",
        "X: y\r\n folded\r\n",
        "X: a\nY: b\r\n",
        "X: a\rb\r\n",
        "X: \x1b\r\n",
        "X: \x7f\r\n",
        "X\xe9: y\r\n",
        "Host: example.org\r\n",
        "host: example.org\r\n",
        "Upgrade: h2c\r\n",
        "Connection: close\r\n",
        "Content-Length: 5\r\n",
        "Transfer-Encoding: chunked\r\n",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
        "sec-websocket-protocol: pair\r\n",
        "X: y\r\nSec-WebSocket-Extensions: permessage-deflate\r\n",
    };
    int s = SOCKET(NN_REQ);

    CHECK_OK(set_headers(s, TOKEN_LINE));
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        if (set_headers(s, wrong[i]) == 0)
            FAIL("\"%s\" is accepted", wrong[i]);
        CHECK_EQUAL(nn_errno(), EINVAL);
    }
    CHECK_ERRNO(nn_setsockopt(s, NN_WS, NN_WS_REQUEST_HEADERS, "X: a\0b\r\n", 8), EINVAL);
    CHECK(strstr(request_of(s), "\r\n" TOKEN_LINE "\r\n") != NULL);
}

static char *line_of(size_t count)
{
    char *line = malloc(count + 1);

    CHECK(line != NULL);
    memset(line, 'x', count);
    line[1] = ':';
    memcpy(line + count - 2, "\r\n", 3);
    return line;
}

TEST(the_longest_headers_are_sent_as_a_whole)
{
    int s = SOCKET(NN_REQ);
    char *line = line_of(NN_WS_REQUEST_HEADERS_MAX);
    char *longer = line_of(NN_WS_REQUEST_HEADERS_MAX + 1);

    SET_INT(s, NN_SOL_SOCKET, NN_SNDBUF, 1);
    CHECK_ERRNO(set_headers(s, longer), EINVAL);
    CHECK_OK(set_headers(s, line));
    CHECK(strstr(request_of(s), line) != NULL);
    free(line);
    free(longer);
}

/* ---- Servers ---- */

/* Receives a message and returns the headers that come with it, or NULL. The text is valid until the next call. */
static const char *receive_headers(int s, size_t room_bytes)
{
    static _Alignas(16) unsigned char control[8 * 1024];
    static char body[64];
    struct nn_iovec piece = {body, sizeof body};
    struct nn_msghdr header = {
        .msg_iov = &piece, .msg_iovlen = 1, .msg_control = control, .msg_controllen = room_bytes};

    memset(control, 0, sizeof control);
    CHECK_OK(nn_recvmsg(s, &header, 0));
    for (struct nn_cmsghdr *record = NN_CMSG_FIRSTHDR(&header); record != NULL;
         record = NN_CMSG_NXTHDR(&header, record)) {
        if (record->cmsg_level != NN_WS || record->cmsg_type != NN_WS_PEER_HEADERS)
            continue;
        const char *text = (const char *)NN_CMSG_DATA(record);
        CHECK_EQUAL(record->cmsg_len, NN_CMSG_SPACE(strlen(text) + 1));
        return text;
    }
    return NULL;
}

#define ROOM ((size_t)8 * 1024)

TEST(messages_bring_the_headers_of_their_peer)
{
    const char *address = test_ws_address();
    int rep = SOCKET(NN_REP);
    int reqs[2];

    ask_for_headers(rep);
    CHECK_OK(nn_bind(rep, address));
    for (int i = 0; i < 2; i++) {
        reqs[i] = SOCKET(NN_REQ);
        CHECK_OK(set_headers(reqs[i], i == 0 ? "User: zero\r\n" : "User: one\r\n"));
        CHECK_OK(nn_connect(reqs[i], address));
    }
    for (int i = 3; i >= 0; i--) {
        CHECK_SENDS(reqs[i % 2], "who am I?");
        const char *headers = receive_headers(rep, ROOM);
        CHECK(headers != NULL);
        CHECK(strstr(headers, i % 2 == 0 ? "\r\nUser: zero\r\n" : "\r\nUser: one\r\n") != NULL);
        CHECK(strncmp(headers, "Host: ", 6) == 0);
        CHECK_SENDS(rep, "known");
        CHECK_RECEIVES(reqs[i % 2], "known");
    }
}

TEST(headers_come_with_fragments_and_when_the_peer_has_gone)
{
    const char *address = test_ws_address();
    int pull = SOCKET(NN_PULL);

    ask_for_headers(pull);
    CHECK_OK(nn_bind(pull, address));
    int fd = ws_connect(address, "pull");
    ws_send(fd, WS_BINARY, "one ", 4);
    ws_send(fd, WS_CONTINUATION | WS_FIN, "message", 7);
    ws_send(fd, WS_BINARY | WS_FIN, "another", 7);
    close(fd);
    for (int i = 0; i < 2; i++) {
        const char *headers = receive_headers(pull, ROOM);
        CHECK(headers != NULL);
        CHECK(strncmp(headers, "Host: localhost\r\n", 17) == 0);
    }
}

TEST(a_record_that_does_not_fit_is_left_out)
{
    const char *address = test_ws_address();
    int pull = SOCKET(NN_PULL);
    int push = SOCKET(NN_PUSH);

    ask_for_headers(pull);
    CHECK_OK(nn_bind(pull, address));
    CHECK_OK(nn_connect(push, address));
    for (int i = 0; i < 4; i++)
        CHECK_SENDS(push, "work");
    size_t length = strlen(receive_headers(pull, ROOM)) + 1;
    size_t before = NN_CMSG_SPACE(sizeof(size_t)) + NN_CMSG_SPACE(1);
    CHECK(receive_headers(pull, before + NN_CMSG_SPACE(length) - 1) == NULL);
    CHECK(receive_headers(pull, before + NN_CMSG_SPACE(length)) != NULL);
    CHECK_RECEIVES(pull, "work");
}

TEST(control_data_that_is_allocated_has_the_headers)
{
    const char *address = test_ws_address();
    int pull = SOCKET(NN_PULL);
    int push = SOCKET(NN_PUSH);
    void *body;
    void *control;
    struct nn_iovec piece = {&body, NN_MSG};
    struct nn_msghdr header = {.msg_iov = &piece, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = NN_MSG};
    bool is_found = false;

    ask_for_headers(pull);
    CHECK_OK(nn_bind(pull, address));
    CHECK_OK(set_headers(push, TOKEN_LINE));
    CHECK_OK(nn_connect(push, address));
    CHECK_SENDS(push, "work");
    CHECK_EQUAL(nn_recvmsg(pull, &header, 0), 4);
    for (struct nn_cmsghdr *record = NN_CMSG_FIRSTHDR(&header); record != NULL;
         record = NN_CMSG_NXTHDR(&header, record)) {
        if (record->cmsg_level == NN_WS && record->cmsg_type == NN_WS_PEER_HEADERS)
            is_found = strstr((const char *)NN_CMSG_DATA(record), TOKEN_LINE) != NULL;
    }
    CHECK(is_found);
    CHECK_OK(nn_freemsg(body));
    CHECK_OK(nn_freemsg(control));
}

TEST(a_socket_that_does_not_ask_gets_no_headers)
{
    const char *address = test_ws_address();
    int two = 2;
    int pull = test_socket_bound(NN_PULL, address);
    int push = SOCKET(NN_PUSH);

    CHECK_OK(set_headers(push, TOKEN_LINE));
    CHECK_OK(nn_connect(push, address));
    CHECK_SENDS(push, "work");
    CHECK(receive_headers(pull, ROOM) == NULL);
    CHECK_ERRNO(nn_setsockopt(pull, NN_WS, NN_WS_PEER_HEADERS, &two, sizeof two), EINVAL);
}

/* ---- Messages that go other ways ---- */

static void run_device(void *argument)
{
    const int *sockets = argument;

    CHECK_EQUAL(nn_device(sockets[0], sockets[1]), -1);
}

static int raw_asking(int protocol)
{
    int s = (int)CHECK_OK(test_socket(AF_SP_RAW, protocol));

    SET_INT(s, NN_SOL_SOCKET, NN_SNDTIMEO, -1);
    SET_INT(s, NN_SOL_SOCKET, NN_RCVTIMEO, -1);
    ask_for_headers(s);
    return s;
}

static void check_is_not_passed_on(const char *back)
{
    const char *front = test_ws_address();
    int sockets[2] = {raw_asking(NN_PULL), raw_asking(NN_PUSH)};
    int push = SOCKET(NN_PUSH);
    int pull = SOCKET(NN_PULL);

    ask_for_headers(pull);
    CHECK_OK(nn_bind(sockets[0], front));
    CHECK_OK(nn_bind(sockets[1], back));
    struct test_thread *device = test_thread_start(run_device, sockets);
    CHECK_OK(set_headers(push, TOKEN_LINE));
    CHECK_OK(nn_connect(push, front));
    CHECK_OK(nn_connect(pull, back));
    CHECK_SENDS(push, "work");
    const char *headers = receive_headers(pull, ROOM);
    CHECK(headers == NULL || strstr(headers, "Authorization") == NULL);
    CHECK_OK(nn_close(sockets[0]));
    test_thread_join(device);
    CHECK_OK(nn_close(sockets[1]));
}

TEST(a_device_does_not_pass_headers_on)
{
    check_is_not_passed_on(test_inproc_address());
    check_is_not_passed_on(test_tcp_address());
    check_is_not_passed_on(test_ws_address());
}

/* The sanitizer sees when memory is not released. */
TEST(messages_that_are_not_taken_release_the_headers)
{
    const char *address = test_ws_address();
    int sub = SOCKET(NN_SUB);
    int pub = SOCKET(NN_PUB);

    ask_for_headers(sub);
    CHECK_OK(nn_setsockopt(sub, NN_SUB, NN_SUB_SUBSCRIBE, "a", 1));
    CHECK_OK(nn_bind(sub, address));
    CHECK_OK(nn_connect(pub, address));
    WAIT_PEERS(pub, 1);
    CHECK_SENDS(pub, "b");
    CHECK_SENDS(pub, "a");
    CHECK(receive_headers(sub, ROOM) != NULL);
    CHECK_SENDS(pub, "a");
    CHECK(test_is_ready(sub, NN_POLLIN, 10000));
    CHECK_OK(nn_close(sub));
}
