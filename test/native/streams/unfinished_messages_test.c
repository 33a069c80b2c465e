/* NN_MAX_UNFINISHED_BYTES: what messages take that have come in part, or wait for the user, is bounded; those that find
 * no room wait, and all get through. */
#include "hosted_loop.h"
#include "raw_peer.h"
#include "ws_peer.h"

#include <nanomsg/limits.h>
#include <nanomsg/pipeline.h>

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define KIB ((size_t)1024)
#define MIB (1024 * KIB)
/* What each connection has for itself, whatever the limit. */
#define FREE_BYTES (4 * KIB)
#define PREFIX_BYTES ((size_t)8)

/* A peer that sends one message of tcp, as fast as the kernel takes it, up to where it stops. */
struct sender {
    int fd;
    uint8_t *bytes;
    size_t sent;
    size_t stop;
};

static void sender_open(struct sender *self, const char *address, size_t body_bytes, size_t stop)
{
    self->fd = raw_connect_admitted(address, NN_PUSH, NN_PULL);
    self->bytes = malloc(PREFIX_BYTES + body_bytes);
    CHECK(self->bytes != NULL);
    memset(self->bytes, 'x', PREFIX_BYTES + body_bytes);
    for (size_t i = 0; i < PREFIX_BYTES; i++)
        self->bytes[i] = (uint8_t)(body_bytes >> (8 * (PREFIX_BYTES - 1 - i)));
    self->sent = 0;
    self->stop = stop;
}

static void sender_close(struct sender *self)
{
    close(self->fd);
    free(self->bytes);
}

static void sender_pump(struct sender *self)
{
    ssize_t count;

    while (self->sent < self->stop &&
           (count = send(self->fd, self->bytes + self->sent, self->stop - self->sent, MSG_DONTWAIT | MSG_NOSIGNAL)) > 0)
        self->sent += (size_t)count;
}

static void pump_all(struct sender *senders, int count)
{
    for (int i = 0; i < count; i++)
        sender_pump(&senders[i]);
}

static void open_senders(struct sender *senders, int count, const char *address, size_t body_bytes, size_t stop)
{
    for (int i = 0; i < count; i++)
        sender_open(&senders[i], address, body_bytes, stop);
}

static void close_senders(struct sender *senders, int count)
{
    for (int i = 0; i < count; i++)
        sender_close(&senders[i]);
}

static int bound_pull(const char *address, size_t limit_bytes)
{
    int pull = SOCKET(NN_PULL);

    SET_INT(pull, NN_SOL_SOCKET, NN_MAX_UNFINISHED_BYTES, (int)limit_bytes);
    CHECK_OK(nn_bind(pull, address));
    return pull;
}

static size_t unfinished_bytes(int s)
{
    return (size_t)nn_get_statistic(s, NN_STAT_UNFINISHED_BYTES);
}

/* Receives while the peers send; returns the most that unfinished messages took. */
static size_t receive_all(int pull, int count, size_t body_bytes, struct sender *senders, int sender_count)
{
    int64_t deadline = test_wait_deadline();
    size_t most = 0;

    for (int received = 0; received < count;) {
        void *body;
        pump_all(senders, sender_count);
        size_t bytes = unfinished_bytes(pull);
        most = bytes > most ? bytes : most;
        int rc = nn_recv(pull, &body, NN_MSG, NN_DONTWAIT);
        if (rc < 0) {
            if (test_pause(deadline))
                FAIL("%d of %d messages came, %zu bytes are unfinished", received, count, bytes);
            continue;
        }
        CHECK_EQUAL(rc, body_bytes);
        CHECK_EQUAL(((char *)body)[body_bytes - 1], 'x');
        nn_freemsg(body);
        received++;
    }
    return most;
}

TEST(all_messages_get_through_a_small_room)
{
    const char *address = test_tcp_address();
    int pull = bound_pull(address, 2 * MIB);
    struct sender senders[32];

    open_senders(senders, 32, address, MIB, PREFIX_BYTES + MIB);
    size_t most = receive_all(pull, 32, MIB, senders, 32);
    CHECK(most > MIB);
    CHECK(most <= 3 * MIB + 32 * FREE_BYTES + KIB);
    WAIT_STATISTIC(pull, NN_STAT_UNFINISHED_BYTES, 0);
    CHECK_EQUAL(nn_get_statistic(pull, NN_STAT_CURRENT_CONNECTIONS), 32);
    close_senders(senders, 32);
}

TEST(messages_longer_than_the_room_get_through_one_by_one)
{
    const char *address = test_tcp_address();
    int pull = bound_pull(address, 1);
    struct sender senders[4];

    SET_INT(pull, NN_SOL_SOCKET, NN_RCVMAXSIZE, -1);
    open_senders(senders, 4, address, 9 * MIB, PREFIX_BYTES + 9 * MIB);
    size_t most = receive_all(pull, 4, 9 * MIB, senders, 4);
    CHECK(most <= 9 * MIB + KIB + 4 * FREE_BYTES);
    WAIT_STATISTIC(pull, NN_STAT_UNFINISHED_BYTES, 0);
    close_senders(senders, 4);
}

static size_t read_bytes(const struct sender *senders, int count)
{
    size_t total = 0;

    for (int i = 0; i < count; i++)
        total += raw_read_bytes(senders[i].fd);
    return total;
}

#define STRANGERS 24

/* They hold all the room, and send no more. */
static void open_strangers(struct sender *strangers, const char *address)
{
    open_senders(strangers, STRANGERS, address, MIB, 700 * KIB);
    pump_all(strangers, STRANGERS);
}

TEST(peers_that_stop_in_their_messages_take_no_more_than_the_room)
{
    const char *address = test_tcp_address();
    int pull = bound_pull(address, 4 * MIB);
    struct sender strangers[STRANGERS];
    struct sender honest;

    open_strangers(strangers, address);
    WAIT_STATISTIC_AT_LEAST(pull, NN_STAT_UNFINISHED_BYTES, 3 * MIB);
    sender_open(&honest, address, MIB, PREFIX_BYTES + MIB);
    size_t most = receive_all(pull, 1, MIB, &honest, 1);
    CHECK(most <= 6 * MIB);
    CHECK_EQUAL(nn_get_statistic(pull, NN_STAT_MESSAGES_RECEIVED), 1);
    sender_close(&honest);
    close_senders(strangers, STRANGERS);
    WAIT_PEERS(pull, 0);
    WAIT_STATISTIC(pull, NN_STAT_UNFINISHED_BYTES, 0);
}

TEST(peers_that_send_byte_by_byte_keep_no_room_from_others)
{
    const char *address = test_tcp_address();
    int pull = bound_pull(address, 4 * MIB);
    struct sender strangers[STRANGERS];
    struct sender honest;
    int64_t deadline = test_wait_deadline();
    void *body;

    open_senders(strangers, STRANGERS, address, MIB, PREFIX_BYTES + 1);
    pump_all(strangers, STRANGERS);
    WAIT_PEERS(pull, STRANGERS);
    sender_open(&honest, address, MIB, PREFIX_BYTES + MIB);
    while (nn_recv(pull, &body, NN_MSG, NN_DONTWAIT) < 0) {
        sender_pump(&honest);
        for (int i = 0; i < STRANGERS; i++)
            strangers[i].stop = strangers[i].sent + 1;
        pump_all(strangers, STRANGERS);
        CHECK(!test_pause(deadline));
    }
    nn_freemsg(body);
    sender_close(&honest);
    close_senders(strangers, STRANGERS);
}

TEST(beginnings_of_messages_keep_no_room)
{
    const char *address = test_tcp_address();
    int pull = bound_pull(address, 4 * MIB);
    struct sender strangers[STRANGERS];

    open_senders(strangers, STRANGERS, address, MIB, PREFIX_BYTES + 1);
    pump_all(strangers, STRANGERS);
    WAIT_PEERS(pull, STRANGERS);
    for (int64_t deadline = test_wait_deadline(); unfinished_bytes(pull) > 3 * MIB;)
        CHECK(!test_pause(deadline));
    CHECK_EQUAL(nn_get_statistic(pull, NN_STAT_CURRENT_CONNECTIONS), STRANGERS);
    close_senders(strangers, STRANGERS);
}

TEST(a_peer_that_stops_is_not_cut_off_while_no_other_waits)
{
    const char *address = test_tcp_address();
    int pull = bound_pull(address, MIB);
    struct sender senders[3];

    open_senders(senders, 3, address, 900 * KIB, 500 * KIB);
    pump_all(senders, 3);
    WAIT_STATISTIC_AT_LEAST(pull, NN_STAT_UNFINISHED_BYTES, 900 * KIB);
    test_pause(test_now_ms() + 4000);
    for (int64_t end = test_now_ms() + 3500; test_now_ms() < end;)
        test_pause(end);
    CHECK_EQUAL(nn_get_statistic(pull, NN_STAT_CURRENT_CONNECTIONS), 3);
    for (int i = 0; i < 3; i++)
        senders[i].stop = PREFIX_BYTES + 900 * KIB;
    receive_all(pull, 3, 900 * KIB, senders, 3);
    close_senders(senders, 3);
}

TEST(short_messages_pass_those_that_wait_for_room)
{
    const char *address = test_tcp_address();
    int pull = bound_pull(address, MIB);
    struct sender strangers[STRANGERS];

    open_strangers(strangers, address);
    WAIT_STATISTIC_AT_LEAST(pull, NN_STAT_UNFINISHED_BYTES, 700 * KIB);
    int fd = raw_connect_admitted(address, NN_PUSH, NN_PULL);
    raw_send_message(fd, address, "short", 5);
    CHECK_RECEIVES(pull, "short");
    close(fd);
    close_senders(strangers, STRANGERS);
}

TEST(messages_that_wait_for_the_user_take_room)
{
    const char *address = test_tcp_address();
    int pull = bound_pull(address, 3 * MIB);
    struct sender senders[8];

    open_senders(senders, 8, address, MIB, PREFIX_BYTES + MIB);
    for (int64_t end = test_now_ms() + 500; test_now_ms() < end; test_pause(end))
        pump_all(senders, 8);
    CHECK(unfinished_bytes(pull) > 2 * MIB);
    CHECK(read_bytes(senders, 8) <= 5 * MIB);
    receive_all(pull, 8, MIB, senders, 8);
    WAIT_STATISTIC(pull, NN_STAT_UNFINISHED_BYTES, 0);
    close_senders(senders, 8);
}

TEST(peers_that_are_gone_leave_the_room_while_they_wait)
{
    const char *address = test_tcp_address();
    int pull = bound_pull(address, MIB);
    struct sender senders[STRANGERS];

    open_strangers(senders, address);
    WAIT_STATISTIC_AT_LEAST(pull, NN_STAT_UNFINISHED_BYTES, 700 * KIB);
    for (int i = 0; i < STRANGERS; i++) {
        if (i % 2 == 0)
            raw_reset(senders[i].fd);
        else
            close(senders[i].fd);
        free(senders[i].bytes);
    }
    WAIT_PEERS(pull, 0);
    WAIT_STATISTIC(pull, NN_STAT_UNFINISHED_BYTES, 0);
}

TEST(a_socket_closes_while_peers_wait_for_room)
{
    const char *address = test_tcp_address();
    int pull = bound_pull(address, MIB);
    struct sender senders[STRANGERS];

    open_strangers(senders, address);
    WAIT_STATISTIC_AT_LEAST(pull, NN_STAT_UNFINISHED_BYTES, 700 * KIB);
    CHECK_OK(nn_close(pull));
    for (int i = 0; i < STRANGERS; i++)
        CHECK(raw_is_closed(senders[i].fd));
    close_senders(senders, STRANGERS);
}

TEST(without_a_limit_no_peer_waits)
{
    const char *address = test_tcp_address();
    int pull = SOCKET(NN_PULL);
    struct sender senders[8];

    SET_INT(pull, NN_SOL_SOCKET, NN_MAX_UNFINISHED_BYTES, -1);
    CHECK_OK(nn_bind(pull, address));
    open_senders(senders, 8, address, MIB, 900 * KIB);
    for (int64_t deadline = test_wait_deadline(); read_bytes(senders, 8) < 8 * 900 * KIB;) {
        pump_all(senders, 8);
        CHECK(!test_pause(deadline));
    }
    WAIT_STATISTIC(pull, NN_STAT_UNFINISHED_BYTES, 8 * (MIB + PREFIX_BYTES));
    close_senders(senders, 8);
}

TEST(fragments_of_websocket_take_room)
{
    const char *address = test_ws_address();
    int pull = bound_pull(address, MIB);
    uint8_t *fragment = calloc(1, 100 * KIB);
    int fds[2];

    CHECK(fragment != NULL);
    for (int i = 0; i < 2; i++) {
        fds[i] = ws_connect(address, "pull");
        for (int j = 0; j < 5; j++)
            ws_send(fds[i], j == 0 ? WS_BINARY : WS_CONTINUATION, fragment, 100 * KIB);
    }
    WAIT_STATISTIC_AT_LEAST(pull, NN_STAT_UNFINISHED_BYTES, 500 * KIB);
    for (int i = 0; i < 2; i++) {
        void *body;
        ws_send(fds[i], WS_FIN | WS_CONTINUATION, fragment, 100 * KIB);
        CHECK_EQUAL(CHECK_OK(nn_recv(pull, &body, NN_MSG, 0)), 600 * KIB);
        nn_freemsg(body);
    }
    WAIT_STATISTIC(pull, NN_STAT_UNFINISHED_BYTES, 0);
    close(fds[0]);
    close(fds[1]);
    free(fragment);
}

/* ---- Streams of a host ---- */

struct carried {
    struct guest news; /* first */
    struct nn_stream *stream;
    size_t fed;
};

static void carried_feed(struct carried *self, const uint8_t *bytes, size_t count)
{
    int64_t taken = CHECK_OK(nn_stream_feed(self->stream, bytes + self->fed, count - self->fed));

    self->fed += (size_t)taken;
}

TEST(streams_of_a_host_wait_for_room)
{
    static const uint8_t handshake[8] = {0, 'S', 'P', 0, 0, NN_PUSH, 0, 0};
    size_t count = PREFIX_BYTES + MIB;
    uint8_t *bytes = calloc(1, count);
    struct carried ends[4] = {0};
    struct guest pull = {0};
    struct host host;
    int received = 0;

    CHECK(bytes != NULL);
    bytes[5] = 0x10;
    host_open(&host, NULL);
    guest_open(&pull, &host, NN_PULL);
    SET_INT(pull.s, NN_SOL_SOCKET, NN_MAX_UNFINISHED_BYTES, (int)(MIB + MIB / 2));
    for (int i = 0; i < 4; i++) {
        ends[i].stream = nn_stream_attach(pull.s, "memory://place", false, &ends[i]);
        CHECK(ends[i].stream != NULL);
        CHECK_EQUAL(nn_stream_feed(ends[i].stream, handshake, sizeof handshake), sizeof handshake);
        carried_feed(&ends[i], bytes, MIB / 2);
    }
    CHECK(ends[3].fed < MIB / 2);
    CHECK(nn_get_statistic(pull.s, NN_STAT_UNFINISHED_BYTES) <= 2 * MIB + MIB / 2 + KIB);
    for (int64_t deadline = test_wait_deadline(); received < 4;) {
        struct nn_received message;
        for (int i = 0; i < 4; i++)
            carried_feed(&ends[i], bytes, count);
        if (nn_socket_receive_batch(pull.s, &message, 1) == 1) {
            CHECK_EQUAL(message.body_bytes, MIB);
            nn_chunk_release(message.chunk);
            received++;
        }
        CHECK(test_now_ms() < deadline);
        host_turn(&host, 10);
    }
    CHECK_EQUAL(nn_get_statistic(pull.s, NN_STAT_UNFINISHED_BYTES), 0);
    for (int i = 0; i < 4; i++)
        nn_stream_release(ends[i].stream);
    free(bytes);
    host_close(&host);
}
