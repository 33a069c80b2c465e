/* Messages: memory that changes hands, sizes from nothing to megabytes, truncation, the limit. */
#include "raw_peer.h"
#include "sockets.h"

#include <nanomsg/loop.h>
#include <nanomsg/pair.h>
#include <nanomsg/pipeline.h>
#include <nanomsg/pubsub.h>
#include <nanomsg/reqrep.h>

#include <limits.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- Memory ---- */

TEST(allocated_messages_can_be_written_throughout)
{
    static const size_t sizes[] = {0, 1, 15, 16, 4095, 65536, 10000000};

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        uint8_t *message = nn_allocmsg(sizes[i], 0);
        CHECK(message != NULL);
        CHECK_EQUAL((uintptr_t)message % sizeof(void *), 0);
        memset(message, 0xa5, sizes[i]);
        CHECK_OK(nn_freemsg(message));
    }
}

static long resident_bytes(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");

    CHECK(file != NULL);
    CHECK_EQUAL(fscanf(file, "%*d %ld", &pages), 1);
    fclose(file);
    return pages * sysconf(_SC_PAGESIZE);
}

TEST(memory_of_large_messages_is_kept_for_the_next_and_goes_back_when_none_comes)
{
    enum { COUNT = 24, BYTES = 1 << 20, MUCH = COUNT / 2 * BYTES };
    const char *address = test_tcp_address(); /* over inproc the engine's thread has nothing to do */
    int pull = test_socket_bound(NN_PULL, address);
    int push = test_socket_connected(NN_PUSH, address);
    void *messages[COUNT];
    long before = resident_bytes();
    long kept = 0;

    if (test_deadline_ms(1) != 1)
        return; /* sanitizers keep what is freed */

    /* The engine's thread must have seen that there are large messages; under load that may take it a while. */
    while (kept < MUCH) {
        for (int i = 0; i < COUNT; i++) {
            messages[i] = nn_allocmsg(BYTES, 0);
            CHECK(messages[i] != NULL);
            memset(messages[i], i, BYTES);
        }
        CHECK_SENDS(push, "wakes it");
        CHECK_RECEIVES(pull, "wakes it");
        for (int i = 0; i < COUNT; i++)
            CHECK_OK(nn_freemsg(messages[i]));
        kept = resident_bytes() - before;
    }
    while (resident_bytes() - before >= MUCH) { /* the case's deadline ends this */
        usleep(10000);
        malloc_trim(0); /* what the engine has freed */
    }
}

TEST(allocating_fails_with_a_wrong_type_or_size)
{
    static const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 8, SIZE_MAX - 50};

    errno = 0;
    CHECK(nn_allocmsg(16, 1) == NULL);
    CHECK_EQUAL(nn_errno(), EINVAL);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        errno = 0;
        CHECK(nn_allocmsg(sizes[i], 0) == NULL);
        CHECK_EQUAL(nn_errno(), ENOMEM);
    }
}

TEST(reallocating_keeps_the_content)
{
    static const size_t sizes[] = {100, 50, 50, 0, 70, 5000, 2, 1000000, 1};
    uint8_t expected[5000];
    size_t kept = 10;
    uint8_t *message = nn_allocmsg(kept, 0);

    for (size_t i = 0; i < sizeof expected; i++)
        expected[i] = (uint8_t)(i * 7);
    memcpy(message, expected, kept);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        message = nn_reallocmsg(message, sizes[i]);
        CHECK(message != NULL);
        kept = kept < sizes[i] ? kept : sizes[i];
        CHECK_BYTES(message, kept, expected, kept);
        kept = sizes[i] < sizeof expected ? sizes[i] : sizeof expected;
        memcpy(message, expected, kept);
    }
    CHECK_OK(nn_freemsg(message));
}

TEST(a_message_that_grows_moves_and_one_that_shrinks_stays)
{
    char *whole = nn_allocmsg(8, 0);
    char *part = nn_reallocmsg(whole, 1);
    CHECK(part == whole);

    /* What it has had already is no room of its own any more. */
    char *grown = nn_reallocmsg(part, 8);
    CHECK(grown != NULL && grown != part);
    char *large = nn_reallocmsg(grown, 100000);
    CHECK(large != NULL && large != grown);
    CHECK_OK(nn_freemsg(large));
}

TEST(reallocating_too_much_leaves_the_message)
{
    char *message = nn_allocmsg(5, 0);

    memcpy(message, "hello", 5);
    errno = 0;
    CHECK(nn_reallocmsg(message, SIZE_MAX - 16) == NULL);
    CHECK_EQUAL(nn_errno(), ENOMEM);
    CHECK_BYTES(message, 5, "hello", 5);
    CHECK_OK(nn_freemsg(message));
}

TEST(a_reallocated_message_is_sent_with_its_new_length)
{
    static const size_t sizes[] = {0, 3, 8, 300, 100000};
    const char *address = test_inproc_address();
    int s = test_socket_bound(NN_PAIR, address);
    int peer = test_socket_connected(NN_PAIR, address);
    static uint8_t received[100001];

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        uint8_t *message = nn_reallocmsg(nn_allocmsg(8, 0), sizes[i]);
        memset(message, (int)i + 1, sizes[i]);
        CHECK_EQUAL(nn_send(peer, &message, NN_MSG, 0), sizes[i]);
        CHECK_EQUAL(nn_recv(s, received, sizeof received, 0), sizes[i]);
        for (size_t j = 0; j < sizes[i]; j++)
            CHECK_EQUAL(received[j], i + 1);
    }
}

TEST(memory_that_is_no_message_is_EFAULT)
{
    errno = 0;
    CHECK_ERRNO(nn_freemsg(NULL), EFAULT);
    CHECK(nn_reallocmsg(NULL, 5) == NULL);
    CHECK_EQUAL(nn_errno(), EFAULT);
}

/* ---- Sizes ---- */

static void fill(uint8_t *bytes, size_t count, unsigned seed)
{
    for (size_t i = 0; i < count; i++) {
        seed = seed * 1664525u + 1013904223u;
        bytes[i] = (uint8_t)(seed >> 24);
    }
}

struct sender {
    int s;
    const uint8_t *body;
    size_t size;
    bool hands_over;
};

static void sender_run(void *argument)
{
    const struct sender *self = argument;

    if (!self->hands_over) {
        CHECK_EQUAL(nn_send(self->s, self->body, self->size, 0), self->size);
        return;
    }
    void *message = nn_allocmsg(self->size, 0);
    CHECK(message != NULL);
    memcpy(message, self->body, self->size);
    CHECK_EQUAL(nn_send(self->s, &message, NN_MSG, 0), self->size);
}

static void check_passes(int from, int to, const uint8_t *body, size_t size, unsigned how)
{
    struct sender sender = {.s = from, .body = body, .size = size, .hands_over = how & 1};
    struct test_thread *thread = test_thread_start(sender_run, &sender);
    uint8_t *copy = malloc(size + 1);
    void *message = NULL;

    CHECK(copy != NULL);
    if (how & 2) {
        CHECK_EQUAL(nn_recv(to, &message, NN_MSG, 0), size);
        CHECK_BYTES(message, size, body, size);
        CHECK_OK(nn_freemsg(message));
    } else {
        CHECK_EQUAL(nn_recv(to, copy, size + 1, 0), size);
        CHECK_BYTES(copy, size, body, size);
    }
    free(copy);
    test_thread_join(thread);
}

TEST_OVER_TRANSPORTS(every_size_arrives_whole)
{
    static const size_t sizes[] = {0,     1,     7,     8,     9,      10,     255,    256,     4095,    4096,
                                   16383, 16384, 65535, 65536, 131063, 131072, 131073, 1000000, 1048577, 5000000};
    enum { LARGEST = 5000000 };
    const char *address = new_address();
    int s = test_socket_bound(NN_PAIR, address);
    int peer = test_socket_connected(NN_PAIR, address);
    uint8_t *body = malloc(LARGEST);

    CHECK(body != NULL);
    SET_INT(s, NN_SOL_SOCKET, NN_RCVMAXSIZE, -1);
    SET_INT(peer, NN_SOL_SOCKET, NN_RCVMAXSIZE, -1);
    fill(body, LARGEST, 1);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        for (unsigned how = 0; how < 4; how++) {
            check_passes(peer, s, body + i, sizes[i] < LARGEST ? sizes[i] : LARGEST - i, how);
            check_passes(s, peer, body, sizes[i], how);
        }
    }
    free(body);
}

struct stream {
    int s;
    unsigned count;
};

static size_t size_of(unsigned i)
{
    return i % 100 == 99 ? 300000 : i % 7 == 0 ? 0 : i * 37u % 2000u;
}

static void stream_send(void *argument)
{
    const struct stream *self = argument;
    uint8_t *body = malloc(300000);

    CHECK(body != NULL);
    for (unsigned i = 0; i < self->count; i++) {
        fill(body, size_of(i), i);
        CHECK_EQUAL(nn_send(self->s, body, size_of(i), 0), size_of(i));
    }
    free(body);
}

TEST_OVER_TRANSPORTS(a_stream_of_mixed_sizes_keeps_its_order_and_content)
{
    const char *address = new_address();
    int s = test_socket_bound(NN_PULL, address);
    struct stream stream = {.s = test_socket_connected(NN_PUSH, address), .count = 3000};
    struct test_thread *thread = test_thread_start(stream_send, &stream);
    uint8_t *expected = malloc(300000);

    CHECK(expected != NULL);
    for (unsigned i = 0; i < stream.count; i++) {
        void *message;
        CHECK_EQUAL(nn_recv(s, &message, NN_MSG, 0), size_of(i));
        fill(expected, size_of(i), i);
        CHECK_BYTES(message, size_of(i), expected, size_of(i));
        CHECK_OK(nn_freemsg(message));
    }
    free(expected);
    test_thread_join(thread);
}

/* ---- Receiving less, and keeping more ---- */

TEST_OVER_TRANSPORTS(what_does_not_fit_is_lost_and_the_full_size_told)
{
    const char *address = new_address();
    int s = test_socket_bound(NN_PAIR, address);
    int peer = test_socket_connected(NN_PAIR, address);
    char text[8] = "xxxxxxx";

    CHECK_SENDS(peer, "0123456789");
    CHECK_SENDS(peer, "second");
    CHECK_SENDS(peer, "third");
    CHECK_EQUAL(nn_recv(s, text, 4, 0), 10);
    CHECK_STRING(text, "0123xxx");
    CHECK_EQUAL(nn_recv(s, NULL, 0, 0), 6);
    CHECK_RECEIVES(s, "third");
}

TEST_OVER_TRANSPORTS(received_messages_stay_when_the_sockets_are_gone)
{
    enum { MESSAGES = 50 };
    const char *address = new_address();
    int s = test_socket_bound(NN_PULL, address);
    int peer = test_socket_connected(NN_PUSH, address);
    char *messages[MESSAGES];

    for (int i = 0; i < MESSAGES; i++) {
        CHECK_SENDS(peer, "kept for later");
        CHECK_EQUAL(nn_recv(s, &messages[i], NN_MSG, 0), 14);
    }
    nn_term();
    for (int i = 0; i < MESSAGES; i++) {
        CHECK_BYTES(messages[i], 14, "kept for later", 14);
        messages[i] = nn_reallocmsg(messages[i], 20);
        CHECK_BYTES(messages[i], 14, "kept for later", 14);
        CHECK_OK(nn_freemsg(messages[i]));
    }
}

TEST_OVER_TRANSPORTS(a_received_message_can_be_changed_and_sent_on)
{
    const char *address = new_address();
    int pub = test_socket_bound(NN_PUB, address);
    int subs[3];
    char *messages[3];

    for (int i = 0; i < 3; i++) {
        subs[i] = test_socket_connected(NN_SUB, address);
        CHECK_OK(nn_setsockopt(subs[i], NN_SUB, NN_SUB_SUBSCRIBE, "", 0));
    }
    WAIT_PEERS(pub, 3);
    CHECK_SENDS(pub, "for all");
    for (int i = 0; i < 3; i++)
        CHECK_EQUAL(nn_recv(subs[i], &messages[i], NN_MSG, 0), 7);
    messages[0] = nn_reallocmsg(messages[0], 9);
    CHECK_EQUAL(nn_send(pub, &messages[0], NN_MSG, 0), 9);
    CHECK_EQUAL(nn_recv(subs[2], NULL, 0, 0), 9);
    for (int i = 1; i < 3; i++) {
        CHECK_BYTES(messages[i], 7, "for all", 7);
        CHECK_OK(nn_freemsg(messages[i]));
    }
}

TEST(a_message_that_cannot_be_sent_stays_with_its_owner)
{
    int push = SOCKET(NN_PUSH);
    int rep = SOCKET(NN_REP);
    char *message = nn_allocmsg(4, 0);

    memcpy(message, "mine", 4);
    CHECK_ERRNO(nn_send(push, &message, NN_MSG, NN_DONTWAIT), EAGAIN);
    SET_INT(push, NN_SOL_SOCKET, NN_SNDTIMEO, 5);
    CHECK_ERRNO(nn_send(push, &message, NN_MSG, 0), ETIMEDOUT);
    CHECK_ERRNO(nn_send(rep, &message, NN_MSG, 0), EFSM);
    CHECK_BYTES(message, 4, "mine", 4);
    CHECK_OK(nn_freemsg(message));
}

/* ---- NN_RCVMAXSIZE ---- */

TEST_OVER_TRANSPORTS(a_message_over_the_limit_is_not_delivered)
{
    const char *address = new_address();
    int s = test_socket_bound(NN_PULL, address);
    int peer = SOCKET(NN_PUSH);
    char body[101] = {0};

    SET_INT(s, NN_SOL_SOCKET, NN_RCVMAXSIZE, 100);
    CHECK_OK(nn_connect(peer, address));
    CHECK_EQUAL(nn_send(peer, body, 100, 0), 100);
    CHECK_EQUAL(nn_recv(s, body, sizeof body, 0), 100);
    CHECK_EQUAL(nn_send(peer, body, 101, 0), 101);
    CHECK_SILENT(s);
    WAIT_PEERS(peer, 1); /* it is connected again, or still */
    CHECK_SENDS(peer, "small");
    CHECK_RECEIVES(s, "small");
}

TEST_OVER_TRANSPORTS(a_limit_of_0_lets_only_empty_messages_pass)
{
    const char *address = new_address();
    int s = test_socket_bound(NN_PULL, address);
    int peer = test_socket_connected(NN_PUSH, address);

    SET_INT(s, NN_SOL_SOCKET, NN_RCVMAXSIZE, 0);
    CHECK_SENDS(peer, "");
    CHECK_RECEIVES(s, "");
    CHECK_SENDS(peer, "x");
    CHECK_SILENT(s);
}

TEST(the_limit_counts_the_header_of_a_request)
{
    const char *address = test_tcp_address();
    int s = test_socket_bound(NN_REP, address);
    int peer = test_socket_connected(NN_REQ, address);
    char body[101] = {0};

    SET_INT(s, NN_SOL_SOCKET, NN_RCVMAXSIZE, 100);
    CHECK_EQUAL(nn_send(peer, body, 96, 0), 96);
    CHECK_EQUAL(nn_recv(s, body, sizeof body, 0), 96);
    CHECK_EQUAL(nn_send(peer, body, 97, 0), 97);
    CHECK_SILENT(s);
    WAIT_STATISTIC_AT_LEAST(s, NN_STAT_BROKEN_CONNECTIONS, 1);
}

/* With the prefix of tcp (8 bytes) or ipc (9) these lengths are a little less or more than 2^64. */
static void check_impossible_lengths(const char *address)
{
    static const uint64_t lengths[] = {UINT64_MAX / 2 + 1, UINT64_MAX - 8, UINT64_MAX - 7, UINT64_MAX - 6, UINT64_MAX};
    int s = test_socket_bound(NN_PULL, address);
    char body[5000] = {0};

    SET_INT(s, NN_SOL_SOCKET, NN_RCVMAXSIZE, -1);
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        int fd = raw_connect_admitted(address, NN_PUSH, NN_PULL);
        raw_send_prefix(fd, address, lengths[i]);
        /* It may be refused while this is written, which is no failure here. */
        send(fd, body, sizeof body, MSG_NOSIGNAL);
        CHECK(raw_is_closed(fd));
        close(fd);
    }
    int peer = test_socket_connected(NN_PUSH, address);
    CHECK_SENDS(peer, "possible");
    CHECK_RECEIVES(s, "possible");
}

TEST(a_length_that_no_memory_holds_is_refused_without_a_limit_over_tcp)
{
    check_impossible_lengths(test_tcp_address());
}

TEST(a_length_that_no_memory_holds_is_refused_without_a_limit_over_ipc)
{
    check_impossible_lengths(test_ipc_address());
}

/* ---- Lengths that no result can tell ---- */

/* A body of more than INT_MAX bytes takes addresses only, until it is read. */
static struct nn_outgoing body_beyond_int(void)
{
    struct nn_outgoing message = {.body_bytes = (size_t)INT_MAX + 1};
    void *body = nn_allocmsg(message.body_bytes, 0);

    CHECK(body != NULL);
    message.body = body;
    message.chunk = nn_chunk_of(body);
    return message;
}

TEST(a_body_beyond_INT_MAX_is_not_received_but_EMSGSIZE_and_freed)
{
    const char *address = test_inproc_address();
    int pull = test_socket_bound(NN_PULL, address);
    int push = test_socket_connected(NN_PUSH, address);
    char buffer[8];
    void *body = NULL;

    SET_INT(pull, NN_SOL_SOCKET, NN_RCVMAXSIZE, -1);
    for (int i = 0; i < 3; i++) {
        struct nn_outgoing message = body_beyond_int();
        struct nn_iovec piece = {buffer, sizeof buffer};
        struct nn_msghdr header = {.msg_iov = &piece, .msg_iovlen = 1};

        CHECK_EQUAL(CHECK_OK(nn_socket_send_batch(push, &message, 1, 0)), 1);
        if (i == 0)
            CHECK_ERRNO(nn_recv(pull, &body, NN_MSG, 0), EMSGSIZE);
        else if (i == 1)
            CHECK_ERRNO(nn_recv(pull, buffer, 0, 0), EMSGSIZE);
        else
            CHECK_ERRNO(nn_recvmsg(pull, &header, 0), EMSGSIZE);
        CHECK_SENDS(push, "next");
        CHECK_RECEIVES(pull, "next");
    }
    CHECK_OK(nn_close(push));
    CHECK_OK(nn_close(pull));
}

TEST(a_body_beyond_INT_MAX_is_not_sent_but_EMSGSIZE_and_stays_the_callers)
{
    int push = SOCKET(NN_PUSH);
    struct nn_outgoing message = body_beyond_int();
    void *body = (void *)(uintptr_t)message.body;
    struct nn_iovec pieces[2] = {{body, 1}, {body, INT_MAX}};
    struct nn_msghdr header = {.msg_iov = pieces, .msg_iovlen = 2};

    CHECK_ERRNO(nn_send(push, body, message.body_bytes, NN_DONTWAIT), EMSGSIZE);
    CHECK_ERRNO(nn_send(push, &body, NN_MSG, NN_DONTWAIT), EMSGSIZE);
    CHECK_ERRNO(nn_sendmsg(push, &header, NN_DONTWAIT), EMSGSIZE);
    CHECK_OK(nn_freemsg(body));
    CHECK_OK(nn_close(push));
}
