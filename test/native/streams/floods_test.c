/* Peers that send what the protocol passes over, faster than it is read: one call, or one turn of the loop, reads a
 * bounded part of it. */
#include "hosted_loop.h"
#include "raw_peer.h"
#include "ws_peer.h"

#include <nanomsg/pubsub.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

/* Sends a pattern until the kernel takes nothing more, and goes on where it stopped the next time. Returns how many
 * bytes the kernel has taken. */
struct flood {
    int fd;
    const uint8_t *pattern;
    size_t pattern_bytes;
    size_t frame_bytes; /* the pattern consists of frames as long */
    size_t sent;        /* of the current pattern */
};

static size_t flood_fill(struct flood *self)
{
    size_t total = 0;
    ssize_t count;

    while ((count = send(self->fd, self->pattern + self->sent, self->pattern_bytes - self->sent,
                         MSG_DONTWAIT | MSG_NOSIGNAL)) > 0) {
        self->sent = (self->sent + (size_t)count) % self->pattern_bytes;
        total += (size_t)count;
    }
    return total;
}

/* What one call or turn reads at the most, while the kernel has more. Each frame costs time, however short it is. */
#define READ_LIMIT_BYTES ((size_t)1024 * 1024)
#define READ_LIMIT_FRAMES 4096

static void check_turns(struct host *host, struct flood *flood)
{
    for (int i = 0; i < 8; i++) {
        flood_fill(flood);
        size_t before = raw_read_bytes(flood->fd);
        CHECK(host_is_readable(host, 1000));
        nn_loop_run(host->loop, 1);
        CHECK(raw_read_bytes(flood->fd) - before <= READ_LIMIT_FRAMES * flood->frame_bytes);
    }
}

static void open_sub(struct host *host, struct guest *sub, const char *address)
{
    host_open(host, NULL);
    guest_open(sub, host, NN_SUB);
    CHECK_OK(nn_setsockopt(sub->s, NN_SUB, NN_SUB_SUBSCRIBE, "wanted", 6));
    CHECK_OK(nn_bind(sub->s, address));
}

static const uint8_t empty_messages[64 * 1024];

TEST(one_turn_passes_over_a_bounded_number_of_messages)
{
    const char *address = test_tcp_address();
    struct host host;
    struct guest sub = {0};

    open_sub(&host, &sub, address);
    int fd = raw_connect(address);
    raw_send_handshake(fd, NN_PUB);
    host_run_all(&host);
    struct flood flood = {
        .fd = fd, .pattern = empty_messages, .pattern_bytes = sizeof empty_messages, .frame_bytes = 8};
    check_turns(&host, &flood);
    close(fd);
    host_close(&host);
}

TEST(one_call_passes_over_a_bounded_number_of_messages)
{
    const char *address = test_tcp_address();
    struct host host;
    struct guest sub = {0};

    open_sub(&host, &sub, address);
    int fd = raw_connect(address);
    raw_send_handshake(fd, NN_PUB);
    raw_send_message(fd, address, "wanted", 6);
    HOST_RUN_UNTIL(&host, sub.in == 1);
    struct flood flood = {.fd = fd, .pattern = empty_messages, .pattern_bytes = sizeof empty_messages};
    do {
        host_run_all(&host); /* until it reads no more, since the message waits */
    } while (flood_fill(&flood) > 0);
    size_t before = raw_read_bytes(fd);
    GUEST_RECEIVES(&sub, "wanted");
    CHECK(raw_read_bytes(fd) - before <= READ_LIMIT_BYTES);
    GUEST_RECEIVES_NOTHING(&sub);
    close(fd);
    host_close(&host);
}

/* ---- Frames of WebSocket that are no messages ---- */

static size_t put_frame(uint8_t *to, int start, size_t body_bytes)
{
    memset(to, 0, 6 + body_bytes);
    to[0] = (uint8_t)start;
    to[1] = (uint8_t)(0x80 | body_bytes);
    return 6 + body_bytes;
}

static void check_frames(int start, size_t body_bytes)
{
    uint8_t *pattern = malloc(64 * 1024);
    const char *address = test_ws_address();
    struct host host;
    struct guest sub = {0};
    size_t count = 0;

    CHECK(pattern != NULL);
    open_sub(&host, &sub, address);
    int fd = raw_connect(address);
    const char *request = ws_request("/", "sub");
    raw_send(fd, request, strlen(request));
    HOST_RUN_UNTIL(&host, nn_get_statistic(sub.s, NN_STAT_CURRENT_CONNECTIONS) == 1);
    ws_read_head(fd);
    if (start == WS_CONTINUATION)
        ws_send(fd, WS_BINARY, "", 0); /* the first of all fragments */
    while (count + 6 + body_bytes <= 64 * 1024)
        count += put_frame(pattern + count, start, body_bytes);
    struct flood flood = {.fd = fd, .pattern = pattern, .pattern_bytes = count, .frame_bytes = 6 + body_bytes};
    check_turns(&host, &flood);
    close(fd);
    host_close(&host);
    free(pattern);
}

TEST(one_turn_answers_a_bounded_number_of_pings)
{
    check_frames(WS_PING, 0);
    check_frames(WS_PING, 125);
}

TEST(one_turn_drops_a_bounded_number_of_pongs)
{
    check_frames(WS_PONG, 0);
}

TEST(one_turn_gathers_a_bounded_number_of_empty_fragments)
{
    check_frames(WS_CONTINUATION, 0);
}
