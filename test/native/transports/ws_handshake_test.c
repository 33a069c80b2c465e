/* How a WebSocket is opened: which client is accepted, and what the others are told. */
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

static char address[128];

/* A PULL that is bound to this path of a free port; `address` tells where. */
static int bound_pull(const char *path)
{
    snprintf(address, sizeof address, "%s%s", test_ws_address(), path);
    return test_socket_bound(NN_PULL, address);
}

/* ---- Accepted ---- */

TEST(the_accepting_response_proves_that_the_request_was_understood)
{
    bound_pull("/");
    int fd = raw_connect(address);
    const char *head = ws_ask(fd, ws_request("/", "pull"));

    CHECK_STATUS(head, "101");
    CHECK(strstr(head, "\r\nUpgrade: websocket\r\n") != NULL);
    CHECK(strstr(head, "\r\nConnection: Upgrade\r\n") != NULL);
    /* The answer to the key of RFC 6455, section 1.3. */
    CHECK(strstr(head, "\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n") != NULL);
    CHECK(strstr(head, "\r\nSec-WebSocket-Protocol: pull.sp.nanomsg.org\r\n") != NULL);
    close(fd);
}

TEST(a_request_may_come_byte_by_byte)
{
    int pull = bound_pull("/");
    int fd = raw_connect(address);
    const char *request = ws_request("/", "pull");

    for (size_t i = 0; i < strlen(request); i++)
        raw_send(fd, request + i, 1);
    CHECK_STATUS(ws_read_head(fd), "101");
    ws_send(fd, WS_FIN | WS_BINARY, "work", 4);
    CHECK_RECEIVES(pull, "work");
    close(fd);
}

TEST(messages_may_come_together_with_the_request)
{
    int pull = bound_pull("/");
    int fd = raw_connect(address);
    uint8_t together[4096];
    const char *request = ws_request("/", "pull");
    size_t count = strlen(request);

    memcpy(together, request, count);
    memcpy(together + count, "\x82\x83\0\0\0\0one\x82\x83\0\0\0\0two", 18);
    raw_send(fd, together, count + 18);
    CHECK_RECEIVES(pull, "one");
    CHECK_RECEIVES(pull, "two");
    CHECK_STATUS(ws_read_head(fd), "101");
    close(fd);
}

TEST(one_of_several_subprotocols_and_other_fields_are_accepted)
{
    bound_pull("/");
    int fd = raw_connect(address);

    const char *head =
        ws_ask(fd, "GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, UPGRADE\r\nupgrade: WebSocket\r\n"
                   "X-Unknown:  of no \t interest \r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                   "Sec-WebSocket-Version:13\r\nSec-WebSocket-Protocol: mqtt, rep.sp.nanomsg.org\r\n"
                   "Sec-WebSocket-Protocol: chat,pull.sp.nanomsg.org\r\n\r\n");
    CHECK_STATUS(head, "101");
    CHECK(strstr(head, "Sec-WebSocket-Protocol: pull.sp.nanomsg.org\r\n") != NULL);
    close(fd);
}

TEST(a_target_may_be_a_whole_uri)
{
    static const char *const targets[] = {"http://a/path", "HTTPS://a:80/path", "ws://a/path?query", "wss://a/path"};

    bound_pull("/path");
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
        int fd = raw_connect(address);
        CHECK_STATUS(ws_ask(fd, ws_request(targets[i], "pull")), "101");
        close(fd);
    }
    int fd = raw_connect(address);
    CHECK_STATUS(ws_ask(fd, ws_request("http://a", "pull")), "404"); /* that is "/" */
    close(fd);
}

TEST(a_pair_accepts_a_client_that_names_no_subprotocol)
{
    snprintf(address, sizeof address, "%s", test_ws_address());
    int pair = test_socket_bound(NN_PAIR, address);
    int fd = raw_connect(address);

    const char *head = ws_ask(fd, "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                                  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n");
    CHECK_STATUS(head, "101");
    CHECK(strstr(head, "Sec-WebSocket-Protocol") == NULL);
    CHECK_SENDS(pair, "to a browser");
    ws_expect(fd, WS_FIN | WS_BINARY, "to a browser", 12);
    close(fd);
}

/* ---- Refused ---- */

static const struct {
    const char *request;
    const char *status;
} refused[] = {
#define FIELDS "Host: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
#define KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define VERSION "Sec-WebSocket-Version: 13\r\n"
#define TYPE "Sec-WebSocket-Protocol: pull.sp.nanomsg.org\r\n"
    {"POST / HTTP/1.1\r\n" FIELDS KEY VERSION TYPE "\r\n", "405"},
    {"get / HTTP/1.1\r\n" FIELDS KEY VERSION TYPE "\r\n", "400"},
    {"GET / HTTP/1.0\r\n" FIELDS KEY VERSION TYPE "\r\n", "400"},
    {"GET / HTTP/1.1 x\r\n" FIELDS KEY VERSION TYPE "\r\n", "400"},
    {"GET /\r\n" FIELDS KEY VERSION TYPE "\r\n", "400"},
    {"GET nowhere HTTP/1.1\r\n" FIELDS KEY VERSION TYPE "\r\n", "400"},
    {"GET ftp://a/ HTTP/1.1\r\n" FIELDS KEY VERSION TYPE "\r\n", "400"},
    {"GET http:// HTTP/1.1\r\n" FIELDS KEY VERSION TYPE "\r\n", "400"},
    {"GET /other HTTP/1.1\r\n" FIELDS KEY VERSION TYPE "\r\n", "404"},
    {"GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" KEY VERSION TYPE "\r\n", "400"},
    {"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n" KEY VERSION TYPE "\r\n", "426"},
    {"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n" KEY VERSION TYPE "\r\n", "426"},
    {"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n" KEY VERSION TYPE "\r\n", "426"},
    {"GET / HTTP/1.1\r\n" FIELDS KEY "Sec-WebSocket-Version: 8\r\n" TYPE "\r\n", "426"},
    {"GET / HTTP/1.1\r\n" FIELDS KEY TYPE "\r\n", "400"},
    {"GET / HTTP/1.1\r\n" FIELDS VERSION TYPE "\r\n", "400"},
    {"GET / HTTP/1.1\r\n" FIELDS KEY KEY VERSION TYPE "\r\n", "400"},
    {"GET / HTTP/1.1\r\n" FIELDS "Sec-WebSocket-Key: c2hvcnQ=\r\n" VERSION TYPE "\r\n", "400"},
    {"GET / HTTP/1.1\r\n" FIELDS "Sec-WebSocket-Key: ????????????????????????\r\n" VERSION TYPE "\r\n", "400"},
    {"GET / HTTP/1.1\r\n" FIELDS KEY VERSION "Sec-WebSocket-Protocol: push.sp.nanomsg.org\r\n\r\n", "400"},
    {"GET / HTTP/1.1\r\n" FIELDS KEY VERSION "Sec-WebSocket-Protocol: pull\r\n\r\n", "400"},
    {"GET / HTTP/1.1\r\n" FIELDS KEY VERSION "\r\n", "400"},
    {"GET / HTTP/1.1\r\nno field\r\n" FIELDS KEY VERSION TYPE "\r\n", "400"},
    {"GET / HTTP/1.1\r\n : empty\r\n" FIELDS KEY VERSION TYPE "\r\n", "400"},
    {"GET / HTTP/1.1\r\n" FIELDS KEY VERSION TYPE "Transfer-Encoding: chunked\r\n\r\n", "400"},
    {"GET / HTTP/1.1\r\n" FIELDS KEY VERSION TYPE "transfer-encoding: identity\r\n\r\n", "400"},
    {"GET / HTTP/1.1\r\n" FIELDS KEY VERSION TYPE "Transfer-Encoding:\r\n\r\n", "400"},
    {"GET / HTTP/1.1\r\n" FIELDS KEY VERSION TYPE "Content-Length: 5\r\n\r\n", "400"},
    {"GET / HTTP/1.1\r\n" FIELDS KEY VERSION TYPE "Content-Length: 0, 5\r\n\r\n", "400"},
    {"GET / HTTP/1.1\r\n" FIELDS KEY VERSION TYPE "Content-Length: -0\r\n\r\n", "400"},
    {"GET / HTTP/1.1\r\n" FIELDS KEY VERSION TYPE "Content-Length:\r\n\r\n", "400"},
    {"GET / HTTP/1.1\r\n" FIELDS KEY VERSION TYPE "Content-Length: 0\r\nContent-Length: 0\r\n\r\n", "400"},
    {"GET / HTTP/1.1\r\n" FIELDS KEY VERSION TYPE "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n", "400"},
    {"HELO you\r\n\r\n", "400"},
    {"1234567 \r\n\r\n", "400"},
    {"{\"json\":true}\r\n\r\n", "400"},
    {"\r\n\r\n", "400"},
};

TEST(a_request_may_say_that_it_has_no_body)
{
    bound_pull("/");
    int fd = raw_connect(address);

    CHECK_STATUS(ws_ask(fd, "GET / HTTP/1.1\r\n" FIELDS KEY VERSION TYPE "Content-Length: 0\r\n\r\n"), "101");
    close(fd);
}

/* What follows the head has the length that it names, and nothing follows that. */
static void check_text(int fd, const char *head)
{
    const char *length = strstr(head, "\r\nContent-Length: ");

    CHECK(length != NULL);
    CHECK_EQUAL(raw_count_to_end(fd), atoi(length + strlen("\r\nContent-Length: ")));
}

TEST(requests_that_are_wrong_are_refused_and_disturb_no_other_peer)
{
    int pull = bound_pull("/");
    int innocent = ws_connect(address, "pull");

    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        int fd = raw_connect(address);
        raw_send(fd, refused[i].request, strlen(refused[i].request));
        const char *head = ws_read_head(fd);
        if (strncmp(head + strlen("HTTP/1.1 "), refused[i].status, 3) != 0)
            FAIL("\"%s\" is answered by \"%s\"", refused[i].request, head);
        check_text(fd, head);
        close(fd);
        ws_send(innocent, WS_FIN | WS_BINARY, "still here", 10);
        CHECK_RECEIVES(pull, "still here");
    }
    WAIT_STATISTIC(pull, NN_STAT_BROKEN_CONNECTIONS, sizeof refused / sizeof refused[0]);
    close(innocent);
}

TEST(a_request_of_a_browser_that_wants_a_page_gets_a_text)
{
    bound_pull("/");
    int fd = raw_connect(address);
    CHECK_STATUS(ws_ask(fd, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"), "426");
    raw_expect(fd, "This address is for WebSocket", 29);
    close(fd);
}

TEST(a_peer_that_speaks_another_protocol_is_refused_at_its_first_bytes)
{
    bound_pull("/");
    int fd = raw_connect(address);

    raw_send_handshake(fd, NN_PUSH);
    CHECK(raw_is_closed(fd));
    close(fd);
}

TEST(a_head_without_end_is_refused)
{
    bound_pull("/");
    int fd = raw_connect(address);
    char field[1024];

    memset(field, 'x', sizeof field);
    memcpy(field, "X-A: ", 5);
    memcpy(field + sizeof field - 2, "\r\n", 2);
    raw_send(fd, "GET / HTTP/1.1\r\n", 16);
    for (int i = 0; i < 15; i++)
        raw_send(fd, field, sizeof field);
    raw_send(fd, field, sizeof field - 16);
    CHECK_STATUS(ws_read_head(fd), "431");
    CHECK(raw_is_closed(fd));
    close(fd);
}

TEST(a_second_peer_of_a_pair_is_told_to_come_later)
{
    snprintf(address, sizeof address, "%s", test_ws_address());
    int pair = test_socket_bound(NN_PAIR, address);
    int first = ws_connect(address, "pair");

    WAIT_PEERS(pair, 1);
    int second = raw_connect(address);
    CHECK_STATUS(ws_ask(second, ws_request("/", "pair")), "503");
    close(first);
    close(second);
}

/* ---- Ports and paths ---- */

static const char *on_same_port(const char *path)
{
    static char other[128];

    snprintf(other, sizeof other, "%.*s%s", (int)(strchr(address + 5, '/') - address), address, path);
    return other;
}

TEST(sockets_share_a_port_and_are_told_apart_by_path)
{
    int first = bound_pull("/first");
    int second = test_socket_bound(NN_PULL, on_same_port("/second"));
    int third = test_socket_bound(NN_REP, on_same_port("/third"));

    for (int i = 0; i < 20; i++) {
        int to_second = ws_connect(on_same_port("/second?who=me"), "pull");
        int to_first = ws_connect(on_same_port("/first"), "pull");
        ws_send(to_second, WS_FIN | WS_BINARY, "second", 6);
        ws_send(to_first, WS_FIN | WS_BINARY, "first", 5);
        CHECK_RECEIVES(first, "first");
        CHECK_RECEIVES(second, "second");
        close(to_first);
        close(to_second);
    }
    int req = test_socket_connected(NN_REQ, on_same_port("/third"));
    CHECK_SENDS(req, "question");
    CHECK_RECEIVES(third, "question");
}

TEST(a_path_that_is_taken_is_EADDRINUSE)
{
    bound_pull("/first");
    int other = SOCKET(NN_PULL);

    CHECK_ERRNO(nn_bind(other, address), EADDRINUSE);
    CHECK_OK(nn_bind(other, on_same_port("/second")));
}

TEST(a_path_is_free_again_when_its_endpoint_is_shut_down)
{
    int pull = SOCKET(NN_PULL);
    int other = SOCKET(NN_PULL);
    snprintf(address, sizeof address, "%s/path", test_ws_address());

    int endpoint = (int)CHECK_OK(nn_bind(pull, address));
    CHECK_OK(nn_bind(other, on_same_port("/other")));
    CHECK_OK(nn_shutdown(pull, endpoint));
    int fd = raw_connect(address);
    CHECK_STATUS(ws_ask(fd, ws_request("/path", "pull")), "404");
    close(fd);
    CHECK_OK(nn_bind(pull, address));
    fd = ws_connect(address, "pull");
    close(fd);
}

TEST(an_address_without_path_serves_all_paths_that_no_other_does)
{
    int any = SOCKET(NN_PULL);
    snprintf(address, sizeof address, "%s", test_ws_address());
    CHECK_OK(nn_bind(any, address));
    strcat(address, "/");
    int one = test_socket_bound(NN_PULL, on_same_port("/one"));

    int to_any = ws_connect(on_same_port("/whatever"), "pull");
    int to_one = ws_connect(on_same_port("/one"), "pull");
    ws_send(to_any, WS_FIN | WS_BINARY, "any", 3);
    ws_send(to_one, WS_FIN | WS_BINARY, "one", 3);
    CHECK_RECEIVES(any, "any");
    CHECK_RECEIVES(one, "one");
    close(to_any);
    close(to_one);
}

/* ---- Addresses ---- */

TEST(addresses_that_are_wrong_have_the_errno_of_the_original)
{
    int s = SOCKET(NN_PULL);

    CHECK_ERRNO(nn_bind(s, "ws://"), EINVAL);
    CHECK_ERRNO(nn_bind(s, "ws://127.0.0.1"), EINVAL);
    CHECK_ERRNO(nn_bind(s, "ws://127.0.0.1:"), EINVAL);
    CHECK_ERRNO(nn_bind(s, "ws://127.0.0.1:65536"), EINVAL);
    CHECK_ERRNO(nn_bind(s, "ws://127.0.0.1:x/"), EINVAL);
    CHECK_ERRNO(nn_bind(s, "ws://no-such-interface:5555"), ENODEV);
    CHECK_ERRNO(nn_connect(s, "ws://"), EINVAL);
    CHECK_ERRNO(nn_connect(s, "ws://:80/"), EINVAL);
    CHECK_ERRNO(nn_connect(s, "ws://localhost/path:80"), EINVAL);
    CHECK_ERRNO(nn_connect(s, "ws://localhost:80/a b"), EINVAL);
    CHECK_ERRNO(nn_connect(s, "ws://localhost:80/a\r\nX: y"), EINVAL);
    CHECK_ERRNO(nn_connect(s, "ws://no-such-interface;localhost:80/"), ENODEV);
}

/* ---- What a client says ---- */

TEST(a_client_asks_for_the_path_and_the_servers_type)
{
    const char *base = test_ws_address();
    int listener = raw_listen(base);
    snprintf(address, sizeof address, "%s/a/path?with=query", base);
    test_socket_connected(NN_REQ, address);
    int fd = raw_accept(listener);
    const char *head = ws_read_head(fd);

    CHECK(strstr(head, "GET /a/path?with=query HTTP/1.1\r\n") == head);
    char host[64];
    snprintf(host, sizeof host, "\r\nHost: %s\r\n", base + 5);
    CHECK(strstr(head, host) != NULL);
    CHECK(strstr(head, "\r\nSec-WebSocket-Version: 13\r\n") != NULL);
    CHECK(strstr(head, "\r\nSec-WebSocket-Protocol: rep.sp.nanomsg.org\r\n") != NULL);
    close(fd);
    close(listener);
}

static const char *const wrong_answers[] = {
    "HTTP/1.1 404 Not Found\r\n\r\n",
    "HTTP/1.1 400 Incompatible Socket Type\r\n",
    "HTTP/1.1 200 OK\r\n\r\n",
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: pull.sp.nanomsg.org\r\n\r\n",
    "HTTP/1.1 101 Switching Protocols\r\n\r\n",
    "SSH-2.0-OpenSSH_9.2\r\n",
    "\r\n\r\n",
};

TEST(a_client_that_is_refused_or_answered_wrongly_comes_again)
{
    const char *base = test_ws_address();
    int listener = raw_listen(base);
    int push = SOCKET(NN_PUSH);
    SET_INT(push, NN_SOL_SOCKET, NN_RECONNECT_IVL, 10);
    CHECK_OK(nn_connect(push, base));

    for (size_t i = 0; i < sizeof wrong_answers / sizeof wrong_answers[0]; i++) {
        int fd = raw_accept(listener);
        ws_read_head(fd);
        raw_send(fd, wrong_answers[i], strlen(wrong_answers[i]));
        CHECK(raw_is_closed(fd));
        close(fd);
    }
    CHECK_EQUAL(nn_get_statistic(push, NN_STAT_CURRENT_CONNECTIONS), 0);
    close(listener);
}

/* ---- Origins ---- */

static const char *status_of(const char *to, const char *fields)
{
    static char request[1024];
    int fd = raw_connect(to);

    snprintf(request, sizeof request,
             "GET / HTTP/1.1\r\nHost: a.example:81\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
             "Sec-WebSocket-Protocol: pull.sp.nanomsg.org\r\n%s\r\n",
             fields);
    const char *head = ws_ask(fd, request);
    close(fd);
    return head;
}

static int set_origins(int s, const char *list)
{
    return nn_setsockopt(s, NN_WS, NN_WS_ORIGINS, list, strlen(list));
}

/* A PULL with these origins; `address` tells where. */
static void bound_with_origins(const char *list)
{
    int s = SOCKET(NN_PULL);

    snprintf(address, sizeof address, "%s", test_ws_address());
    CHECK_OK(set_origins(s, list));
    CHECK_OK(nn_bind(s, address));
}

TEST(pages_of_any_origin_are_accepted_unless_origins_are_set)
{
    bound_pull("/");
    CHECK_STATUS(status_of(address, "Origin: https://evil.example\r\n"), "101");
    bound_with_origins("self");
    CHECK_STATUS(status_of(address, "Origin: https://evil.example\r\n"), "403");
    CHECK_STATUS(status_of(address, "Origin: http://a.example\r\n"), "403");
    CHECK_STATUS(status_of(address, "Origin: http://A.example:81\r\n"), "101");
    CHECK_STATUS(status_of(address, ""), "101");
}

TEST(origins_are_those_of_the_list_and_no_others)
{
    bound_with_origins("https://b.example null");
    CHECK_STATUS(status_of(address, "Origin: https://b.example\r\n"), "101");
    CHECK_STATUS(status_of(address, "Origin: null\r\n"), "101");
    CHECK_STATUS(status_of(address, "Origin: http://a.example:81\r\n"), "403");
    CHECK_STATUS(status_of(address, "Origin: https://b.example:1\r\n"), "403");
    CHECK_STATUS(status_of(address, "Origin: https://b.exampl\r\n"), "403");
    CHECK_STATUS(status_of(address, "Origin:\r\n"), "403");
    CHECK_STATUS(status_of(address, "Origin: self\r\n"), "403");
    CHECK_STATUS(status_of(address, "Origin: null\r\nOrigin: null\r\n"), "403");
    CHECK_STATUS(status_of(address, "Origin: https://b.example https://c.example\r\n"), "403");
    bound_with_origins("*");
    CHECK_STATUS(status_of(address, "Origin: https://c.example\r\n"), "101");
}

TEST(lists_that_are_no_origins_are_invalid)
{
    static const char *const wrong[] = {"example.org", "https://",  "https://a/", " ",    "https://a  https://b",
                                        "self ",       "://a",      "https://a,", "none", "https://a\x01",
                                        "https://a@b", "https://a?"};
    char text[64];
    size_t size = sizeof text;
    int s = SOCKET(NN_PULL);

    CHECK_OK(set_origins(s, "self https://a:1"));
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        CHECK_ERRNO(set_origins(s, wrong[i]), EINVAL);
    CHECK_ERRNO(nn_setsockopt(s, NN_WS, NN_WS_ORIGINS, "null\0x", 6), EINVAL);
    CHECK_ERRNO(nn_setsockopt(s, NN_WS, NN_WS_ORIGINS, "http\0s://a", 10), EINVAL);
    CHECK_OK(nn_getsockopt(s, NN_WS, NN_WS_ORIGINS, text, &size));
    CHECK_BYTES(text, size, "self https://a:1", 16);
    CHECK_OK(nn_setsockopt(s, NN_WS, NN_WS_ORIGINS, NULL, 0));
}
