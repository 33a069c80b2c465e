/* Peers with TLS that finish or die, with and without a word of it. */
#include "gone_tests.h"
#include "tls_peer.h"
#include "ws_peer.h"

#include <string.h>

static void prepare(int s)
{
    tls_use(s, tls_server());
}

static struct gone_peer tls_connect(const char *address, int protocol, int peer_protocol, const char *peer_name)
{
    SSL *ssl = tls_peer_connect(address, 0);

    (void)peer_name;
    tls_peer_sp_handshake(ssl, protocol, peer_protocol);
    return (struct gone_peer){SSL_get_fd(ssl), ssl};
}

static void tls_say(struct gone_peer peer, const char *address, const void *bytes, size_t count, size_t announced)
{
    uint8_t prefix[8] = {[6] = (uint8_t)(announced >> 8), [7] = (uint8_t)announced};

    (void)address;
    tls_peer_send(peer.session, prefix, sizeof prefix);
    tls_peer_send(peer.session, bytes, count);
}

static struct gone_peer wss_connect(const char *address, int protocol, int peer_protocol, const char *peer_name)
{
    SSL *ssl = tls_peer_connect(address, 0);
    const char *request = ws_request("/", peer_name);
    char head[1024] = "";
    int count = 0;

    (void)protocol;
    (void)peer_protocol;
    tls_peer_send(ssl, request, strlen(request));
    do {
        CHECK(count < (int)sizeof head - 1);
        CHECK_EQUAL(SSL_read(ssl, head + count, 1), 1);
        head[++count] = '\0';
    } while (strstr(head, "\r\n\r\n") == NULL);
    CHECK_STATUS(head, "101");
    return (struct gone_peer){SSL_get_fd(ssl), ssl};
}

/* The length takes two bytes; the mask changes nothing. */
static void wss_say(struct gone_peer peer, const char *address, const void *bytes, size_t count, size_t announced)
{
    uint8_t prefix[8] = {WS_FIN | WS_BINARY, 0x80 | 126, (uint8_t)(announced >> 8), (uint8_t)announced};

    (void)address;
    tls_peer_send(peer.session, prefix, sizeof prefix);
    tls_peer_send(peer.session, bytes, count);
}

static void end_session(struct gone_peer peer, bool is_told)
{
    if (is_told)
        SSL_shutdown(peer.session);
    SSL_free(peer.session);
}

static const struct gone_way tls_way = {tls_address, prepare, tls_connect, tls_say, end_session};
static const struct gone_way wss_way = {tls_wss_address, prepare, wss_connect, wss_say, end_session};

TEST_GONE_PEERS_OVER(tls, tls_way)
TEST_GONE_PEERS_OVER(wss, wss_way)
