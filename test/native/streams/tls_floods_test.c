/* Peers of TLS that keep OpenSSL busy without sending data: what one turn of the loop does for them is bounded, and so
 * is what is kept for them. */
#include "hosted_loop.h"
#include "tls_peer.h"

#include <nanomsg/pair.h>
#include <nanomsg/pubsub.h>
#include <nanomsg/reqrep.h>
#include <nanomsg/tcp.h>
#include <nanomsg/tls.h>

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>

/* More than any record that answers a request for new keys has. */
#define ANSWER_LIMIT_BYTES 64
#define ANSWERS_LIMIT 32

/* ---- Peers beside a loop that the case drives itself ---- */

static void make_nonblocking(int fd)
{
    CHECK_OK(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK));
}

static bool wants_more(SSL *ssl, int rc)
{
    int error = SSL_get_error(ssl, rc);

    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
}

static void shake_hands(struct host *host, SSL *ssl)
{
    int64_t deadline_ms = test_wait_deadline();
    int rc;

    while ((rc = SSL_do_handshake(ssl)) != 1) {
        CHECK(wants_more(ssl, rc));
        host_turn(host, 1);
        CHECK(test_now_ms() < deadline_ms);
    }
}

/* A client that has shaken hands with a guest of the loop, and whose calls do not block. */
static SSL *connect_to_guest(struct host *host, const char *address, int version)
{
    int fd = raw_connect(address);

    make_nonblocking(fd);
    SSL *ssl = tls_peer(fd, false, NULL, version);
    shake_hands(host, ssl);
    return ssl;
}

static void admit_guest(struct host *host, SSL *ssl, int protocol)
{
    const uint8_t handshake[8] = {0, 'S', 'P', 0, 0, (uint8_t)protocol, 0, 0};
    uint8_t answer[8];
    size_t count = 0;
    size_t total = 0;

    tls_peer_send(ssl, handshake, sizeof handshake);
    while (total < sizeof answer) {
        if (SSL_read_ex(ssl, answer + total, sizeof answer - total, &count) == 1)
            total += count;
        else
            host_turn(host, 1);
    }
}

static void bind_guest(struct host *host, struct guest *guest, int protocol, const char *address)
{
    guest_open(guest, host, protocol);
    SET_INT(guest->s, NN_TCP, NN_TCP_NODELAY, 1); /* what it has sent in a turn is there at once */
    tls_use(guest->s, tls_server());
    CHECK_OK(nn_bind(guest->s, address));
}

/* Returns whether the kernel has taken it. */
static bool ask_for_new_keys(SSL *ssl)
{
    if (!SSL_in_init(ssl) && SSL_get_key_update_type(ssl) == SSL_KEY_UPDATE_NONE)
        CHECK_EQUAL(SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED), 1);
    return SSL_do_handshake(ssl) == 1;
}

static int bytes_waiting(const SSL *ssl)
{
    int count = 0;

    CHECK_OK(ioctl(SSL_get_fd(ssl), FIONREAD, &count));
    return count;
}

/* ---- What one turn does ---- */

TEST(one_turn_gives_a_peer_few_new_keys)
{
    const char *address = tls_address();
    struct host host;
    struct guest pair = {0};

    host_open(&host, NULL);
    bind_guest(&host, &pair, NN_PAIR, address);
    SSL *ssl = connect_to_guest(&host, address, TLS1_3_VERSION);
    admit_guest(&host, ssl, NN_PAIR);
    host_run_all(&host);
    for (int i = 0; i < 1000; i++)
        CHECK(ask_for_new_keys(ssl));
    int turns = 0;
    while (host_is_readable(&host, 20)) {
        nn_loop_run(host.loop, 1);
        turns++;
        /* All that has come: a busy kernel may deliver the answers of a turn in a later one. */
        CHECK(bytes_waiting(ssl) <= turns * ANSWERS_LIMIT * ANSWER_LIMIT_BYTES);
    }
    CHECK(turns >= 1000 / ANSWERS_LIMIT);
    tls_peer_send_message(ssl, "new keys");
    guest_receives_soon(&host, &pair, "new keys");
    tls_peer_close(ssl);
    host_close(&host);
}

TEST(requests_for_new_keys_may_come_before_the_handshake)
{
    const char *address = tls_address();
    struct host host;
    struct guest pair = {0};

    host_open(&host, NULL);
    bind_guest(&host, &pair, NN_PAIR, address);
    SSL *ssl = connect_to_guest(&host, address, TLS1_3_VERSION);
    for (int i = 0; i < 10 * ANSWERS_LIMIT; i++)
        CHECK(ask_for_new_keys(ssl));
    admit_guest(&host, ssl, NN_PAIR);
    tls_peer_send_message(ssl, "admitted");
    guest_receives_soon(&host, &pair, "admitted");
    tls_peer_close(ssl);
    host_close(&host);
}

static int64_t cpu_ms(void)
{
    struct timespec now;

    CHECK_OK(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now));
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Each has a few milliseconds, and all together not much more. */
TEST(many_peers_that_ask_for_new_keys_share_a_turn)
{
    enum { PEERS = 100, ASKED = 200 };
    const char *address = tls_address();
    struct host host;
    struct guest rep = {0};
    SSL *peers[PEERS];
    int64_t longest_ms = 0;

    host_open(&host, NULL);
    bind_guest(&host, &rep, NN_REP, address);
    for (int i = 0; i < PEERS; i++) {
        peers[i] = connect_to_guest(&host, address, TLS1_3_VERSION);
        admit_guest(&host, peers[i], NN_REQ);
    }
    host_run_all(&host);
    for (int i = 0; i < ASKED * PEERS; i++)
        CHECK(ask_for_new_keys(peers[i % PEERS]));
    nn_loop_run(host.loop, 64); /* finds out what they cost */
    while (host_is_readable(&host, 20)) {
        int64_t begin_ms = cpu_ms();
        nn_loop_run(host.loop, 64);
        host_dispatch(&host);
        int64_t took_ms = cpu_ms() - begin_ms;
        longest_ms = took_ms > longest_ms ? took_ms : longest_ms;
    }
    CHECK(longest_ms <= test_deadline_ms(50)); /* of processor time; sanitizers take more */
    for (int i = 0; i < PEERS; i++)
        tls_peer_close(peers[i]);
    host_close(&host);
}

/* ---- What is kept ---- */

/* OpenSSL takes 64 KiB when it begins. */
TEST(peers_that_say_a_byte_and_nothing_more_cost_little_memory)
{
    enum { PEERS = 100 };
    const char *address = tls_address();
    struct host host;
    struct guest pair = {0};
    int peers[PEERS];

    host_open(&host, NULL);
    bind_guest(&host, &pair, NN_PAIR, address);
    host_run_all(&host);
    size_t before = mallinfo2().uordblks;
    for (int i = 0; i < PEERS; i++) {
        peers[i] = raw_connect(address);
        raw_send(peers[i], "\x16", 1);
        HOST_RUN_UNTIL(&host, nn_get_statistic(pair.s, NN_STAT_ACCEPTED_CONNECTIONS) == (uint64_t)i + 1);
    }
    host_run_all(&host);
    CHECK(mallinfo2().uordblks - before <= PEERS * (size_t)24 * 1024);
    for (int i = 0; i < PEERS; i++)
        close(peers[i]);
    host_close(&host);
}

/* Asks until the kernel takes nothing more and the guest reads nothing more. Returns how often; at most `limit`
 * times. */
static int ask_until_ignored(struct host *host, SSL *ssl, int limit)
{
    int asked = 0;

    while (asked < limit) {
        if (ask_for_new_keys(ssl))
            asked++;
        else if (!host_turn(host, 50))
            break;
    }
    return asked;
}

/* As they are: OpenSSL reads nothing before it has written what it began. */
static void take_answers(struct host *host, int fd)
{
    uint8_t answers[4096];

    while (recv(fd, answers, sizeof answers, MSG_DONTWAIT) > 0)
        ;
    host_turn(host, 1);
}

TEST(a_peer_that_takes_no_answers_gets_no_more_of_them)
{
    enum { ASKED_LIMIT = 40000 };
    const char *address = tls_address();
    struct host host;
    struct guest pair = {0};

    host_open(&host, NULL);
    guest_open(&pair, &host, NN_PAIR);
    SET_INT(pair.s, NN_SOL_SOCKET, NN_SNDBUF, 32 * 1024);
    SET_INT(pair.s, NN_SOL_SOCKET, NN_RCVBUF, 32 * 1024);
    tls_use(pair.s, tls_server());
    CHECK_OK(nn_bind(pair.s, address));
    int fd = raw_open(address);
    int small = 32 * 1024;
    CHECK_OK(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small));
    CHECK_OK(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small));
    raw_connect_opened(fd, address);
    make_nonblocking(fd);
    SSL *ssl = tls_peer(fd, false, NULL, TLS1_3_VERSION);
    shake_hands(&host, ssl);
    admit_guest(&host, ssl, NN_PAIR);
    CHECK(ask_until_ignored(&host, ssl, ASKED_LIMIT) < ASKED_LIMIT);
    host_run_all(&host); /* nor does the loop spin */

    /* When the peer takes them, all goes on. */
    int64_t deadline_ms = test_wait_deadline();
    while (!ask_for_new_keys(ssl)) {
        take_answers(&host, fd);
        CHECK(test_now_ms() < deadline_ms);
    }
    tls_peer_send_message(ssl, "taken");
    while (pair.in == 0) {
        take_answers(&host, fd);
        CHECK(test_now_ms() < deadline_ms);
    }
    GUEST_RECEIVES(&pair, "taken");
    tls_peer_close(ssl);
    host_close(&host);
}

TEST(a_peer_that_takes_no_answers_and_dies_is_gone)
{
    const char *address = tls_address();
    struct host host;
    struct guest pair = {0};

    host_open(&host, NULL);
    bind_guest(&host, &pair, NN_PAIR, address);
    SSL *ssl = connect_to_guest(&host, address, TLS1_3_VERSION);
    admit_guest(&host, ssl, NN_PAIR);
    for (int i = 0; i < 3000; i++) {
        while (!ask_for_new_keys(ssl))
            host_turn(&host, 1);
    }
    raw_reset(dup(SSL_get_fd(ssl)));
    tls_peer_close(ssl);
    HOST_RUN_UNTIL(&host, nn_get_statistic(pair.s, NN_STAT_CURRENT_CONNECTIONS) == 0);
    host_close(&host);
}

/* ---- Handshakes ---- */

/* Each byte of what the handshake record carries in a record of its own. Returns how many bytes they have. */
static size_t split_record(const uint8_t *record, size_t record_bytes, uint8_t *split)
{
    size_t count = 0;

    CHECK_EQUAL(record[0], 0x16);
    for (size_t i = 5; i < record_bytes; i++) {
        const uint8_t one[6] = {0x16, 3, 1, 0, 1, record[i]};
        memcpy(split + count, one, sizeof one);
        count += sizeof one;
    }
    return count;
}

static void carry(int from, int to)
{
    uint8_t bytes[8192];
    ssize_t count = recv(from, bytes, sizeof bytes, MSG_DONTWAIT);

    if (count > 0)
        raw_send(to, bytes, (size_t)count);
}

TEST(a_handshake_in_many_records_goes_on_in_later_turns)
{
    const char *address = tls_address();
    struct host host;
    struct guest pair = {0};
    uint8_t hello[2048];
    uint8_t split[6 * sizeof hello];
    int both[2];

    host_open(&host, NULL);
    bind_guest(&host, &pair, NN_PAIR, address);
    int fd = raw_connect(address);
    CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, both));
    SSL *ssl = tls_peer(both[0], false, NULL, TLS1_3_VERSION);
    CHECK(SSL_do_handshake(ssl) != 1);
    ssize_t hello_bytes = recv(both[1], hello, sizeof hello, 0);
    CHECK(hello_bytes > 200);
    raw_send(fd, split, split_record(hello, (size_t)hello_bytes, split));
    int64_t deadline_ms = test_wait_deadline();
    while (SSL_do_handshake(ssl) != 1) {
        host_turn(&host, 1);
        carry(fd, both[1]);
        carry(both[1], fd);
        CHECK(test_now_ms() < deadline_ms);
    }
    tls_peer_send(ssl, "\0SP\0\0\x10\0\0\0\0\0\0\0\0\0\3all", 19);
    carry(both[1], fd);
    guest_receives_soon(&host, &pair, "all");
    close(both[1]);
    tls_peer_close(ssl);
    close(fd);
    host_close(&host);
}

/* ---- Messages that the protocol passes over ---- */

#define READ_LIMIT_BYTES ((size_t)1024 * 1024)

/* Sends until the kernel takes nothing more. */
static void fill(SSL *ssl)
{
    static const uint8_t frames[16 * 1024]; /* empty messages */
    size_t written;

    while (SSL_write_ex(ssl, frames, sizeof frames, &written) == 1)
        ;
}

TEST(one_turn_passes_over_a_bounded_number_of_messages)
{
    const char *address = tls_address();
    struct host host;
    struct guest sub = {0};

    host_open(&host, NULL);
    bind_guest(&host, &sub, NN_SUB, address);
    SSL *ssl = connect_to_guest(&host, address, TLS1_3_VERSION);
    admit_guest(&host, ssl, NN_PUB);
    host_run_all(&host);
    for (int i = 0; i < 8; i++) {
        fill(ssl);
        size_t before = raw_read_bytes(SSL_get_fd(ssl));
        CHECK(host_is_readable(&host, 1000));
        nn_loop_run(host.loop, 1);
        CHECK(raw_read_bytes(SSL_get_fd(ssl)) - before <= READ_LIMIT_BYTES);
    }
    tls_peer_close(ssl);
    host_close(&host);
}
