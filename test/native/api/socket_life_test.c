/* Descriptors: opening, closing, and what calls say of those that are not open. */
#include "raw_peer.h"
#include "sockets.h"

#include <nanomsg/bus.h>
#include <nanomsg/loop.h>
#include <nanomsg/pair.h>
#include <nanomsg/pipeline.h>
#include <nanomsg/pubsub.h>
#include <nanomsg/reqrep.h>
#include <nanomsg/survey.h>

#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

static const int types[] = {NN_PAIR, NN_PUB,  NN_SUB,      NN_REQ,        NN_REP,
                            NN_PUSH, NN_PULL, NN_SURVEYOR, NN_RESPONDENT, NN_BUS};

#define TYPES (sizeof types / sizeof types[0])

/* More than the kernel keeps for a peer that reads nothing. */
#define HUGE_BYTES ((size_t)16 * 1024 * 1024)

/* ---- Opening ---- */

TEST(every_type_opens_in_both_domains_and_tells_what_it_is)
{
    static const int domains[] = {AF_SP, AF_SP_RAW};

    for (size_t i = 0; i < 2 * TYPES; i++) {
        int s = (int)CHECK_OK(test_socket(domains[i % 2], types[i / 2]));
        CHECK_EQUAL(test_get_int(s, NN_SOL_SOCKET, NN_DOMAIN), domains[i % 2]);
        CHECK_EQUAL(test_get_int(s, NN_SOL_SOCKET, NN_PROTOCOL), types[i / 2]);
        CHECK_OK(nn_close(s));
    }
}

TEST(a_socket_of_another_domain_is_EAFNOSUPPORT)
{
    static const int domains[] = {0, -1, 3, INT_MAX, INT_MIN};

    for (size_t i = 0; i < sizeof domains / sizeof domains[0]; i++)
        CHECK_ERRNO(nn_socket(domains[i], NN_PAIR), EAFNOSUPPORT);
    CHECK_ERRNO(nn_socket(0, -1), EAFNOSUPPORT);
}

TEST(a_socket_of_an_unknown_type_is_EINVAL)
{
    static const int unknown[] = {0, -1, NN_PAIR + 1, NN_SUB + 1, NN_SURVEYOR - 1, NN_BUS + 1, INT_MAX, INT_MIN};

    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        CHECK_ERRNO(nn_socket(AF_SP, unknown[i]), EINVAL);
        CHECK_ERRNO(nn_socket(AF_SP_RAW, unknown[i]), EINVAL);
    }
}

TEST(two_open_sockets_have_different_descriptors)
{
    enum { SOCKETS = 2000 };
    static int opened[SOCKETS];
    static bool is_seen[1 << 16];

    for (int i = 0; i < SOCKETS; i++) {
        opened[i] = SOCKET(types[(size_t)i % TYPES]);
        CHECK(opened[i] >= 0 && opened[i] < 1 << 16);
        CHECK(!is_seen[opened[i]]);
        is_seen[opened[i]] = true;
    }
    for (int i = 0; i < SOCKETS; i++)
        CHECK_OK(nn_close(opened[i]));
}

TEST(sockets_that_come_and_go_use_nothing_up)
{
    enum { ROUNDS = 20000 };

    for (int i = 0; i < ROUNDS; i++) {
        int s = SOCKET(types[(size_t)i % TYPES]);
        CHECK(s < 1024);
        CHECK_OK(nn_close(s));
    }
}

TEST(more_sockets_can_be_open_than_libnanomsg_allows)
{
    enum { SOCKETS = 2000 }; /* there, 512 */

    for (int i = 0; i < SOCKETS; i++)
        SOCKET(types[(size_t)i % TYPES]);
}

TEST(a_closed_descriptor_is_not_handed_out_again_at_once)
{
    int open = SOCKET(NN_PAIR);
    int s = SOCKET(NN_PAIR);

    CHECK_OK(nn_close(s));
    CHECK(SOCKET(NN_PAIR) != s);
    CHECK_OK(nn_close(open));
}

TEST(descriptors_begin_again_with_0_when_no_socket_is_open)
{
    enum { ROUNDS = 3, SOCKETS = 100 };
    int opened[SOCKETS];

    for (int i = 0; i < ROUNDS; i++) {
        for (int k = 0; k < SOCKETS; k++) {
            opened[k] = SOCKET(types[(size_t)k % TYPES]);
            CHECK_EQUAL(opened[k], k);
        }
        for (int k = 0; k < SOCKETS; k++)
            CHECK_OK(nn_close(opened[i == 1 ? SOCKETS - 1 - k : k]));
    }
}

TEST(descriptors_begin_again_with_0_while_closed_sockets_linger)
{
    const char *address = test_tcp_address();
    int push = SOCKET(NN_PUSH);
    int listener = raw_listen(address);
    char *body = calloc(1, HUGE_BYTES);

    SET_INT(push, NN_SOL_SOCKET, NN_LINGER, -1);
    CHECK_OK(nn_connect(push, address));
    int peer = raw_accept(listener);
    raw_send_handshake(peer, NN_PULL);
    raw_expect_handshake(peer, NN_PUSH);
    CHECK_EQUAL(nn_send(push, body, HUGE_BYTES, 0), HUGE_BYTES);
    CHECK_OK(nn_close(push));
    CHECK_EQUAL(SOCKET(NN_PAIR), 0);
    CHECK_EQUAL(raw_count_to_end(peer), HUGE_BYTES + 8);
    CHECK_EQUAL(SOCKET(NN_PAIR), 1);
    close(peer);
    close(listener);
    free(body);
}

/* ---- Descriptors that are not open ---- */

static void check_every_call_fails(int s)
{
    int value = 1;
    size_t size = sizeof value;
    char byte = 0;
    void *message = nn_allocmsg(1, 0);

    CHECK_ERRNO(nn_close(s), EBADF);
    CHECK_ERRNO(nn_setsockopt(s, NN_SOL_SOCKET, NN_SNDTIMEO, &value, size), EBADF);
    CHECK_ERRNO(nn_setsockopt(s, -7, 99, NULL, size), EBADF);
    CHECK_ERRNO(nn_getsockopt(s, NN_SOL_SOCKET, NN_SNDTIMEO, &value, &size), EBADF);
    CHECK_ERRNO(nn_getsockopt(s, NN_SOL_SOCKET, NN_RCVFD, &value, &size), EBADF);
    CHECK_ERRNO(nn_bind(s, "inproc://a"), EBADF);
    CHECK_ERRNO(nn_bind(s, NULL), EBADF);
    CHECK_ERRNO(nn_connect(s, "inproc://a"), EBADF);
    CHECK_ERRNO(nn_connect(s, "nonsense"), EBADF);
    CHECK_ERRNO(nn_shutdown(s, 1), EBADF);
    CHECK_ERRNO(nn_send(s, "x", 1, 0), EBADF);
    CHECK_ERRNO(nn_send(s, NULL, 1, 0), EBADF);
    CHECK_ERRNO(nn_recv(s, &byte, 1, 0), EBADF);
    CHECK_ERRNO(nn_recv(s, NULL, 1, NN_DONTWAIT), EBADF);
    errno = 0;
    CHECK(nn_get_statistic(s, NN_STAT_MESSAGES_SENT) == UINT64_MAX);
    CHECK_EQUAL(nn_errno(), EBADF);

    CHECK(message != NULL);
    CHECK_ERRNO(nn_send(s, &message, NN_MSG, 0), EBADF);
    CHECK_OK(nn_freemsg(message)); /* it has stayed ours */
}

TEST(a_handle_names_one_socket_and_no_later_one_with_its_number)
{
    int s = test_socket(AF_SP, NN_PAIR);
    int handle = (int)CHECK_OK(nn_socket_handle(s));
    CHECK_EQUAL(handle & 0xffff, s);
    CHECK_EQUAL(nn_socket_handle(handle), handle);
    CHECK_EQUAL(test_get_int(handle, NN_SOL_SOCKET, NN_PROTOCOL), NN_PAIR);
    CHECK_OK(nn_close(s));

    CHECK_EQUAL(test_socket(AF_SP, NN_BUS), s);
    CHECK_ERRNO(nn_socket_handle(handle), EBADF);
    CHECK_ERRNO(nn_send(handle, "", 0, NN_DONTWAIT), EBADF);
    CHECK_ERRNO(nn_close(handle), EBADF);
    CHECK_OK(nn_send(s, "", 0, NN_DONTWAIT));
    CHECK_OK(nn_close((int)CHECK_OK(nn_socket_handle(s))));
    CHECK_ERRNO(nn_send(s, "", 0, NN_DONTWAIT), EBADF);
    CHECK_ERRNO(nn_socket_handle(s), EBADF);
}

TEST(numbers_above_all_sockets_are_EBADF)
{
    static const int numbers[] = {65536, 3 * 65536, INT_MAX, -1, -65536, INT_MIN};
    int s = test_socket(AF_SP, NN_PAIR); /* 0, which is the low half of some */

    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        CHECK_ERRNO(nn_send(numbers[i], "", 0, NN_DONTWAIT), EBADF);
    CHECK_OK(nn_close(s));
}

TEST(every_call_on_a_descriptor_that_was_never_open_is_EBADF)
{
    static const int never[] = {-1, INT_MIN, 0, 1, 511, 512, 65535, 65536, INT_MAX};

    for (size_t i = 0; i < sizeof never / sizeof never[0]; i++)
        check_every_call_fails(never[i]);
}

TEST(every_call_on_a_closed_descriptor_is_EBADF)
{
    int other = SOCKET(NN_PAIR);

    for (size_t i = 0; i < TYPES; i++) {
        int s = SOCKET(types[i]);
        CHECK_OK(nn_close(s));
        check_every_call_fails(s);
    }
    CHECK_EQUAL(test_get_int(other, NN_SOL_SOCKET, NN_PROTOCOL), NN_PAIR);
}

/* ---- Directions ---- */

TEST(a_type_that_cannot_send_says_ENOTSUP)
{
    static const int receivers[] = {NN_PULL, NN_SUB};
    void *message = nn_allocmsg(1, 0);

    for (size_t i = 0; i < 2; i++) {
        int s = SOCKET(receivers[i]);
        CHECK_ERRNO(nn_send(s, "x", 1, 0), ENOTSUP);
        CHECK_ERRNO(nn_send(s, "x", 1, NN_DONTWAIT), ENOTSUP);
        CHECK_ERRNO(nn_send(s, &message, NN_MSG, 0), ENOTSUP);
    }
    CHECK_OK(nn_freemsg(message));
}

TEST(a_type_that_cannot_receive_says_ENOTSUP)
{
    static const int senders[] = {NN_PUSH, NN_PUB};
    char byte;
    void *message;

    for (size_t i = 0; i < 2; i++) {
        int s = SOCKET(senders[i]);
        CHECK_ERRNO(nn_recv(s, &byte, 1, 0), ENOTSUP);
        CHECK_ERRNO(nn_recv(s, &byte, 1, NN_DONTWAIT), ENOTSUP);
        CHECK_ERRNO(nn_recv(s, &message, NN_MSG, 0), ENOTSUP);
    }
}

TEST(memory_that_is_missing_is_EFAULT)
{
    int s = SOCKET(NN_PAIR);
    void *none = NULL;

    CHECK_ERRNO(nn_send(s, NULL, 1, NN_DONTWAIT), EFAULT);
    CHECK_ERRNO(nn_send(s, NULL, NN_MSG, NN_DONTWAIT), EFAULT);
    CHECK_ERRNO(nn_send(s, &none, NN_MSG, NN_DONTWAIT), EFAULT);
    CHECK_ERRNO(nn_recv(s, NULL, 1, NN_DONTWAIT), EFAULT);
    CHECK_ERRNO(nn_send(s, NULL, 0, NN_DONTWAIT), EAGAIN); /* an empty message */
}

/* ---- Errors as text ---- */

TEST(every_error_has_a_text)
{
    CHECK_STRING(nn_strerror(ETERM), "Nanomsg library was terminated");
    CHECK_STRING(nn_strerror(EFSM), "Operation cannot be performed in this state");
    CHECK_STRING(nn_strerror(EAGAIN), "Resource temporarily unavailable");
    CHECK(nn_strerror(0) != NULL);
    CHECK(nn_strerror(-1) != NULL);
    CHECK(nn_strerror(INT_MAX) != NULL);
}

/* ---- The end ---- */

TEST(after_termination_old_descriptors_are_EBADF_and_new_ones_ETERM)
{
    int s = SOCKET(NN_REQ);
    int peer = SOCKET(NN_REP);
    const char *address = test_ipc_address();

    CHECK_OK(nn_bind(peer, address));
    CHECK_OK(nn_connect(s, address));
    nn_term();
    check_every_call_fails(s);
    check_every_call_fails(peer);
    CHECK_ERRNO(nn_socket(AF_SP, NN_REQ), ETERM);
    CHECK_ERRNO(nn_socket(AF_SP_RAW, NN_REQ), ETERM);
    nn_term();
}

NN_EXPORT void nn_init(void);

/* Lets the process open sockets again, and opens one that stays, before the termination under way has ended. */
static void begin_again(void *socket)
{
    while ((*(int *)socket = nn_socket(AF_SP, NN_PAIR)) < 0)
        nn_init();
}

TEST(termination_ends_though_another_thread_begins_again)
{
    int64_t begin_ms = test_now_ms();

    for (int round = 0; round < 200; round++) {
        int other = -1;
        SOCKET(NN_PAIR);
        struct test_thread *thread = test_thread_start(begin_again, &other);
        nn_term();
        test_thread_join(thread);
        nn_init();
        CHECK(other >= 0);
        nn_close(other); /* it may be among those that were terminated */
    }
    CHECK(test_now_ms() - begin_ms < test_deadline_ms(8000)); /* a termination that waits for others takes 10 s */
}

TEST(termination_before_the_first_socket_changes_nothing)
{
    nn_term();
    int s = (int)CHECK_OK(nn_socket(AF_SP, NN_PAIR));
    CHECK_OK(nn_close(s));
    nn_term();
    CHECK_ERRNO(nn_socket(AF_SP, NN_PAIR), ETERM);
}
