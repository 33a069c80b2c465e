/* Peers that break the rules of a byte stream: each loses its connection, and no other peer anything. */
#include "raw_peer.h"
#include "sockets.h"

#include <nanomsg/pipeline.h>
#include <nanomsg/pubsub.h>
#include <nanomsg/reqrep.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* How long the handshake of a connection may take, from the moment it is accepted. */
#define HANDSHAKE_LIMIT_MS 1000

/* ---- A socket with one honest peer ---- */

struct scene {
    const char *address;
    int pull;
    int honest; /* a push */
};

static struct scene scene_open(const char *address)
{
    struct scene scene = {address, test_socket_bound(NN_PULL, address), test_socket_connected(NN_PUSH, address)};

    WAIT_PEERS(scene.honest, 1);
    WAIT_PEERS(scene.pull, 1);
    return scene;
}

static bool is_ipc(const char *address)
{
    return strncmp(address, "ipc", 3) == 0;
}

/* Nothing has come from any other, and the honest peer has noticed nothing. */
static void check_undisturbed(const struct scene *scene)
{
    WAIT_PEERS(scene->pull, 1);
    CHECK_SENDS(scene->honest, "honest");
    CHECK_RECEIVES(scene->pull, "honest");
    CHECK_EQUAL(nn_get_statistic(scene->honest, NN_STAT_ESTABLISHED_CONNECTIONS), 1);
    CHECK_EQUAL(nn_get_statistic(scene->honest, NN_STAT_BROKEN_CONNECTIONS), 0);
}

static int connect_push(const struct scene *scene)
{
    return raw_connect_admitted(scene->address, NN_PUSH, NN_PULL);
}

/* The peer loses its connection, which is counted as the n-th that broke. */
static void check_turned_away(const struct scene *scene, int fd, int n)
{
    CHECK(raw_is_closed(fd));
    close(fd);
    WAIT_STATISTIC(scene->pull, NN_STAT_BROKEN_CONNECTIONS, n);
}

/* ---- Handshake ---- */

TEST_OVER_STREAMS(a_wrong_handshake_costs_the_connection)
{
    static const char wrong[][9] = {
        "\1SP\0\0\x50\0\0",   /* not the first byte of SP */
        "\0sp\0\0\x50\0\0",   /* lower case */
        "\0SP\1\0\x50\0\0",   /* another version */
        "\0SP\0\0\0\0\0",     /* no type */
        "\0SP\0\0\x51\0\0",   /* our own type, which does not send to us */
        "\0SP\0\0\x20\0\0",   /* a type of another pattern */
        "\0SP\0\x50\0\0\0",   /* the type's bytes in the wrong order */
        "\0SP\0\xff\xff\0\0", /* a type that does not exist */
        "GET / HT",           /* a browser */
        "\x16\3\1\2\0\1\0\1", /* TLS */
        "\0\0\0\0\0\0\0\0",   /* nothing at all */
        "\xff\xff\xff\xff\xff\xff\xff\xff",
    };
    struct scene scene = scene_open(new_address());

    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        int fd = raw_connect(scene.address);
        raw_send(fd, wrong[i], 8);
        check_turned_away(&scene, fd, (int)i + 1);
    }
    CHECK_EQUAL(nn_get_statistic(scene.pull, NN_STAT_ACCEPTED_CONNECTIONS), COUNT_OF(wrong) + 1);
    check_undisturbed(&scene);
}

/* Whether the socket hangs up before the limit; on a machine that is busy it may need another chance. */
static bool is_turned_away_early(const char *address, const char *bytes, size_t count)
{
    for (int chance = 0; chance < 5; chance++) {
        int64_t start_ms = test_now_ms();
        int fd = raw_connect(address);
        raw_send(fd, bytes, count);
        CHECK(raw_is_closed(fd));
        close(fd);
        if (test_now_ms() - start_ms < HANDSHAKE_LIMIT_MS)
            return true;
    }
    return false;
}

TEST_OVER_STREAMS(the_first_wrong_byte_of_a_handshake_is_enough)
{
    static const char right[] = "\0SP\0";
    struct scene scene = scene_open(new_address());

    for (size_t at = 0; at < 4; at++) {
        char bytes[4];
        memcpy(bytes, right, sizeof bytes);
        bytes[at] = 'x';
        CHECK(is_turned_away_early(scene.address, bytes, at + 1));
    }
    check_undisturbed(&scene);
}

/* One byte after the other, each in a packet of its own as far as the peer can do something about it. */
static void send_in_bytes(int fd, const void *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        raw_send(fd, (const char *)bytes + i, 1);
        test_pause(0);
    }
}

TEST_OVER_STREAMS(a_handshake_and_messages_may_come_byte_by_byte)
{
    static const char ipc[] = "\1\0\0\0\0\0\0\0\5first\1\0\0\0\0\0\0\0\6second";
    static const char tcp[] = "\0\0\0\0\0\0\0\5first\0\0\0\0\0\0\0\6second";
    struct scene scene = scene_open(new_address());
    int fd = raw_connect(scene.address);

    send_in_bytes(fd, "\0SP\0\0\x50\0\0", 8);
    raw_expect_handshake(fd, NN_PULL);
    WAIT_PEERS(scene.pull, 2);
    if (is_ipc(scene.address))
        send_in_bytes(fd, ipc, sizeof ipc - 1);
    else
        send_in_bytes(fd, tcp, sizeof tcp - 1);
    CHECK_RECEIVES(scene.pull, "first");
    CHECK_RECEIVES(scene.pull, "second");
    close(fd);
    check_undisturbed(&scene);
}

TEST_OVER_STREAMS(a_peer_that_sends_no_handshake_in_time_loses_the_connection)
{
    enum { PAUSE_MS = 300 };
    struct scene scene = scene_open(new_address());
    int64_t start_ms = test_now_ms();
    int silent = raw_connect(scene.address);
    int slow = raw_connect(scene.address);
    int sent = 0;

    /* A byte now and then does not extend the time. */
    while (!raw_is_closed_now(slow)) {
        CHECK(sent < 7);
        raw_send(slow, &"\0SP\0\0\x50\0"[sent++], 1);
        for (int64_t next_ms = test_now_ms() + PAUSE_MS; !test_pause(next_ms) && !raw_is_closed_now(slow);) {
        }
    }
    CHECK(raw_is_closed(silent));
    CHECK(test_now_ms() - start_ms >= HANDSHAKE_LIMIT_MS);
    close(silent);
    close(slow);
    WAIT_STATISTIC(scene.pull, NN_STAT_BROKEN_CONNECTIONS, 2);
    check_undisturbed(&scene);
}

TEST_OVER_STREAMS(a_peer_that_closes_during_the_handshake_is_forgotten)
{
    struct scene scene = scene_open(new_address());

    for (size_t count = 0; count < 8; count++) {
        int fd = raw_connect(scene.address);
        raw_send(fd, "\0SP\0\0\x50\0", count);
        if (count % 2 == 0)
            raw_reset(fd);
        else
            close(fd);
    }
    WAIT_STATISTIC(scene.pull, NN_STAT_BROKEN_CONNECTIONS, 8);
    check_undisturbed(&scene);
}

TEST_OVER_STREAMS(a_server_with_a_wrong_handshake_is_tried_again)
{
    const char *address = new_address();
    int listener = raw_listen(address);
    int push = SOCKET(NN_PUSH);

    SET_INT(push, NN_SOL_SOCKET, NN_RECONNECT_IVL, 10);
    CHECK_OK(nn_connect(push, address));
    for (int i = 0; i < 3; i++) {
        int fd = raw_accept(listener);
        raw_send(fd, "HTTP/1.1 400 Bad Request\r\n\r\n", 28);
        CHECK(raw_is_closed(fd));
        close(fd);
    }
    int fd = raw_accept(listener);
    raw_send_handshake(fd, NN_PULL);
    raw_expect_handshake(fd, NN_PUSH);
    CHECK_SENDS(push, "x");
    raw_expect(fd, is_ipc(address) ? "\1\0\0\0\0\0\0\0\1x" : "\0\0\0\0\0\0\0\1x", is_ipc(address) ? 10 : 9);
    close(fd);
    close(listener);
}

/* ---- Lengths ---- */

TEST_OVER_STREAMS(a_length_over_the_limit_costs_the_connection)
{
    static const uint64_t lengths[] = {
        (1u << 20) + 1,          INT32_MAX,         (uint64_t)1 << 31, UINT32_MAX,        (uint64_t)1 << 32,
        ((uint64_t)1 << 32) + 1, (uint64_t)1 << 62, INT64_MAX,         (uint64_t)1 << 63, UINT64_MAX - 9,
        UINT64_MAX - 8,          UINT64_MAX - 7,    UINT64_MAX,
    };
    struct scene scene = scene_open(new_address());

    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        int fd = connect_push(&scene);
        raw_send_prefix(fd, scene.address, lengths[i]);
        check_turned_away(&scene, fd, (int)i + 1);
    }
    check_undisturbed(&scene);
}

TEST_OVER_STREAMS(without_a_limit_a_length_beyond_all_memory_costs_the_connection)
{
    static const uint64_t lengths[] = {UINT64_MAX, UINT64_MAX - 7, UINT64_MAX - 8, UINT64_MAX - 9, (uint64_t)1 << 63};
    static const uint8_t body[100];
    struct scene scene = scene_open(new_address());

    SET_INT(scene.pull, NN_SOL_SOCKET, NN_RCVMAXSIZE, -1);
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        uint8_t bytes[9 + sizeof body] = {1};
        size_t skipped = is_ipc(scene.address) ? 0 : 1;
        int fd = connect_push(&scene);

        for (int byte = 0; byte < 8; byte++)
            bytes[1 + byte] = (uint8_t)(lengths[i] >> (56 - 8 * byte));
        raw_send(fd, bytes + skipped, sizeof bytes - skipped); /* in one piece, the body's begin behind the length */
        check_turned_away(&scene, fd, (int)i + 1);
    }
    check_undisturbed(&scene);
}

/* Pages of memory that the process has asked for. */
static long mapped_bytes(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");

    CHECK(file != NULL);
    CHECK_EQUAL(fscanf(file, "%ld", &pages), 1);
    fclose(file);
    return pages * sysconf(_SC_PAGESIZE);
}

TEST_OVER_STREAMS(memory_grows_with_what_arrives_and_not_with_what_is_promised)
{
    enum { PEERS = 20 };
    static const uint8_t body[300000];
    struct scene scene = scene_open(new_address());
    int fds[PEERS];

    SET_INT(scene.pull, NN_SOL_SOCKET, NN_RCVMAXSIZE, -1);
    long before = mapped_bytes();
    for (int i = 0; i < PEERS; i++) {
        fds[i] = connect_push(&scene);
        raw_send_prefix(fds[i], scene.address, i == 0 ? INT64_MAX : (uint64_t)1 << 30);
        raw_send(fds[i], body, i == 0 ? sizeof body : 1);
    }
    CHECK_SENDS(scene.honest, "honest");
    CHECK_RECEIVES(scene.pull, "honest");
    for (int i = 0; i < PEERS; i++) {
        CHECK(!raw_is_closed_now(fds[i]));
        raw_finish(fds[i]);
        check_turned_away(&scene, fds[i], i + 1);
    }
    if (test_deadline_ms(1) == 1) /* sanitizers map what they like */
        CHECK(mapped_bytes() - before < 64 << 20);
    check_undisturbed(&scene);
}

/* ---- The end of a connection ---- */

enum { LARGE_BYTES = 200000 };

static void check_half_is_dropped(const struct scene *scene, size_t count, void (*leave)(int fd), int n)
{
    static uint8_t message[9 + LARGE_BYTES] = {
        1, 0, 0, 0, 0, 0, LARGE_BYTES >> 16, LARGE_BYTES >> 8 & 255, LARGE_BYTES & 255};
    size_t skipped = is_ipc(scene->address) ? 0 : 1;
    int fd = connect_push(scene);

    CHECK(count < sizeof message - skipped);
    raw_send(fd, message + skipped, count);
    leave(fd);
    WAIT_STATISTIC(scene->pull, NN_STAT_BROKEN_CONNECTIONS, n);
}

static void leave_quietly(int fd)
{
    close(fd);
}

TEST_OVER_STREAMS(half_a_message_is_dropped_with_its_connection)
{
    static const size_t counts[] = {0, 1, 7, 8, 9, 10, 1000, 20000, LARGE_BYTES - 1, LARGE_BYTES + 7};
    struct scene scene = scene_open(new_address());

    for (size_t i = 0; i < COUNT_OF(counts); i++) {
        check_half_is_dropped(&scene, counts[i], leave_quietly, 2 * (int)i + 1);
        check_half_is_dropped(&scene, counts[i], raw_reset, 2 * (int)i + 2);
    }
    check_undisturbed(&scene);
}

/* Adds a message with its prefix; returns where it ends. */
static uint8_t *put_message(uint8_t *to, const char *address, const void *body, size_t count)
{
    if (is_ipc(address))
        *to++ = 1;
    memset(to, 0, 4);
    for (int i = 4; i < 8; i++)
        to[i] = (uint8_t)(count >> (56 - 8 * i));
    memcpy(to + 8, body, count);
    return to + 8 + count;
}

TEST_OVER_STREAMS(what_was_complete_before_the_end_is_delivered)
{
    enum { SMALL = 500 };
    static uint8_t large[60000];
    static uint8_t received[sizeof large + 1];
    static uint8_t sent[SMALL * 16 + 2 * sizeof large];
    struct scene scene = scene_open(new_address());
    int fd = connect_push(&scene);
    uint8_t *end = sent;
    char text[16];

    memset(large, 'x', sizeof large);
    for (int i = 0; i < SMALL; i++)
        end = put_message(end, scene.address, text, (size_t)snprintf(text, sizeof text, "%d", i));
    end = put_message(end, scene.address, large, sizeof large);
    end = put_message(end, scene.address, "half", 4) - 2;
    raw_send(fd, sent, (size_t)(end - sent));
    close(fd);

    for (int i = 0; i < SMALL; i++) {
        snprintf(text, sizeof text, "%d", i);
        CHECK_RECEIVES(scene.pull, text);
    }
    int count = (int)CHECK_OK(nn_recv(scene.pull, received, sizeof received, 0));
    CHECK_BYTES(received, (size_t)count, large, sizeof large);
    check_undisturbed(&scene);
}

TEST_OVER_STREAMS(a_peer_that_sends_all_and_waits_to_be_closed_is_served)
{
    struct scene scene = scene_open(new_address());
    int fd = connect_push(&scene);

    raw_send_message(fd, scene.address, "last words", 10);
    raw_finish(fd);
    CHECK_RECEIVES(scene.pull, "last words");
    check_turned_away(&scene, fd, 1);
    check_undisturbed(&scene);
}

/* ---- ipc ---- */

TEST(a_message_of_another_type_over_ipc_costs_the_connection)
{
    static const uint8_t types[] = {0, 2, 0x7f, 0x80, 0xff};
    struct scene scene = scene_open(test_ipc_address());

    for (size_t i = 0; i < COUNT_OF(types); i++) {
        uint8_t bytes[10] = {types[i], 0, 0, 0, 0, 0, 0, 0, 1, 'x'};
        int fd = connect_push(&scene);
        raw_send_message(fd, scene.address, "right", 5);
        CHECK_RECEIVES(scene.pull, "right");
        raw_send(fd, bytes, i % 2 == 0 ? sizeof bytes : 1); /* the first byte is enough */
        check_turned_away(&scene, fd, (int)i + 1);
    }
    check_undisturbed(&scene);
}

static size_t count_descriptors(void)
{
    DIR *list = opendir("/proc/self/fd");
    size_t count = 0;

    CHECK(list != NULL);
    while (readdir(list) != NULL)
        count++;
    closedir(list);
    return count;
}

/* Sends one message together with descriptors. */
static void send_with_descriptors(int fd, void *bytes, size_t count)
{
    enum { PASSED = 3 };
    int passed[PASSED] = {fd, fd, fd};
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof passed)] = {0};
    struct iovec piece = {bytes, count};
    struct msghdr header = {
        .msg_iov = &piece, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    struct cmsghdr *record = CMSG_FIRSTHDR(&header);

    record->cmsg_level = SOL_SOCKET;
    record->cmsg_type = SCM_RIGHTS;
    record->cmsg_len = CMSG_LEN(sizeof passed);
    memcpy(CMSG_DATA(record), passed, sizeof passed);
    CHECK_EQUAL(sendmsg(fd, &header, MSG_NOSIGNAL), count);
}

TEST(descriptors_that_an_ipc_peer_passes_are_not_kept)
{
    char message[] = "\1\0\0\0\0\0\0\0\5right";
    struct scene scene = scene_open(test_ipc_address());
    int fd = raw_connect(scene.address);

    send_with_descriptors(fd, "\0SP\0\0\x50\0\0", 8);
    raw_expect_handshake(fd, NN_PULL);
    WAIT_PEERS(scene.pull, 2);
    CHECK_SILENT(scene.pull); /* a thread that has waited once keeps a descriptor for it */
    size_t before = count_descriptors();
    for (int i = 0; i < 10; i++) {
        send_with_descriptors(fd, message, sizeof message - 1);
        CHECK_RECEIVES(scene.pull, "right");
    }
    CHECK_EQUAL(count_descriptors(), before);
    close(fd);
    check_undisturbed(&scene);
}

/* ---- Messages to types that do not receive ---- */

TEST_OVER_STREAMS(what_a_subscriber_sends_does_no_harm)
{
    const char *address = new_address();
    int pub = test_socket_bound(NN_PUB, address);
    int sub = SOCKET(NN_SUB);
    int fd = raw_connect_admitted(address, NN_SUB, NN_PUB);

    CHECK_OK(nn_setsockopt(sub, NN_SUB, NN_SUB_SUBSCRIBE, "", 0));
    CHECK_OK(nn_connect(sub, address));
    WAIT_PEERS(pub, 2);
    for (int i = 0; i < 100; i++)
        raw_send_message(fd, address, "unwanted", (size_t)i % 9);
    raw_finish(fd);
    CHECK(raw_is_closed(fd));
    close(fd);
    WAIT_PEERS(pub, 1);
    CHECK_SENDS(pub, "news");
    CHECK_RECEIVES(sub, "news");
}

/* ---- Anything ---- */

/* The same bytes in each run, so that a failure can be repeated. */
static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

static void fill_random(uint8_t *bytes, size_t count, uint32_t *state)
{
    for (size_t i = 0; i < count; i++)
        bytes[i] = (uint8_t)next_random(state);
}

TEST_OVER_STREAMS(random_bytes_do_no_harm)
{
    enum { PEERS = 150, BYTES = 4096 };
    struct scene scene = scene_open(new_address());
    uint32_t state = 20261124;
    uint8_t bytes[BYTES];

    for (int i = 0; i < PEERS; i++) {
        int fd = raw_connect(scene.address);
        size_t count = 1 + next_random(&state) % BYTES;

        fill_random(bytes, count, &state);
        if (i % 2 == 0)
            raw_send_handshake(fd, NN_PUSH);
        if (i % 6 == 0)
            bytes[0] = 1;
        send(fd, bytes, count, MSG_NOSIGNAL); /* which may have hung up by now */
        if (i % 3 == 0)
            raw_reset(fd);
        else
            close(fd);
        if (i % 50 == 49) {
            CHECK_SENDS(scene.honest, "honest");
            CHECK_RECEIVES(scene.pull, "honest");
        }
    }
    check_undisturbed(&scene);
}
