/* Peers that speak TLS by OpenSSL itself, and those that do not speak it: what goes over the wire, byte by byte. */
#include "sockets.h"
#include "tls_peer.h"

#include <nanomsg/pair.h>
#include <nanomsg/pipeline.h>
#include <nanomsg/tls.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- Clients of theirs ---- */

static void check_version(int version)
{
    const char *address = tls_address();
    int pair = tls_bound(NN_PAIR, address);
    SSL *ssl = tls_peer_connect(address, version);

    tls_peer_sp_handshake(ssl, NN_PAIR, NN_PAIR);
    tls_peer_send_message(ssl, "from OpenSSL");
    CHECK_RECEIVES(pair, "from OpenSSL");
    CHECK_SENDS(pair, "to OpenSSL");
    tls_peer_expect_message(ssl, "to OpenSSL");
    tls_peer_close(ssl);
}

TEST(tls_1_2_is_spoken)
{
    check_version(TLS1_2_VERSION);
}

TEST(tls_1_3_is_spoken)
{
    check_version(TLS1_3_VERSION);
}

TEST(older_versions_are_not)
{
    const char *address = tls_address();
    int pair = tls_bound(NN_PAIR, address);
    SSL *ssl = tls_peer(raw_connect(address), false, NULL, TLS1_1_VERSION);

    CHECK(SSL_do_handshake(ssl) != 1);
    WAIT_STATISTIC(pair, NN_STAT_BROKEN_CONNECTIONS, 1);
    tls_peer_close(ssl);
}

/* What TLS holds and the kernel does not is not announced by the poller. */
TEST(handshake_and_messages_may_come_in_one_record)
{
    static const uint8_t together[] = "\0SP\0\0\x50\0\0"
                                      "\0\0\0\0\0\0\0\3one"
                                      "\0\0\0\0\0\0\0\0"
                                      "\0\0\0\0\0\0\0\3two";
    const char *address = tls_address();
    int pull = tls_bound(NN_PULL, address);
    SSL *ssl = tls_peer_connect(address, 0);

    tls_peer_send(ssl, together, sizeof together - 1);
    CHECK_RECEIVES(pull, "one");
    CHECK_RECEIVES(pull, "");
    CHECK_RECEIVES(pull, "two");
    tls_peer_close(ssl);
}

TEST(every_byte_may_come_in_a_record_of_its_own)
{
    static const uint8_t bytes[] = "\0SP\0\0\x50\0\0\0\0\0\0\0\0\0\5piece";
    const char *address = tls_address();
    int pull = tls_bound(NN_PULL, address);
    SSL *ssl = tls_peer_connect(address, 0);

    for (size_t i = 0; i < sizeof bytes - 1; i++)
        tls_peer_send(ssl, bytes + i, 1);
    CHECK_RECEIVES(pull, "piece");
    tls_peer_close(ssl);
}

/* A copy of what passes, so that the bytes on the wire are known. */
struct wire {
    uint8_t bytes[4096];
    size_t count;
};

static void relay(int from, int to, struct wire *wire)
{
    ssize_t count = recv(from, wire->bytes, sizeof wire->bytes, 0);

    CHECK(count > 0);
    wire->count = (size_t)count;
    if (to >= 0)
        raw_send(to, wire->bytes, wire->count);
}

TEST(records_may_come_byte_by_byte)
{
    const char *address = tls_address();
    int pull = tls_bound(NN_PULL, address);
    int fd = raw_connect(address);
    int both[2];
    struct wire wire;

    CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, both));
    SSL *ssl = tls_peer(both[0], false, NULL, TLS1_3_VERSION);
    /* What the client says is carried over as it comes. */
    struct timeval soon = {.tv_usec = 1000};
    setsockopt(both[0], SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon);
    while (SSL_do_handshake(ssl) != 1) {
        uint8_t more[4096];
        ssize_t count = recv(both[1], more, sizeof more, MSG_DONTWAIT);
        for (ssize_t i = 0; i < count; i++)
            raw_send(fd, more + i, 1);
        if (recv(fd, more, 1, MSG_PEEK | MSG_DONTWAIT) > 0)
            relay(fd, both[1], &wire);
    }
    tls_peer_send(ssl, "\0SP\0\0\x50\0\0\0\0\0\0\0\0\0\5piece", 21);
    relay(both[1], -1, &wire);
    for (size_t i = 0; i < wire.count; i++)
        raw_send(fd, wire.bytes + i, 1);
    CHECK_RECEIVES(pull, "piece");
    close(both[1]);
    tls_peer_close(ssl);
    close(fd);
}

TEST(keys_are_renewed_when_the_peer_asks)
{
    const char *address = tls_address();
    int pair = tls_bound(NN_PAIR, address);
    SSL *ssl = tls_peer_connect(address, TLS1_3_VERSION);

    tls_peer_sp_handshake(ssl, NN_PAIR, NN_PAIR);
    for (int i = 0; i < 3; i++) {
        CHECK_EQUAL(SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED), 1);
        tls_peer_send_message(ssl, "with new keys");
        CHECK_RECEIVES(pair, "with new keys");
        CHECK_SENDS(pair, "with new keys, too");
        tls_peer_expect_message(ssl, "with new keys, too");
    }
    tls_peer_close(ssl);
}

TEST(renegotiation_is_refused)
{
    const char *address = tls_address();
    int pair = tls_bound(NN_PAIR, address);
    SSL *ssl = tls_peer_connect(address, TLS1_2_VERSION);

    tls_peer_sp_handshake(ssl, NN_PAIR, NN_PAIR);
    CHECK_EQUAL(SSL_renegotiate(ssl), 1);
    CHECK(SSL_do_handshake(ssl) != 1);
    tls_peer_close(ssl);
    WAIT_PEERS(pair, 0);
}

TEST(sessions_are_not_resumed)
{
    const char *address = tls_address();
    int pair = tls_bound(NN_PAIR, address);
    SSL *first = tls_peer_connect(address, TLS1_2_VERSION);
    SSL *second = tls_peer(raw_connect(address), false, NULL, TLS1_2_VERSION);

    CHECK_EQUAL(SSL_set_session(second, SSL_get0_session(first)), 1);
    CHECK_EQUAL(SSL_do_handshake(second), 1);
    CHECK(!SSL_session_reused(second));
    tls_peer_close(first);
    tls_peer_close(second);
    WAIT_PEERS(pair, 0);
}

TEST(a_close_alert_is_sent_when_a_socket_closes)
{
    const char *address = tls_address();
    int push = tls_bound(NN_PUSH, address);
    SSL *ssl = tls_peer_connect(address, 0);

    tls_peer_sp_handshake(ssl, NN_PULL, NN_PUSH);
    CHECK_SENDS(push, "last words");
    CHECK_OK(nn_close(push));
    tls_peer_expect_message(ssl, "last words");
    tls_peer_expect_end(ssl);
    tls_peer_close(ssl);
}

TEST(messages_before_a_close_alert_are_delivered)
{
    const char *address = tls_address();
    int pull = tls_bound(NN_PULL, address);
    SSL *ssl = tls_peer_connect(address, 0);

    tls_peer_sp_handshake(ssl, NN_PUSH, NN_PULL);
    for (int i = 0; i < 100; i++)
        tls_peer_send_message(ssl, "last words");
    SSL_shutdown(ssl);
    tls_peer_close(ssl);
    for (int i = 0; i < 100; i++)
        CHECK_RECEIVES(pull, "last words");
    WAIT_PEERS(pull, 0);
}

/* ---- Servers of theirs ---- */

TEST(a_client_says_which_name_it_wants)
{
    const char *address = tls_address();
    int listener = raw_listen(address);
    char by_name[64];
    int pair = SOCKET(NN_PAIR);

    snprintf(by_name, sizeof by_name, "tls+tcp://localhost%s", strrchr(address, ':'));
    SET_TLS(pair, NN_TLS_CA, tls_ca()->cert);
    CHECK_OK(nn_connect(pair, by_name));
    SSL *ssl = tls_peer(raw_accept(listener), true, tls_server(), 0);
    CHECK_EQUAL(SSL_do_handshake(ssl), 1);
    CHECK_STRING(SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name), "localhost");
    tls_peer_sp_handshake(ssl, NN_PAIR, NN_PAIR);
    CHECK_SENDS(pair, "hello");
    tls_peer_expect_message(ssl, "hello");
    tls_peer_close(ssl);
    close(listener);
}

/* RFC 6066, section 3: no literals. */
TEST(a_client_that_connects_to_a_number_names_no_server)
{
    const char *address = tls_address();
    int listener = raw_listen(address);

    tls_connected(NN_PAIR, address);
    SSL *ssl = tls_peer(raw_accept(listener), true, tls_server(), 0);
    CHECK_EQUAL(SSL_do_handshake(ssl), 1);
    CHECK(SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name) == NULL);
    tls_peer_sp_handshake(ssl, NN_PAIR, NN_PAIR);
    tls_peer_close(ssl);
    close(listener);
}

TEST(a_server_that_refuses_the_client_is_told_nothing)
{
    const char *address = tls_address();
    int listener = raw_listen(address);
    int push = tls_connected(NN_PUSH, address);

    SET_INT(push, NN_SOL_SOCKET, NN_SNDTIMEO, 50);
    SSL *ssl = tls_peer(raw_accept(listener), true, tls_certified(tls_authority("nobody"), "IP:127.0.0.1"), 0);
    CHECK(SSL_do_handshake(ssl) != 1 || SSL_read(ssl, &(char){0}, 1) <= 0);
    CHECK_ERRNO(nn_send(push, "secret", 6, 0), ETIMEDOUT);
    tls_peer_close(ssl);
    close(listener);
}

/* ---- Those that break the rules ---- */

static void check_undisturbed(int pull, const char *address)
{
    int push = tls_connected(NN_PUSH, address);

    CHECK_SENDS(push, "undisturbed");
    CHECK_RECEIVES(pull, "undisturbed");
    CHECK_OK(nn_close(push));
}

TEST(a_peer_that_does_not_speak_tls_is_disconnected)
{
    static const struct {
        const char *bytes;
        size_t count;
    } nonsense[] = {
        {"\0SP\0\0\x50\0\0", 8},
        {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 27},
        {"\x16\x03\x01\xff\xff the longest record is shorter", 36},
    };
    const char *address = tls_address();
    int pull = tls_bound(NN_PULL, address);

    for (int i = 0; i < 3; i++) {
        int fd = raw_connect(address);
        raw_send(fd, nonsense[i].bytes, nonsense[i].count);
        CHECK(raw_is_closed(fd));
        close(fd);
        WAIT_STATISTIC(pull, NN_STAT_BROKEN_CONNECTIONS, i + 1);
    }
    check_undisturbed(pull, address);
}

TEST(a_peer_that_speaks_tls_but_not_sp_is_disconnected)
{
    const char *address = tls_address();
    int pull = tls_bound(NN_PULL, address);
    SSL *ssl = tls_peer_connect(address, 0);

    tls_peer_send(ssl, "GET / HTTP/1.1\r\n", 16);
    WAIT_STATISTIC(pull, NN_STAT_BROKEN_CONNECTIONS, 1);
    tls_peer_close(ssl);
    check_undisturbed(pull, address);
}

TEST(a_peer_that_sends_nothing_is_disconnected_in_time)
{
    const char *address = tls_address();
    int pull = tls_bound(NN_PULL, address);
    int silent = raw_connect(address);
    SSL *ssl = tls_peer_connect(address, 0); /* and a peer that says nothing after the handshake */

    CHECK(raw_is_closed(silent));
    WAIT_STATISTIC(pull, NN_STAT_BROKEN_CONNECTIONS, 2);
    close(silent);
    tls_peer_close(ssl);
    check_undisturbed(pull, address);
}

TEST(a_record_that_was_changed_on_its_way_ends_the_connection)
{
    const char *address = tls_address();
    int pull = tls_bound(NN_PULL, address);
    SSL *ssl = tls_peer_connect(address, TLS1_3_VERSION);
    uint8_t forged[64] = {0x17, 3, 3, 0, 40};

    tls_peer_sp_handshake(ssl, NN_PUSH, NN_PULL);
    tls_peer_send_message(ssl, "genuine");
    raw_send(SSL_get_fd(ssl), forged, 45);
    CHECK_RECEIVES(pull, "genuine");
    WAIT_PEERS(pull, 0);
    CHECK_EQUAL(nn_get_statistic(pull, NN_STAT_BROKEN_CONNECTIONS), 1);
    tls_peer_close(ssl);
    check_undisturbed(pull, address);
}

TEST(a_message_beyond_the_limit_ends_the_connection)
{
    const char *address = tls_address();
    int pull = tls_bound(NN_PULL, address);
    SSL *ssl = tls_peer_connect(address, 0);

    tls_peer_sp_handshake(ssl, NN_PUSH, NN_PULL);
    tls_peer_send(ssl, "\x7f\xff\xff\xff\xff\xff\xff\xff", 8);
    WAIT_STATISTIC(pull, NN_STAT_BROKEN_CONNECTIONS, 1);
    WAIT_PEERS(pull, 0);
    tls_peer_close(ssl);
    check_undisturbed(pull, address);
}

TEST(a_peer_that_resets_the_connection_disturbs_no_other)
{
    const char *address = tls_address();
    int pull = tls_bound(NN_PULL, address);

    for (int i = 0; i < 3; i++) {
        SSL *ssl = tls_peer_connect(address, 0);
        if (i > 0)
            tls_peer_sp_handshake(ssl, NN_PUSH, NN_PULL);
        if (i > 1)
            tls_peer_send(ssl, "\0\0\0\0\0\0\x40", 7);
        raw_reset(dup(SSL_get_fd(ssl)));
        tls_peer_close(ssl);
        WAIT_STATISTIC(pull, NN_STAT_BROKEN_CONNECTIONS, i + 1);
    }
    check_undisturbed(pull, address);
}
