/* nanomsg/stream.h: connections whose bytes the program carries itself. */
#include "hosted_loop.h"

#include "util/memory.h"

#include <nanomsg/stream.h>
#include <nanomsg/pair.h>
#include <nanomsg/pipeline.h>
#include <nanomsg/reqrep.h>

#include <stdlib.h>
#include <string.h>

#define PIECES 8

static const char long_text[100] = {0};

/* A connection, and how often each event was reported. It begins as a guest does. */
struct end {
    struct guest news; /* first */
    struct nn_stream *stream;
};

static void end_open(struct end *self, const struct guest *guest)
{
    *self = (struct end){.stream = nn_stream_attach(guest->s, "memory://place", false, self)};
    CHECK(self->stream != NULL);
}

/* Gives the whole of it. */
static void end_gives(struct end *self, const void *bytes, size_t count)
{
    CHECK_EQUAL(CHECK_OK(nn_stream_feed(self->stream, bytes, count)), (int64_t)count);
}

static const uint8_t handshake_of_push[8] = {0, 'S', 'P', 0, 0, NN_PUSH, 0, 0};
static const uint8_t handshake_of_pull[8] = {0, 'S', 'P', 0, 0, NN_PULL, 0, 0};
static const uint8_t handshake_of_rep[8] = {0, 'S', 'P', 0, 0, NN_REP, 0, 0};

/* Takes what is there, into one piece of memory; returns how many bytes. */
static size_t end_takes(struct end *self, uint8_t *to, size_t room)
{
    struct nn_stream_piece pieces[PIECES];
    size_t total = 0;
    int count;

    do {
        count = nn_stream_drain(self->stream, pieces, PIECES);
        for (int i = 0; i < count; i++) {
            CHECK(total + pieces[i].size_bytes <= room);
            memcpy(to + total, pieces[i].bytes, pieces[i].size_bytes);
            total += pieces[i].size_bytes;
            nn_chunk_release(pieces[i].chunk);
        }
    } while (count == PIECES);
    return total;
}

static void end_takes_handshake(struct end *self, int protocol)
{
    uint8_t bytes[16];
    const uint8_t expected[8] = {0, 'S', 'P', 0, 0, (uint8_t)protocol, 0, 0};

    CHECK_BYTES(bytes, end_takes(self, bytes, sizeof bytes), expected, sizeof expected);
}

/* A PUSH or PULL with one admitted peer. */
struct scene {
    struct host host;
    struct guest guest;
    struct end end;
};

static void scene_open(struct scene *self, int protocol, const uint8_t peer[8])
{
    host_open(&self->host, NULL);
    self->guest = (struct guest){0};
    guest_open(&self->guest, &self->host, protocol);
    end_open(&self->end, &self->guest);
    HOST_RUN_UNTIL(&self->host, self->end.news.in == 1);
    end_takes_handshake(&self->end, protocol);
    end_gives(&self->end, peer, 8);
}

static void scene_close(struct scene *self)
{
    nn_stream_release(self->end.stream);
    CHECK_OK(nn_close(self->guest.s));
    host_close(&self->host);
}

/* A message on the wire: 8 bytes of length before the body. */
static size_t frame(uint8_t *to, const void *body, size_t body_bytes)
{
    for (int i = 0; i < 8; i++)
        to[i] = (uint8_t)((uint64_t)body_bytes >> (56 - 8 * i));
    memcpy(to + 8, body, body_bytes);
    return 8 + body_bytes;
}

/* ---- Messages ---- */

TEST(given_bytes_become_messages_and_messages_become_bytes)
{
    struct scene scene;
    uint8_t bytes[64];
    uint8_t taken[64];

    scene_open(&scene, NN_PULL, handshake_of_push);
    size_t count = frame(bytes, "hello", 5);
    end_gives(&scene.end, bytes, count);
    HOST_RUN_UNTIL(&scene.host, scene.guest.in == 1);
    GUEST_RECEIVES(&scene.guest, "hello");
    scene_close(&scene);

    scene_open(&scene, NN_PUSH, handshake_of_pull);
    HOST_RUN_UNTIL(&scene.host, scene.guest.out == 1);
    GUEST_SENDS(&scene.guest, "hello");
    HOST_RUN_UNTIL(&scene.host, scene.end.news.in == 2);
    CHECK_BYTES(taken, end_takes(&scene.end, taken, sizeof taken), bytes, count);
    scene_close(&scene);
}

TEST(bytes_may_come_one_by_one)
{
    struct scene scene;
    uint8_t bytes[64];

    host_open(&scene.host, NULL);
    scene.guest = (struct guest){0};
    guest_open(&scene.guest, &scene.host, NN_PULL);
    end_open(&scene.end, &scene.guest);
    memcpy(bytes, handshake_of_push, 8);
    size_t count = 8 + frame(bytes + 8, "slow", 4);
    for (size_t i = 0; i < count; i++)
        end_gives(&scene.end, bytes + i, 1);
    HOST_RUN_UNTIL(&scene.host, scene.guest.in == 1);
    GUEST_RECEIVES(&scene.guest, "slow");
    scene_close(&scene);
}

TEST(a_long_body_that_the_socket_owns_is_handed_on_where_it_lies)
{
    struct scene scene;
    struct nn_stream_piece pieces[PIECES];
    const size_t size = 3000000;

    scene_open(&scene, NN_PUSH, handshake_of_pull);
    HOST_RUN_UNTIL(&scene.host, scene.guest.out == 1);
    void *message = nn_allocmsg(size, 0);
    memset(message, 'x', size);
    CHECK_EQUAL(CHECK_OK(nn_send(scene.guest.s, &message, NN_MSG, NN_DONTWAIT)), (int)size);
    CHECK_EQUAL(nn_stream_drain(scene.end.stream, pieces, PIECES), 2);
    CHECK_EQUAL(pieces[0].size_bytes, 8);
    CHECK_EQUAL(pieces[1].size_bytes, size);
    CHECK(pieces[1].bytes == message);
    for (int i = 0; i < 2; i++)
        nn_chunk_release(pieces[i].chunk);
    scene_close(&scene);
}

TEST(short_messages_of_a_burst_leave_in_one_piece)
{
    struct scene scene;
    struct nn_stream_piece pieces[PIECES];
    struct nn_outgoing messages[30];

    scene_open(&scene, NN_PUSH, handshake_of_pull);
    HOST_RUN_UNTIL(&scene.host, scene.guest.out == 1);
    for (int i = 0; i < 30; i++)
        messages[i] = (struct nn_outgoing){.body = "0123456789", .body_bytes = 10};
    int sent = CHECK_OK(nn_socket_send_batch(scene.guest.s, messages, 30, 1 << 20));
    CHECK_EQUAL(sent, 30);
    CHECK_EQUAL(nn_stream_drain(scene.end.stream, pieces, PIECES), 1);
    CHECK_EQUAL(pieces[0].size_bytes, 30 * 18);
    nn_chunk_release(pieces[0].chunk);
    scene_close(&scene);
}

TEST(a_receiver_that_takes_nothing_stops_its_peer_and_lets_it_go_on_later)
{
    struct scene scene;
    uint8_t *bytes = malloc(1 << 20);
    size_t count = 0;
    size_t given = 0;
    int received = 0;
    struct nn_received one;

    scene_open(&scene, NN_PULL, handshake_of_push);
    for (int i = 0; i < 30000; i++)
        count += frame(bytes + count, "0123456789", 10);
    while (given < count) {
        int64_t taken = CHECK_OK(nn_stream_feed(scene.end.stream, bytes + given, count - given));
        if (taken == 0)
            break;
        given += (size_t)taken;
    }
    CHECK(given < count);
    CHECK_EQUAL(nn_stream_feed(scene.end.stream, bytes + given, count - given), 0);
    CHECK_EQUAL(scene.end.news.out, 0);
    while (received < 30000) {
        while (nn_socket_receive_batch(scene.guest.s, &one, 1) == 1) {
            CHECK_BYTES(one.body, one.body_bytes, "0123456789", 10);
            nn_chunk_release(one.chunk);
            received++;
        }
        int before = scene.end.news.out;
        if (received < 30000) {
            HOST_RUN_UNTIL(&scene.host, scene.end.news.out == before + 1 || before > 0);
            given += (size_t)CHECK_OK(nn_stream_feed(scene.end.stream, bytes + given, count - given));
        }
    }
    CHECK(scene.end.news.out > 0);
    free(bytes);
    scene_close(&scene);
}

/* NN_POLLOUT of a stream says that bytes which were refused are welcome now: not while a message still waits, and only
 * when the host has been refused some. */
TEST(a_stream_tells_once_that_refused_bytes_are_welcome)
{
    struct scene scene;
    uint8_t bytes[64];
    size_t count = frame(bytes, "a", 1);

    scene_open(&scene, NN_PULL, handshake_of_push);
    count += frame(bytes + count, "b", 1);
    CHECK_EQUAL(CHECK_OK(nn_stream_feed(scene.end.stream, bytes, count)), (int64_t)count);
    CHECK_EQUAL(nn_stream_feed(scene.end.stream, bytes, 9), 0);
    GUEST_RECEIVES(&scene.guest, "a");
    host_run_all(&scene.host);
    CHECK_EQUAL(scene.end.news.out, 0);
    GUEST_RECEIVES(&scene.guest, "b");
    HOST_RUN_UNTIL(&scene.host, scene.end.news.out == 1);

    end_gives(&scene.end, bytes, count);
    GUEST_RECEIVES(&scene.guest, "a");
    GUEST_RECEIVES(&scene.guest, "b");
    host_run_all(&scene.host);
    CHECK_EQUAL(scene.end.news.out, 1);
    scene_close(&scene);
}

TEST(a_peer_whose_bytes_are_not_taken_stops_the_sender)
{
    struct scene scene;
    uint8_t body[10000] = {0};
    uint8_t *taken = malloc(1 << 20);
    int sent = 0;

    scene_open(&scene, NN_PUSH, handshake_of_pull);
    HOST_RUN_UNTIL(&scene.host, scene.guest.out == 1);
    while (nn_send(scene.guest.s, body, sizeof body, NN_DONTWAIT) >= 0)
        CHECK(++sent < 1000);
    CHECK_EQUAL(nn_errno(), EAGAIN);
    CHECK(sent > 0);
    size_t total = 0;
    for (int i = 0; i < 3; i++) {
        size_t more = end_takes(&scene.end, taken, 1 << 20);
        CHECK(more > 0);
        total += more;
        HOST_RUN_UNTIL(&scene.host, scene.guest.out == 2 + i);
        CHECK_OK(nn_send(scene.guest.s, body, sizeof body, NN_DONTWAIT));
        sent++;
        while (nn_send(scene.guest.s, body, sizeof body, NN_DONTWAIT) >= 0)
            sent++;
    }
    total += end_takes(&scene.end, taken, 1 << 20);
    CHECK_EQUAL(total, (size_t)sent * 10008);
    free(taken);
    scene_close(&scene);
}

/* NN_SNDBUF is of each connection: what it takes of a batch is as much as it takes of single messages. */
static int sent_to_a_full_stream(bool is_batch)
{
    struct scene scene;
    struct nn_outgoing messages[100];
    int sent = 0;

    host_open(&scene.host, NULL);
    scene.guest = (struct guest){0};
    guest_open(&scene.guest, &scene.host, NN_PUSH);
    SET_INT(scene.guest.s, NN_SOL_SOCKET, NN_SNDBUF, 20 * 108);
    end_open(&scene.end, &scene.guest);
    HOST_RUN_UNTIL(&scene.host, scene.end.news.in == 1);
    end_takes_handshake(&scene.end, NN_PUSH);
    end_gives(&scene.end, handshake_of_pull, 8);
    HOST_RUN_UNTIL(&scene.host, scene.guest.out == 1);
    for (int i = 0; i < 100; i++)
        messages[i] = (struct nn_outgoing){.body = long_text, .body_bytes = 100};
    if (is_batch)
        sent = CHECK_OK(nn_socket_send_batch(scene.guest.s, messages, 100, 0));
    while (nn_socket_send_batch(scene.guest.s, messages, 1, 0) == 1)
        CHECK(++sent < 100);
    CHECK_EQUAL(nn_errno(), EAGAIN);
    scene_close(&scene);
    return sent;
}

TEST(a_stream_takes_as_much_of_a_batch_as_NN_SNDBUF_says)
{
    CHECK_EQUAL(sent_to_a_full_stream(false), 20);
    CHECK_EQUAL(sent_to_a_full_stream(true), 20);
}

/* ---- Handshake ---- */

static void check_ends_without_a_peer(int protocol, const void *bytes, size_t count)
{
    struct host host;
    struct guest guest = {0};
    struct end end;

    host_open(&host, NULL);
    guest_open(&guest, &host, protocol);
    end_open(&end, &guest);
    if (count > 0)
        nn_stream_feed(end.stream, bytes, count);
    HOST_RUN_UNTIL(&host, end.news.closed == 1);
    CHECK_ERRNO(nn_stream_feed(end.stream, "x", 1), EPIPE);
    CHECK_EQUAL(nn_get_statistic(guest.s, NN_STAT_BROKEN_CONNECTIONS), 1);
    CHECK_EQUAL(nn_get_statistic(guest.s, NN_STAT_CURRENT_CONNECTIONS), 0);
    nn_stream_release(end.stream);
    CHECK_OK(nn_close(guest.s));
    host_close(&host);
}

TEST(a_peer_of_another_type_is_turned_away)
{
    check_ends_without_a_peer(NN_PULL, handshake_of_rep, 8);
}

TEST(a_peer_that_is_turned_away_still_gets_our_header)
{
    struct host host;
    struct guest guest = {0};
    struct end end;

    host_open(&host, NULL);
    guest_open(&guest, &host, NN_PULL);
    end_open(&end, &guest);
    CHECK_ERRNO(nn_stream_feed(end.stream, handshake_of_rep, 8), EPIPE);
    HOST_RUN_UNTIL(&host, end.news.closed == 1);
    end_takes_handshake(&end, NN_PULL);
    nn_stream_release(end.stream);
    host_close(&host);
}

TEST(what_is_no_handshake_ends_the_connection)
{
    check_ends_without_a_peer(NN_PULL, "GET / HTTP/1.1\r\n", 16);
}

TEST(a_peer_that_sends_no_handshake_is_given_up)
{
    check_ends_without_a_peer(NN_PULL, handshake_of_push, 7);
}

/* ---- The end ---- */

TEST(what_was_given_before_the_end_is_received)
{
    struct scene scene;
    uint8_t bytes[64];

    scene_open(&scene, NN_PULL, handshake_of_push);
    size_t count = frame(bytes, "first", 5);
    count += frame(bytes + count, "second", 6);
    end_gives(&scene.end, bytes, count);
    nn_stream_end(scene.end.stream, false);
    HOST_RUN_UNTIL(&scene.host, scene.end.news.closed == 1);
    nn_stream_release(scene.end.stream);
    GUEST_RECEIVES(&scene.guest, "first");
    CHECK_EQUAL(nn_get_statistic(scene.guest.s, NN_STAT_CURRENT_CONNECTIONS), 1);
    GUEST_RECEIVES(&scene.guest, "second");
    GUEST_RECEIVES_NOTHING(&scene.guest);
    CHECK_EQUAL(nn_get_statistic(scene.guest.s, NN_STAT_CURRENT_CONNECTIONS), 0);
    CHECK_OK(nn_close(scene.guest.s));
    host_close(&scene.host);
}

TEST(a_message_above_the_limit_ends_the_connection)
{
    struct scene scene;
    const uint8_t prefix[8] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

    scene_open(&scene, NN_PULL, handshake_of_push);
    CHECK_ERRNO(nn_stream_feed(scene.end.stream, prefix, sizeof prefix), EPIPE);
    HOST_RUN_UNTIL(&scene.host, scene.end.news.closed == 1);
    scene_close(&scene);
}

TEST(what_was_accepted_can_be_taken_while_the_socket_lingers)
{
    struct scene scene;
    uint8_t taken[64];

    scene_open(&scene, NN_PUSH, handshake_of_pull);
    HOST_RUN_UNTIL(&scene.host, scene.guest.out == 1);
    GUEST_SENDS(&scene.guest, "last");
    CHECK_OK(nn_close(scene.guest.s));
    host_run_all(&scene.host);
    CHECK(nn_loop_is_lingering(scene.host.loop));
    CHECK_EQUAL(scene.end.news.closed + scene.guest.closed, 0);
    CHECK_EQUAL(end_takes(&scene.end, taken, sizeof taken), 12);
    HOST_RUN_UNTIL(&scene.host, scene.end.news.closed == 1 && scene.guest.closed == 1);
    nn_stream_release(scene.end.stream);
    host_close(&scene.host);
}

TEST(what_the_host_does_not_take_is_dropped_when_the_linger_is_over)
{
    struct scene scene;
    int linger_ms = 20;

    scene_open(&scene, NN_PUSH, handshake_of_pull);
    CHECK_OK(nn_setsockopt(scene.guest.s, NN_SOL_SOCKET, NN_LINGER, &linger_ms, sizeof linger_ms));
    HOST_RUN_UNTIL(&scene.host, scene.guest.out == 1);
    GUEST_SENDS(&scene.guest, "never");
    nn_stream_close(scene.end.stream);
    HOST_RUN_UNTIL(&scene.host, scene.end.news.closed == 1);
    scene_close(&scene);
}

TEST(a_connection_that_is_given_back_ends_in_any_state)
{
    struct host host;
    struct guest guest = {0};
    struct end end;
    uint8_t bytes[64];
    size_t count = frame(bytes, "kept", 4);

    host_open(&host, NULL);
    guest_open(&guest, &host, NN_PAIR);
    const uint8_t handshake[8] = {0, 'S', 'P', 0, 0, NN_PAIR, 0, 0};

    end_open(&end, &guest);
    nn_stream_release(end.stream);

    end_open(&end, &guest);
    end_gives(&end, handshake, 8);
    nn_stream_release(end.stream);
    CHECK_EQUAL(nn_get_statistic(guest.s, NN_STAT_CURRENT_CONNECTIONS), 0);

    end_open(&end, &guest);
    end_gives(&end, handshake, 8);
    GUEST_SENDS(&guest, "lingers");
    nn_stream_close(end.stream);
    nn_stream_release(end.stream);

    end_open(&end, &guest);
    end_gives(&end, handshake, 8);
    end_gives(&end, bytes, count);
    nn_stream_release(end.stream);
    GUEST_RECEIVES(&guest, "kept");
    CHECK_EQUAL(nn_get_statistic(guest.s, NN_STAT_CURRENT_CONNECTIONS), 0);

    end_open(&end, &guest);
    end_gives(&end, handshake, 8);
    CHECK_OK(nn_close(guest.s));
    nn_stream_release(end.stream);
    host_run_all(&host);
    host_close(&host);
}

TEST(what_a_host_still_has_for_a_connection_that_lingers_is_refused)
{
    struct scene scene;
    uint8_t bytes[64];
    const uint8_t handshake[8] = {0, 'S', 'P', 0, 0, NN_PAIR, 0, 0};

    scene_open(&scene, NN_PAIR, handshake);
    size_t count = frame(bytes, "waits", 5);
    end_gives(&scene.end, bytes, count);
    CHECK_EQUAL(nn_stream_feed(scene.end.stream, bytes, count), 0);
    GUEST_SENDS(&scene.guest, "last");
    nn_stream_close(scene.end.stream);
    HOST_RUN_UNTIL(&scene.host, scene.end.news.out == 1);
    CHECK_ERRNO(nn_stream_feed(scene.end.stream, bytes, count), EPIPE);
    CHECK_EQUAL(end_takes(&scene.end, bytes, sizeof bytes), 12);
    HOST_RUN_UNTIL(&scene.host, scene.end.news.closed == 1);
    scene_close(&scene);
}

TEST(over_a_stream_that_takes_nothing_more_only_the_peer_sends)
{
    struct scene scene;
    uint8_t bytes[64];
    const uint8_t handshake[8] = {0, 'S', 'P', 0, 0, NN_PAIR, 0, 0};

    scene_open(&scene, NN_PAIR, handshake);
    GUEST_SENDS(&scene.guest, "too late");
    nn_stream_close_write(scene.end.stream);
    CHECK_EQUAL(end_takes(&scene.end, bytes, sizeof bytes), 0);
    CHECK_ERRNO(nn_send(scene.guest.s, "x", 1, NN_DONTWAIT), EAGAIN);
    end_gives(&scene.end, bytes, frame(bytes, "still", 5));
    guest_receives_soon(&scene.host, &scene.guest, "still");
    nn_stream_end(scene.end.stream, true);
    HOST_RUN_UNTIL(&scene.host, scene.end.news.closed == 1);
    scene_close(&scene);
}

/* Takes a question, and answers it. */
static void replies_soon(struct scene *scene, const char *question)
{
    struct nn_received received;
    struct nn_outgoing answer = {.body = "answer", .body_bytes = 6};

    HOST_RUN_UNTIL(&scene->host, nn_socket_context_receive(scene->guest.s, &received, 1) == 1);
    CHECK_BYTES(received.body, received.body_bytes, question, strlen(question));
    answer.context = received.context;
    nn_chunk_release(received.chunk);
    CHECK_EQUAL(CHECK_OK(nn_socket_send_batch(scene->guest.s, &answer, 1, 0)), 1);
}

/* Answers that can reach no peer do not keep the next questions back. */
TEST(a_stream_that_takes_nothing_before_the_handshake_of_its_peer_still_brings_requests)
{
    static const uint8_t handshake_of_req[8] = {0, 'S', 'P', 0, 0, NN_REQ, 0, 0};
    struct scene scene;
    uint8_t bytes[64];

    host_open(&scene.host, NULL);
    scene.guest = (struct guest){0};
    guest_open(&scene.guest, &scene.host, NN_REP);
    end_open(&scene.end, &scene.guest);
    nn_stream_close_write(scene.end.stream);
    end_gives(&scene.end, handshake_of_req, sizeof handshake_of_req);
    end_gives(&scene.end, bytes, frame(bytes, "\x80\0\0\1one", 7));
    replies_soon(&scene, "one");
    end_gives(&scene.end, bytes, frame(bytes, "\x80\0\0\2two", 7));
    replies_soon(&scene, "two");
    scene_close(&scene);
}

TEST(nothing_is_sent_over_a_stream_that_takes_nothing_since_before_the_handshake)
{
    static const uint8_t handshake[8] = {0, 'S', 'P', 0, 0, NN_PAIR, 0, 0};
    struct scene scene;
    uint8_t bytes[64];

    host_open(&scene.host, NULL);
    scene.guest = (struct guest){0};
    guest_open(&scene.guest, &scene.host, NN_PAIR);
    end_open(&scene.end, &scene.guest);
    nn_stream_close_write(scene.end.stream);
    end_gives(&scene.end, handshake, sizeof handshake);
    CHECK_EQUAL(nn_get_statistic(scene.guest.s, NN_STAT_CURRENT_CONNECTIONS), 1);
    CHECK_ERRNO(nn_send(scene.guest.s, "x", 1, NN_DONTWAIT), EAGAIN);
    CHECK_EQUAL(end_takes(&scene.end, bytes, sizeof bytes), 0);
    scene_close(&scene);
}

/* Its gathering buffer must not become the spare one of a socket that is gone. */
TEST(what_is_left_of_a_closed_socket_may_be_taken_piece_by_piece)
{
    struct scene scene;
    struct nn_stream_piece piece;
    uint8_t body[9000] = {0};
    int linger_ms = 0;

    scene_open(&scene, NN_PUSH, handshake_of_pull);
    CHECK_OK(nn_setsockopt(scene.guest.s, NN_SOL_SOCKET, NN_LINGER, &linger_ms, sizeof linger_ms));
    HOST_RUN_UNTIL(&scene.host, scene.guest.out == 1);
    for (int i = 0; i < 100; i++)
        CHECK_OK(nn_send(scene.guest.s, body, 100, NN_DONTWAIT));
    CHECK_OK(nn_send(scene.guest.s, body, sizeof body, NN_DONTWAIT));
    CHECK_OK(nn_close(scene.guest.s));
    HOST_RUN_UNTIL(&scene.host, scene.end.news.closed == 1 && scene.guest.closed == 1);
    while (nn_stream_drain(scene.end.stream, &piece, 1) == 1)
        nn_chunk_release(piece.chunk);
    nn_stream_release(scene.end.stream);
    host_close(&scene.host);
}

TEST(a_second_peer_of_a_pair_gets_no_handshake)
{
    struct scene scene;
    struct end second;
    uint8_t bytes[16];
    const uint8_t handshake[8] = {0, 'S', 'P', 0, 0, NN_PAIR, 0, 0};

    scene_open(&scene, NN_PAIR, handshake);
    end_open(&second, &scene.guest);
    HOST_RUN_UNTIL(&scene.host, second.news.closed == 1);
    CHECK_EQUAL(end_takes(&second, bytes, sizeof bytes), 0);
    nn_stream_release(second.stream);
    scene_close(&scene);
}

/* ---- Arguments, events ---- */

TEST(arguments_are_checked)
{
    struct host host;
    struct guest guest = {0};
    char long_address[NN_SOCKADDR_MAX + 20] = "memory://";

    memset(long_address + 9, 'x', sizeof long_address - 10);
    host_open(&host, NULL);
    guest_open(&guest, &host, NN_PAIR);
    CHECK(nn_stream_attach(guest.s, "memory", false, NULL) == NULL);
    CHECK_EQUAL(nn_errno(), EINVAL);
    CHECK(nn_stream_attach(guest.s, NULL, false, NULL) == NULL);
    CHECK_EQUAL(nn_errno(), EINVAL);
    CHECK(nn_stream_attach(guest.s, long_address, false, NULL) == NULL);
    CHECK_EQUAL(nn_errno(), ENAMETOOLONG);
    CHECK(nn_stream_attach(-1, "memory://x", false, NULL) == NULL);
    CHECK_EQUAL(nn_errno(), EBADF);
    int s = (int)CHECK_OK(nn_socket(AF_SP, NN_PAIR)); /* of the engine's own loop */
    CHECK(nn_stream_attach(s, "memory://x", false, NULL) == NULL);
    CHECK_EQUAL(nn_errno(), EINVAL);
    host_close(&host);
    CHECK_OK(nn_close(s));
    nn_term();
}

TEST(events_name_the_address)
{
    struct host host;
    struct guest guest = {0};
    struct end end;
    struct nn_event event;

    host_open(&host, NULL);
    guest_open(&guest, &host, NN_PULL);
    CHECK_OK(nn_socket_monitor(guest.s, true));
    end = (struct end){.stream = nn_stream_attach(guest.s, "memory://place", true, &end)};
    end_gives(&end, handshake_of_push, 8);
    CHECK_EQUAL(CHECK_OK(nn_socket_next_event(guest.s, &event)), 1);
    CHECK_EQUAL(event.type, NN_EVENT_CONNECT);
    CHECK(event.is_bound);
    CHECK_EQUAL(event.protocol, NN_PUSH);
    CHECK_EQUAL(strcmp(event.address, "memory://place"), 0);
    CHECK_EQUAL(nn_get_statistic(guest.s, NN_STAT_ACCEPTED_CONNECTIONS), 1);
    nn_stream_end(end.stream, true);
    CHECK_EQUAL(CHECK_OK(nn_socket_next_event(guest.s, &event)), 1);
    CHECK_EQUAL(event.type, NN_EVENT_DISCONNECT);
    CHECK_EQUAL(event.error, ECONNRESET);
    nn_stream_release(end.stream);
    host_close(&host);
}

/* ---- Out of memory: each allocation fails once; see out_of_memory_test.c ---- */

#ifndef NDEBUG

#define LONG_BYTES 300000

/* Two PAIRs, each the other's peer, and what is stream between them. */
struct couple {
    struct host host;
    struct guest guests[2];
    struct end ends[2];
};

/* Opens what is not open, or has ended. */
static void couple_connect(struct couple *self)
{
    bool is_whole = true;

    for (int i = 0; i < 2; i++)
        is_whole = is_whole && self->ends[i].stream != NULL && self->ends[i].news.closed == 0;
    for (int i = 0; i < 2 && !is_whole; i++) {
        if (self->ends[i].stream != NULL)
            nn_stream_release(self->ends[i].stream);
        self->ends[i] = (struct end){0};
        do {
            self->ends[i].stream = nn_stream_attach(self->guests[i].s, "memory://place", false, &self->ends[i]);
            CHECK(self->ends[i].stream != NULL || nn_errno() == ENOMEM);
        } while (self->ends[i].stream == NULL);
    }
}

/* Carries what is there, both ways. What an end does not take at once it has room for later. */
static void couple_carry(struct couple *self)
{
    struct nn_stream_piece piece;

    for (int i = 0; i < 2; i++) {
        while (nn_stream_drain(self->ends[i].stream, &piece, 1) == 1) {
            nn_stream_feed(self->ends[1 - i].stream, piece.bytes, piece.size_bytes);
            nn_chunk_release(piece.chunk);
        }
    }
}

/* Goes on until a message has come through. */
static void couple_converses(struct couple *self, const char *body, size_t length)
{
    int64_t deadline_ms = test_wait_deadline();
    struct nn_received one = {0};

    while (one.body_bytes != length) {
        CHECK(test_now_ms() < deadline_ms);
        couple_connect(self);
        couple_carry(self);
        if (nn_send(self->guests[0].s, body, length, NN_DONTWAIT) < 0)
            CHECK(nn_errno() == ENOMEM || nn_errno() == EAGAIN);
        couple_carry(self);
        host_turn(&self->host, 1);
        if (nn_socket_receive_batch(self->guests[1].s, &one, 1) < 0) {
            CHECK(nn_errno() == ENOMEM || nn_errno() == EAGAIN);
            continue;
        }
        nn_chunk_release(one.chunk);
    }
}

/* Returns whether the allocation after the first `count` ones was made, and failed. */
static bool converse_out_of_memory(const char *body, long count)
{
    struct couple couple = {0};

    host_open(&couple.host, NULL);
    sp_memory_fail_after(count);
    for (int i = 0; i < 2; i++) {
        do {
            couple.guests[i].s = nn_loop_socket(couple.host.loop, AF_SP, NN_PAIR, &couple.guests[i]);
        } while (couple.guests[i].s < 0 && nn_errno() == ENOMEM);
        CHECK_OK(couple.guests[i].s);
    }
    couple_converses(&couple, body, 10);
    couple_converses(&couple, body, LONG_BYTES);
    for (int i = 0; i < 2; i++) {
        nn_stream_close(couple.ends[i].stream);
        nn_stream_release(couple.ends[i].stream);
    }
    host_close(&couple.host);
    return sp_memory_fail_after(-1) < 0;
}

TEST(each_allocation_can_fail)
{
    char *body = calloc(1, LONG_BYTES);
    long count = 0;

    CHECK(body != NULL);
    while (converse_out_of_memory(body, count))
        CHECK(++count < 2000);
    CHECK(count > 20); /* as long as there is anything to allocate */
    free(body);
}

#endif

/* ---- WebSockets ---- */

/* Two sockets of one loop, and a stream between them. */
struct line {
    struct host host;
    struct guest guests[2];
    struct end ends[2];
};

static void line_open(struct line *self, const char *server_address, const char *client_address)
{
    *self = (struct line){0};
    host_open(&self->host, NULL);
    guest_open(&self->guests[0], &self->host, NN_PAIR);
    guest_open(&self->guests[1], &self->host, NN_PAIR);
    self->ends[0].stream = nn_stream_attach(self->guests[0].s, server_address, true, &self->ends[0]);
    self->ends[1].stream = nn_stream_attach(self->guests[1].s, client_address, false, &self->ends[1]);
    CHECK(self->ends[0].stream != NULL && self->ends[1].stream != NULL);
}

/* Carries what there is from one end to the other; returns how much. */
static size_t line_carry(struct line *self, int from)
{
    uint8_t bytes[16 * 1024];
    size_t count = end_takes(&self->ends[from], bytes, sizeof bytes);

    if (count > 0)
        nn_stream_feed(self->ends[1 - from].stream, bytes, count);
    return count;
}

static void line_carry_all(struct line *self)
{
    while (line_carry(self, 0) + line_carry(self, 1) > 0) {
    }
    host_dispatch(&self->host);
}

static void line_close(struct line *self)
{
    for (int i = 0; i < 2; i++) {
        nn_stream_release(self->ends[i].stream);
        CHECK_OK(nn_close(self->guests[i].s));
    }
    host_close(&self->host);
}

static void check_line_carries(const char *server_address, const char *client_address)
{
    struct line line;
    char long_body[3000];

    memset(long_body, 'x', sizeof long_body);
    line_open(&line, server_address, client_address);
    line_carry_all(&line);
    CHECK_EQUAL(nn_get_statistic(line.guests[0].s, NN_STAT_CURRENT_CONNECTIONS), 1);
    for (int from = 0; from < 2; from++) {
        CHECK_OK(nn_send(line.guests[from].s, long_body, sizeof long_body, NN_DONTWAIT));
        line_carry_all(&line);
        char received[sizeof long_body];
        CHECK_EQUAL(CHECK_OK(nn_recv(line.guests[1 - from].s, received, sizeof received, NN_DONTWAIT)),
                    (int)sizeof long_body);
        CHECK(memcmp(received, long_body, sizeof long_body) == 0);
    }
    line_close(&line);
}

TEST(a_websocket_runs_over_streams_of_the_program)
{
    check_line_carries("ws://any", "ws://example.com");
    check_line_carries("ws://any/path", "ws://example.com:80/path");
    check_line_carries("wss://any", "wss://[::1]/path?query");
}

TEST(a_websockets_server_ends_its_half_of_a_stream_behind_the_close_frame)
{
    struct line line;

    line_open(&line, "ws://any", "ws://any");
    line_carry_all(&line);
    CHECK_OK(nn_close(line.guests[1].s));
    CHECK(line_carry(&line, 1) > 0);
    CHECK(line_carry(&line, 0) > 0);
    HOST_RUN_UNTIL(&line.host, line.ends[0].news.finished == 1);
    CHECK_EQUAL(line.ends[0].news.closed, 0);
    CHECK_EQUAL(line.ends[1].news.closed, 0);
    nn_stream_end(line.ends[1].stream, false);
    HOST_RUN_UNTIL(&line.host, line.ends[1].news.closed == 1 && line.guests[1].closed == 1);
    nn_stream_end(line.ends[0].stream, false);
    HOST_RUN_UNTIL(&line.host, line.ends[0].news.closed == 1);
    nn_stream_release(line.ends[0].stream);
    nn_stream_release(line.ends[1].stream);
    CHECK_OK(nn_close(line.guests[0].s));
    host_close(&line.host);
}

TEST(a_websocket_over_a_stream_asks_for_its_path_at_its_host)
{
    static const char start[] = "GET /a/path HTTP/1.1\r\nHost: example.com:80\r\n";
    struct line line;
    uint8_t bytes[4096];

    line_open(&line, "ws://any", "ws://example.com:80/a/path");
    CHECK(end_takes(&line.ends[1], bytes, sizeof bytes) > sizeof start);
    CHECK(memcmp(bytes, start, sizeof start - 1) == 0);
    line_close(&line);
}

TEST(a_websocket_over_a_stream_takes_requests_for_its_path_only)
{
    static const char refusal[] = "HTTP/1.1 404";
    struct line line;
    uint8_t bytes[4096];

    line_open(&line, "ws://any/path", "ws://any/other");
    CHECK(line_carry(&line, 1) > 0);
    CHECK(end_takes(&line.ends[0], bytes, sizeof bytes) > sizeof refusal);
    CHECK(memcmp(bytes, refusal, sizeof refusal - 1) == 0);
    HOST_RUN_UNTIL(&line.host, line.ends[0].news.closed == 1);
    line_close(&line);
}

TEST(a_websocket_over_a_stream_refuses_addresses_that_no_request_can_have)
{
    struct host host;
    struct guest pair = {0};

    host_open(&host, NULL);
    guest_open(&pair, &host, NN_PAIR);
    CHECK(nn_stream_attach(pair.s, "ws://any/a b", false, NULL) == NULL);
    CHECK_EQUAL(nn_errno(), EINVAL);
    CHECK(nn_stream_attach(pair.s, "ws://any\r\nCookie: a/b", false, NULL) == NULL);
    CHECK_EQUAL(nn_errno(), EINVAL);
    CHECK(nn_stream_attach(pair.s, "ws://any\n", false, NULL) == NULL);
    CHECK_EQUAL(nn_errno(), EINVAL);
    CHECK(nn_stream_attach(pair.s, "ws://any/path?query", true, NULL) == NULL);
    CHECK_EQUAL(nn_errno(), EINVAL);
    CHECK_OK(nn_close(pair.s));
    host_close(&host);
}
