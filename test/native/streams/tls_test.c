/* Our sockets over tls+tcp:// and wss://: exchanges, and which peer accepts which. */
#include "sockets.h"
#include "tls_peer.h"

#include <nanomsg/loop.h>
#include <nanomsg/pair.h>
#include <nanomsg/pipeline.h>
#include <nanomsg/pubsub.h>
#include <nanomsg/reqrep.h>
#include <nanomsg/statistics.h>
#include <nanomsg/tls.h>
#include <nanomsg/ws.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEST_OVER_TLS(case_name)                                                                                       \
    static void test_over_##case_name(const char *(*new_address)(void));                                               \
    TEST(case_name##_over_tls_tcp)                                                                                     \
    {                                                                                                                  \
        test_over_##case_name(tls_address);                                                                            \
    }                                                                                                                  \
    TEST(case_name##_over_wss)                                                                                         \
    {                                                                                                                  \
        test_over_##case_name(tls_wss_address);                                                                        \
    }                                                                                                                  \
    static void test_over_##case_name(const char *(*new_address)(void))

/* ---- Conversations ---- */

TEST_OVER_TLS(messages_of_all_lengths_go_both_ways)
{
    static const size_t lengths[] = {0, 1, 8, 4096, 16375, 16376, 16384, 16385, 65536, 300000, 1024 * 1024 - 4};
    const char *address = new_address();
    int rep = tls_bound(NN_REP, address);
    int req = tls_connected(NN_REQ, address);
    uint8_t *body = malloc(1024 * 1024);

    CHECK(body != NULL);
    for (size_t i = 0; i < 1024 * 1024; i++)
        body[i] = (uint8_t)(i * 31 % 251);
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        void *received;
        CHECK_EQUAL(nn_send(req, body, lengths[i], 0), lengths[i]);
        int count = nn_recv(rep, &received, NN_MSG, 0);
        CHECK_OK(count);
        CHECK_BYTES(received, count, body, lengths[i]);
        CHECK_EQUAL(nn_send(rep, &received, NN_MSG, 0), count);
        count = nn_recv(req, &received, NN_MSG, 0);
        CHECK_OK(count);
        CHECK_BYTES(received, count, body, lengths[i]);
        nn_freemsg(received);
    }
    free(body);
}

struct burst {
    int s;
    int count;
    size_t bytes;
};

static void send_burst(void *argument)
{
    const struct burst *burst = argument;
    uint8_t *body = calloc(1, burst->bytes);

    CHECK(body != NULL);
    for (int i = 0; i < burst->count; i++) {
        memcpy(body, &i, sizeof i);
        CHECK_OK(nn_send(burst->s, body, burst->bytes, 0));
    }
    free(body);
}

static void check_burst(const char *address, int count, size_t bytes)
{
    int pull = tls_bound(NN_PULL, address);
    struct burst burst = {.s = tls_connected(NN_PUSH, address), .count = count, .bytes = bytes};
    struct test_thread *sender = test_thread_start(send_burst, &burst);

    for (int i = 0; i < count; i++) {
        uint8_t *body;
        int number;
        CHECK_EQUAL(nn_recv(pull, &body, NN_MSG, 0), bytes);
        memcpy(&number, body, sizeof number);
        CHECK_EQUAL(number, i);
        nn_freemsg(body);
    }
    test_thread_join(sender);
}

TEST_OVER_TLS(many_small_messages_arrive_in_order)
{
    check_burst(new_address(), 5000, 32);
}

/* More than a record, a slab and the kernel's buffers hold. */
TEST_OVER_TLS(many_large_messages_arrive_in_order)
{
    check_burst(new_address(), 60, 700001);
}

TEST_OVER_TLS(a_publisher_reaches_several_subscribers)
{
    const char *address = new_address();
    int pub = tls_bound(NN_PUB, address);
    int subs[3];

    for (int i = 0; i < 3; i++) {
        subs[i] = SOCKET(NN_SUB);
        CHECK_OK(nn_setsockopt(subs[i], NN_SUB, NN_SUB_SUBSCRIBE, "", 0));
        SET_TLS(subs[i], NN_TLS_CA, tls_ca()->cert);
        CHECK_OK(nn_connect(subs[i], address));
    }
    WAIT_PEERS(pub, 3);
    CHECK_SENDS(pub, "news");
    for (int i = 0; i < 3; i++)
        CHECK_RECEIVES(subs[i], "news");
}

TEST_OVER_TLS(what_was_accepted_arrives_although_the_sender_closes)
{
    const char *address = new_address();
    int pull = tls_bound(NN_PULL, address);
    int push = tls_connected(NN_PUSH, address);
    size_t bytes = 900000;
    uint8_t *body = calloc(1, bytes);
    void *received;

    WAIT_PEERS(push, 1);
    CHECK_EQUAL(nn_send(push, body, bytes, 0), bytes);
    CHECK_OK(nn_close(push));
    CHECK_EQUAL(nn_recv(pull, &received, NN_MSG, 0), bytes);
    CHECK_BYTES(received, bytes, body, bytes);
    nn_freemsg(received);
    free(body);
}

/* The kernel's buffers, ours of TLS and one message: then the sender waits. */
TEST_OVER_TLS(a_receiver_that_does_not_read_holds_the_sender_back)
{
    const char *address = new_address();
    int pull = tls_bound(NN_PULL, address);
    int push = tls_connected(NN_PUSH, address);
    static uint8_t body[60000];
    uint32_t sent = 0;
    uint32_t received = 0;

    SET_INT(push, NN_SOL_SOCKET, NN_SNDTIMEO, 100);
    for (; nn_send(push, body, sizeof body, 0) >= 0; sent++) {
        CHECK(sent < 1000);
        memcpy(body, &(uint32_t){sent + 1}, sizeof sent);
    }
    CHECK_EQUAL(nn_errno(), ETIMEDOUT);
    for (; received < sent; received++) {
        static uint8_t to[sizeof body];
        uint32_t number;
        CHECK_EQUAL(nn_recv(pull, to, sizeof to, 0), sizeof to);
        memcpy(&number, to, sizeof number);
        CHECK_EQUAL(number, received);
    }
    SET_INT(push, NN_SOL_SOCKET, NN_SNDTIMEO, -1); /* the kernel tells in its own time that there is room */
    CHECK_SENDS(push, "goes on");
    CHECK_RECEIVES(pull, "goes on");
}

/* ---- Whom a client accepts ---- */

/* A client that has refused the server, and goes on trying. */
static void check_refusal(int connecting, int bound)
{
    WAIT_STATISTIC_AT_LEAST(connecting, NN_STAT_CONNECT_ERRORS, 2);
    WAIT_STATISTIC_AT_LEAST(connecting, NN_STAT_BROKEN_CONNECTIONS, 2);
    WAIT_STATISTIC_AT_LEAST(bound, NN_STAT_BROKEN_CONNECTIONS, 2);
    CHECK_EQUAL(nn_get_statistic(connecting, NN_STAT_CURRENT_CONNECTIONS), 0);
    CHECK_EQUAL(nn_get_statistic(bound, NN_STAT_CURRENT_CONNECTIONS), 0);
}

/* Sockets that try again fast. */
static int with_short_timeouts(int protocol)
{
    int s = SOCKET(protocol);

    SET_INT(s, NN_SOL_SOCKET, NN_RECONNECT_IVL, 5);
    return s;
}

static int bound_with(const struct tls_identity *identity, const char *address)
{
    int s = SOCKET(NN_PAIR);

    tls_use(s, identity);
    CHECK_OK(nn_bind(s, address));
    return s;
}

TEST_OVER_TLS(a_server_of_an_unknown_authority_is_refused)
{
    const char *address = new_address();
    int bound = tls_bound(NN_PAIR, address);
    int connecting = with_short_timeouts(NN_PAIR);

    SET_TLS(connecting, NN_TLS_CA, tls_authority("somebody else")->cert);
    CHECK_OK(nn_connect(connecting, address));
    check_refusal(connecting, bound);
}

TEST_OVER_TLS(without_an_authority_those_of_the_system_count)
{
    const char *address = new_address();
    int bound = tls_bound(NN_PAIR, address);
    int connecting = with_short_timeouts(NN_PAIR);

    CHECK_OK(nn_connect(connecting, address));
    check_refusal(connecting, bound);
}

TEST(openssl_s_environment_tells_the_authorities_of_the_system)
{
    const char *path = test_path("system.pem");
    const char *address = tls_address();
    int bound = tls_bound(NN_PAIR, address);
    FILE *file = fopen(path, "w");

    CHECK(file != NULL);
    fputs(tls_ca()->cert, file);
    fclose(file);
    setenv("SSL_CERT_FILE", path, 1);
    int connecting = test_socket_connected(NN_PAIR, address);
    CHECK_SENDS(connecting, "trusted");
    CHECK_RECEIVES(bound, "trusted");
}

TEST_OVER_TLS(a_server_with_another_s_name_is_refused)
{
    const char *address = new_address();
    int bound = bound_with(tls_certified(tls_ca(), "DNS:example.org,IP:127.0.0.2"), address);
    int connecting = with_short_timeouts(NN_PAIR);

    SET_TLS(connecting, NN_TLS_CA, tls_ca()->cert);
    CHECK_OK(nn_connect(connecting, address));
    check_refusal(connecting, bound);
}

TEST_OVER_TLS(a_server_whose_certificate_has_expired_is_refused)
{
    const char *address = new_address();
    int bound = bound_with(tls_expired(tls_ca(), "IP:127.0.0.1"), address);
    int connecting = with_short_timeouts(NN_PAIR);

    SET_TLS(connecting, NN_TLS_CA, tls_ca()->cert);
    CHECK_OK(nn_connect(connecting, address));
    check_refusal(connecting, bound);
}

static void check_talk(int one, int other)
{
    CHECK_SENDS(one, "question");
    CHECK_RECEIVES(other, "question");
    CHECK_SENDS(other, "answer");
    CHECK_RECEIVES(one, "answer");
}

TEST_OVER_TLS(without_verification_anybody_is_accepted)
{
    const char *address = new_address();
    int bound = bound_with(tls_expired(tls_authority("nobody"), "DNS:example.org"), address);
    int connecting = SOCKET(NN_PAIR);

    SET_INT(connecting, NN_TLS, NN_TLS_VERIFY, 0);
    CHECK_OK(nn_connect(connecting, address));
    check_talk(connecting, bound);
}

TEST_OVER_TLS(the_expected_name_can_be_given)
{
    const char *address = new_address();
    int bound = bound_with(tls_certified(tls_ca(), "DNS:*.example.org"), address);
    int connecting = SOCKET(NN_PAIR);

    SET_TLS(connecting, NN_TLS_CA, tls_ca()->cert);
    SET_TLS(connecting, NN_TLS_SERVER_NAME, "sockets.example.org");
    CHECK_OK(nn_connect(connecting, address));
    check_talk(connecting, bound);
}

TEST(the_expected_name_may_be_an_address)
{
    const char *address = tls_address();
    int bound = bound_with(tls_certified(tls_ca(), "IP:10.1.2.3"), address);
    int connecting = SOCKET(NN_PAIR);

    SET_TLS(connecting, NN_TLS_CA, tls_ca()->cert);
    SET_TLS(connecting, NN_TLS_SERVER_NAME, "10.1.2.3");
    CHECK_OK(nn_connect(connecting, address));
    check_talk(connecting, bound);
}

/* RFC 9525: only the subjectAltName counts. */
TEST_OVER_TLS(a_common_name_does_not_count)
{
    static const char *const names[] = {NULL, "IP:10.0.0.1", "email:somebody@localhost"};

    for (int i = 0; i < 3; i++) {
        const char *address = new_address();
        int bound = bound_with(tls_certified_as(tls_ca(), "localhost", names[i]), address);
        int connecting = with_short_timeouts(NN_PAIR);
        SET_TLS(connecting, NN_TLS_CA, tls_ca()->cert);
        SET_TLS(connecting, NN_TLS_SERVER_NAME, "localhost");
        CHECK_OK(nn_connect(connecting, address));
        check_refusal(connecting, bound);
    }
}

TEST_OVER_TLS(the_dot_that_ends_a_name_is_none_of_it)
{
    const char *address = new_address();
    int bound = bound_with(tls_certified(tls_ca(), "DNS:sockets.example.org"), address);
    int connecting = SOCKET(NN_PAIR);

    SET_TLS(connecting, NN_TLS_CA, tls_ca()->cert);
    SET_TLS(connecting, NN_TLS_SERVER_NAME, "sockets.example.org.");
    CHECK_OK(nn_connect(connecting, address));
    check_talk(connecting, bound);
}

TEST_OVER_TLS(a_client_keeps_trying_until_the_server_is_the_right_one)
{
    const char *address = new_address();
    int wrong = bound_with(tls_certified(tls_authority("somebody else"), "IP:127.0.0.1"), address);
    int connecting = with_short_timeouts(NN_PAIR);

    SET_TLS(connecting, NN_TLS_CA, tls_ca()->cert);
    CHECK_OK(nn_connect(connecting, address));
    check_refusal(connecting, wrong);
    CHECK_EQUAL(nn_get_statistic(connecting, NN_STAT_CURRENT_EP_ERRORS), 1);
    CHECK_OK(nn_close(wrong));
    check_talk(connecting, tls_bound(NN_PAIR, address));
    CHECK_EQUAL(nn_get_statistic(connecting, NN_STAT_CURRENT_EP_ERRORS), 0);
}

/* ---- Whom a server accepts ---- */

static int bound_requiring_certificates(int protocol, const char *address)
{
    int s = SOCKET(protocol);

    tls_use(s, tls_server());
    SET_TLS(s, NN_TLS_CA, tls_ca()->cert);
    SET_INT(s, NN_TLS, NN_TLS_REQUIRE_CLIENT_CERT, 1);
    CHECK_OK(nn_bind(s, address));
    return s;
}

TEST_OVER_TLS(a_client_with_a_certificate_is_accepted)
{
    const char *address = new_address();
    int bound = bound_requiring_certificates(NN_PAIR, address);
    int connecting = SOCKET(NN_PAIR);

    tls_use(connecting, tls_certified(tls_ca(), NULL));
    SET_TLS(connecting, NN_TLS_CA, tls_ca()->cert);
    CHECK_OK(nn_connect(connecting, address));
    check_talk(connecting, bound);
}

TEST_OVER_TLS(a_client_without_a_certificate_is_refused)
{
    const char *address = new_address();
    int bound = bound_requiring_certificates(NN_PAIR, address);
    int connecting = with_short_timeouts(NN_PAIR);

    SET_TLS(connecting, NN_TLS_CA, tls_ca()->cert);
    CHECK_OK(nn_connect(connecting, address));
    check_refusal(connecting, bound);
}

TEST_OVER_TLS(a_client_with_a_certificate_of_another_authority_is_refused)
{
    const char *address = new_address();
    int bound = bound_requiring_certificates(NN_PAIR, address);
    int connecting = with_short_timeouts(NN_PAIR);

    tls_use(connecting, tls_certified(tls_authority("somebody else"), NULL));
    SET_TLS(connecting, NN_TLS_CA, tls_ca()->cert);
    CHECK_OK(nn_connect(connecting, address));
    check_refusal(connecting, bound);
}

TEST_OVER_TLS(a_peer_that_is_refused_disturbs_no_other)
{
    const char *address = new_address();
    int pull = bound_requiring_certificates(NN_PULL, address);
    int good = SOCKET(NN_PUSH);
    int bad = with_short_timeouts(NN_PUSH);

    tls_use(good, tls_certified(tls_ca(), NULL));
    SET_TLS(good, NN_TLS_CA, tls_ca()->cert);
    CHECK_OK(nn_connect(good, address));
    WAIT_PEERS(pull, 1);
    SET_TLS(bad, NN_TLS_CA, tls_ca()->cert);
    CHECK_OK(nn_connect(bad, address));
    WAIT_STATISTIC_AT_LEAST(pull, NN_STAT_BROKEN_CONNECTIONS, 3);
    CHECK_SENDS(good, "undisturbed");
    CHECK_RECEIVES(pull, "undisturbed");
    CHECK_EQUAL(nn_get_statistic(pull, NN_STAT_CURRENT_CONNECTIONS), 1);
}

/* ---- Ports that are shared ---- */

static const char *with_path(const char *address, const char *path)
{
    static char texts[4][128];
    static unsigned count;
    char *text = texts[count++ % 4];

    snprintf(text, sizeof texts[0], "%s%s", address, path);
    return text;
}

TEST(sockets_share_a_port_of_wss_by_path)
{
    const char *address = tls_wss_address();
    int one = tls_bound(NN_PULL, with_path(address, "/one"));
    int two = tls_bound(NN_PULL, with_path(address, "/two"));
    int to_one = tls_connected(NN_PUSH, with_path(address, "/one"));
    int to_two = tls_connected(NN_PUSH, with_path(address, "/two"));

    for (int i = 0; i < 8; i++) {
        int again = tls_connected(NN_PUSH, with_path(address, "/two"));
        CHECK_SENDS(again, "again");
        CHECK_RECEIVES(two, "again");
        CHECK_OK(nn_close(again));
    }
    CHECK_SENDS(to_one, "for one");
    CHECK_SENDS(to_two, "for two");
    CHECK_RECEIVES(one, "for one");
    CHECK_RECEIVES(two, "for two");
}

TEST(sockets_that_expect_something_else_of_peers_do_not_share_a_port)
{
    const char *address = tls_wss_address();
    int lax = tls_bound(NN_PULL, with_path(address, "/lax"));
    int strict = SOCKET(NN_PULL);
    int plain = SOCKET(NN_PULL);

    tls_use(strict, tls_server());
    SET_TLS(strict, NN_TLS_CA, tls_ca()->cert);
    SET_INT(strict, NN_TLS, NN_TLS_REQUIRE_CLIENT_CERT, 1);
    CHECK_ERRNO(nn_bind(strict, with_path(address, "/strict")), EADDRINUSE);
    char ws[128];
    snprintf(ws, sizeof ws, "ws%s/plain", strstr(address, "://"));
    CHECK_ERRNO(nn_bind(plain, ws), EADDRINUSE);
    CHECK_SENDS(tls_connected(NN_PUSH, with_path(address, "/lax")), "for the lax one");
    CHECK_RECEIVES(lax, "for the lax one");
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    CHECK(file != NULL);
    CHECK(fputs(text, file) >= 0);
    CHECK(fclose(file) == 0);
}

static int using_files(int s, const char *cert, const char *key)
{
    SET_TLS(s, NN_TLS_CERT, cert);
    SET_TLS(s, NN_TLS_KEY, key);
    return s;
}

/* What counts is what was read. */
TEST(sockets_share_a_port_when_they_have_read_the_same)
{
    const char *address = tls_wss_address();
    const char *cert = tls_keep(strdup(test_path("cert.pem")));
    const char *key = tls_keep(strdup(test_path("key.pem")));
    const struct tls_identity *renewed = tls_certified(tls_ca(), "DNS:localhost,IP:127.0.0.1");
    int one = tls_bound(NN_PULL, with_path(address, "/one"));
    int two = using_files(SOCKET(NN_PULL), cert, key);
    int three = using_files(SOCKET(NN_PULL), cert, key);

    write_file(cert, tls_server()->cert);
    write_file(key, tls_server()->key);
    CHECK_OK(nn_bind(two, with_path(address, "/two")));
    write_file(cert, renewed->cert);
    write_file(key, renewed->key);
    CHECK_ERRNO(nn_bind(three, with_path(address, "/three")), EADDRINUSE);
    CHECK_SENDS(tls_connected(NN_PUSH, with_path(address, "/two")), "for two");
    CHECK_RECEIVES(two, "for two");
    CHECK_OK(nn_close(one));
}

/* The longest request goes through the filter as a whole. */
TEST(headers_of_requests_go_over_wss)
{
    const char *address = tls_wss_address();
    int pull = tls_bound(NN_PULL, address);
    int push = SOCKET(NN_PUSH);
    static char line[NN_WS_REQUEST_HEADERS_MAX + 1];
    static _Alignas(16) unsigned char control[8 * 1024];
    char body[4];
    struct nn_iovec piece = {body, sizeof body};
    struct nn_msghdr header = {
        .msg_iov = &piece, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    bool is_found = false;

    memset(line, 'x', sizeof line - 1);
    line[1] = ':';
    memcpy(line + sizeof line - 3, "\r\n", 2);
    SET_INT(pull, NN_WS, NN_WS_PEER_HEADERS, 1);
    SET_TLS(push, NN_TLS_CA, tls_ca()->cert);
    CHECK_OK(nn_setsockopt(push, NN_WS, NN_WS_REQUEST_HEADERS, line, sizeof line - 1));
    CHECK_OK(nn_connect(push, address));
    CHECK_SENDS(push, "work");
    CHECK_OK(nn_recvmsg(pull, &header, 0));
    for (struct nn_cmsghdr *record = NN_CMSG_FIRSTHDR(&header); record != NULL;
         record = NN_CMSG_NXTHDR(&header, record)) {
        if (record->cmsg_level == NN_WS && record->cmsg_type == NN_WS_PEER_HEADERS)
            is_found = strstr((const char *)NN_CMSG_DATA(record), line) != NULL;
    }
    CHECK(is_found);
}

/* ---- Events ---- */

static struct nn_event next_event(int s, int type)
{
    struct nn_event event;
    int64_t deadline_ms = test_wait_deadline();

    for (;;) {
        int rc = CHECK_OK(nn_socket_next_event(s, &event));
        if (rc == 1 && event.type == type)
            return event;
        if (rc == 0 && test_pause(deadline_ms))
            FAIL("no event %d comes", type);
    }
}

static void check_certificate(int s, const struct tls_identity *identity)
{
    uint8_t *expected = NULL;
    uint8_t received[8192];
    size_t size = sizeof received;
    int count = i2d_X509(identity->x509, &expected);

    CHECK_OK(nn_socket_event_peer(s, NN_PEER_CERTIFICATE, received, &size));
    CHECK_BYTES(received, size, expected, count);
    OPENSSL_free(expected);
}

TEST_OVER_TLS(both_sides_are_told_the_certificate_of_the_other)
{
    const char *address = new_address();
    int pull = SOCKET(NN_PULL);
    int push = SOCKET(NN_PUSH);
    const struct tls_identity *client = tls_certified(tls_ca(), "DNS:client");

    CHECK_OK(nn_socket_monitor(pull, true));
    CHECK_OK(nn_socket_monitor(push, true));
    tls_use(pull, tls_server());
    SET_TLS(pull, NN_TLS_CA, tls_ca()->cert);
    SET_INT(pull, NN_TLS, NN_TLS_REQUIRE_CLIENT_CERT, 1);
    tls_use(push, client);
    SET_TLS(push, NN_TLS_CA, tls_ca()->cert);
    CHECK_OK(nn_bind(pull, address));
    CHECK_OK(nn_connect(push, address));
    next_event(pull, NN_EVENT_CONNECT);
    check_certificate(pull, client);
    next_event(push, NN_EVENT_CONNECT);
    check_certificate(push, tls_server());
    CHECK_OK(nn_close(push));
    next_event(pull, NN_EVENT_DISCONNECT);
    check_certificate(pull, client);
}

TEST_OVER_TLS(a_peer_that_is_refused_is_told_with_the_words_of_openssl)
{
    const char *address = new_address();
    int pull = tls_bound(NN_PULL, address);
    int push = SOCKET(NN_PUSH);
    char problem[256] = "";
    size_t size = sizeof problem - 1;

    CHECK_OK(nn_socket_monitor(push, true));
    SET_TLS(push, NN_TLS_CA, tls_authority("somebody else")->cert);
    CHECK_OK(nn_connect(push, address));
    CHECK_EQUAL(next_event(push, NN_EVENT_REJECT).error, EACCES);
    CHECK(nn_get_statistic(push, NN_STAT_TLS_FAILURES) > 0);
    CHECK_OK(nn_socket_event_peer(push, NN_PEER_PROBLEM, problem, &size));
    CHECK(strstr(problem, "certificate") != NULL);
    CHECK_OK(nn_close(pull));
}

/* ---- Certificates with messages ---- */

/* Receives a message; *der is its record of a certificate, or NULL; *is_from_user tells whether one of headers has the
 * field. */
static void receive_described(int s, const uint8_t **der, bool *is_from_user)
{
    static _Alignas(16) unsigned char control[8 * 1024];
    static char body[64];
    struct nn_iovec piece = {body, sizeof body};
    struct nn_msghdr header = {
        .msg_iov = &piece, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};

    *der = NULL;
    *is_from_user = false;
    memset(control, 0, sizeof control);
    CHECK_OK(nn_recvmsg(s, &header, 0));
    for (struct nn_cmsghdr *record = NN_CMSG_FIRSTHDR(&header); record != NULL;
         record = NN_CMSG_NXTHDR(&header, record)) {
        if (record->cmsg_level == NN_TLS && record->cmsg_type == NN_TLS_PEER_CERTIFICATE)
            *der = (const uint8_t *)NN_CMSG_DATA(record);
        if (record->cmsg_level == NN_WS && record->cmsg_type == NN_WS_PEER_HEADERS)
            *is_from_user = strstr((const char *)NN_CMSG_DATA(record), "\r\nUser: x\r\n") != NULL;
    }
}

static void check_is_of(const uint8_t *der, const struct tls_identity *identity)
{
    uint8_t *expected = NULL;
    int count = i2d_X509(identity->x509, &expected);

    CHECK(der != NULL);
    CHECK_BYTES(der, count, expected, count);
    OPENSSL_free(expected);
}

TEST_OVER_TLS(messages_bring_the_certificate_of_their_peer)
{
    const char *address = new_address();
    int rep = SOCKET(NN_REP);
    int reqs[2];
    const struct tls_identity *clients[2] = {tls_certified(tls_ca(), "DNS:one"), tls_certified(tls_ca(), "DNS:two")};
    const uint8_t *der;
    bool is_from_user;

    CHECK_EQUAL(test_get_int(rep, NN_TLS, NN_TLS_PEER_CERTIFICATE), 0);
    SET_INT(rep, NN_TLS, NN_TLS_PEER_CERTIFICATE, 1);
    SET_INT(rep, NN_WS, NN_WS_PEER_HEADERS, 1);
    tls_use(rep, tls_server());
    SET_TLS(rep, NN_TLS_CA, tls_ca()->cert);
    SET_INT(rep, NN_TLS, NN_TLS_REQUIRE_CLIENT_CERT, 1);
    CHECK_OK(nn_bind(rep, address));
    for (int i = 0; i < 2; i++) {
        reqs[i] = SOCKET(NN_REQ);
        tls_use(reqs[i], clients[i]);
        SET_TLS(reqs[i], NN_TLS_CA, tls_ca()->cert);
        SET_INT(reqs[i], NN_TLS, NN_TLS_PEER_CERTIFICATE, 1);
        CHECK_OK(nn_setsockopt(reqs[i], NN_WS, NN_WS_REQUEST_HEADERS, "User: x\r\n", 9));
        CHECK_OK(nn_connect(reqs[i], address));
    }
    for (int i = 0; i < 6; i++) {
        CHECK_SENDS(reqs[i % 2], "who am I?");
        receive_described(rep, &der, &is_from_user);
        check_is_of(der, clients[i % 2]);
        CHECK_EQUAL(is_from_user, strncmp(address, "wss:", 4) == 0);
        CHECK_SENDS(rep, "known");
        receive_described(reqs[i % 2], &der, &is_from_user);
        check_is_of(der, tls_server());
    }
}

TEST_OVER_TLS(a_socket_that_does_not_ask_or_whose_peer_has_none_gets_no_certificate)
{
    const char *address = new_address();
    int rep = tls_bound(NN_REP, address);
    int req = tls_connected(NN_REQ, address);
    const uint8_t *der;
    bool is_from_user;
    int two = 2;

    SET_INT(rep, NN_TLS, NN_TLS_PEER_CERTIFICATE, 1);
    CHECK_SENDS(req, "question");
    receive_described(rep, &der, &is_from_user);
    CHECK(der == NULL);
    CHECK_SENDS(rep, "answer");
    receive_described(req, &der, &is_from_user);
    CHECK(der == NULL);
    CHECK_ERRNO(nn_setsockopt(rep, NN_TLS, NN_TLS_PEER_CERTIFICATE, &two, sizeof two), EINVAL);
}
