/* Options: what they are at first, what they accept, what each call says otherwise. */
#include "sockets.h"

#include <nanomsg/limits.h>
#include <nanomsg/bus.h>
#include <nanomsg/inproc.h>
#include <nanomsg/ipc.h>
#include <nanomsg/pair.h>
#include <nanomsg/pipeline.h>
#include <nanomsg/pubsub.h>
#include <nanomsg/reqrep.h>
#include <nanomsg/survey.h>
#include <nanomsg/tcp.h>
#include <nanomsg/ws.h>

#include <limits.h>
#include <stdio.h>
#include <string.h>

/* ---- Integers ---- */

static const struct {
    int protocol;
    int level;
    int option;
    int initial;
    int lowest;
    int highest;
} ints[] = {
    {NN_PAIR, NN_SOL_SOCKET, NN_LINGER, 1000, INT_MIN, INT_MAX},
    {NN_PAIR, NN_SOL_SOCKET, NN_SNDBUF, 131072, 1, INT_MAX},
    {NN_PAIR, NN_SOL_SOCKET, NN_RCVBUF, 131072, 1, INT_MAX},
    {NN_PAIR, NN_SOL_SOCKET, NN_SNDTIMEO, -1, INT_MIN, INT_MAX},
    {NN_PAIR, NN_SOL_SOCKET, NN_RCVTIMEO, -1, INT_MIN, INT_MAX},
    {NN_PAIR, NN_SOL_SOCKET, NN_RECONNECT_IVL, 100, 0, INT_MAX},
    {NN_PAIR, NN_SOL_SOCKET, NN_RECONNECT_IVL_MAX, 0, 0, INT_MAX},
    {NN_PAIR, NN_SOL_SOCKET, NN_SNDPRIO, 8, 1, 16},
    {NN_PAIR, NN_SOL_SOCKET, NN_RCVPRIO, 8, 1, 16},
    {NN_PAIR, NN_SOL_SOCKET, NN_IPV4ONLY, 1, 0, 1},
    {NN_PAIR, NN_SOL_SOCKET, NN_RCVMAXSIZE, 1048576, -1, INT_MAX},
    {NN_PAIR, NN_SOL_SOCKET, NN_MAXTTL, 8, 1, 255},
    {NN_PUB, NN_SOL_SOCKET, NN_ON_SLOW, NN_SLOW_DROP, NN_SLOW_DROP, NN_SLOW_DISCONNECT},
    {NN_PAIR, NN_TCP, NN_TCP_NODELAY, 0, 0, 1},
    {NN_PAIR, NN_IPC, NN_IPC_OUTBUFSZ, 4096, INT_MIN, INT_MAX},
    {NN_PAIR, NN_IPC, NN_IPC_INBUFSZ, 4096, INT_MIN, INT_MAX},
    {NN_PAIR, NN_WS, NN_WS_MSG_TYPE, NN_WS_MSG_TYPE_BINARY, NN_WS_MSG_TYPE_TEXT, NN_WS_MSG_TYPE_BINARY},
    {NN_REQ, NN_REQ, NN_REQ_RESEND_IVL, 60000, 0, INT_MAX},
    {NN_REQ, NN_REQ, NN_REQ_MAX_IN_FLIGHT, 0, 0, INT_MAX},
    {NN_REQ, NN_REQ, NN_REQ_ATTEMPTS, 0, 0, INT_MAX},
    {NN_REQ, NN_REQ, NN_REQ_CONTEXT_ATTEMPTS, 0, 0, INT_MAX},
    {NN_REQ, NN_REQ, NN_REQ_CONTEXT_RESEND_IVL, -1, -1, INT_MAX},
    {NN_SURVEYOR, NN_SURVEYOR, NN_SURVEYOR_DEADLINE, 1000, 0, INT_MAX},
};

#define INTS (sizeof ints / sizeof ints[0])

static int set_int(size_t i, int s, int value)
{
    return nn_setsockopt(s, ints[i].level, ints[i].option, &value, sizeof value);
}

/* As nn_socket() makes it: test_socket() would set timeouts. */
static int plain_socket(int protocol)
{
    test_at_end(nn_term);
    return (int)CHECK_OK(nn_socket(AF_SP, protocol));
}

TEST(integers_have_their_documented_defaults)
{
    for (size_t i = 0; i < INTS; i++) {
        int s = plain_socket(ints[i].protocol);
        CHECK_EQUAL(test_get_int(s, ints[i].level, ints[i].option), ints[i].initial);
        CHECK_OK(nn_close(s));
    }
}

TEST(integers_keep_what_lies_in_their_range)
{
    for (size_t i = 0; i < INTS; i++) {
        int s = plain_socket(ints[i].protocol);
        CHECK_OK(set_int(i, s, ints[i].lowest));
        CHECK_EQUAL(test_get_int(s, ints[i].level, ints[i].option), ints[i].lowest);
        CHECK_OK(set_int(i, s, ints[i].highest));
        CHECK_EQUAL(test_get_int(s, ints[i].level, ints[i].option), ints[i].highest);
        CHECK_OK(nn_close(s));
    }
}

TEST(integers_out_of_range_are_EINVAL_and_change_nothing)
{
    for (size_t i = 0; i < INTS; i++) {
        int s = plain_socket(ints[i].protocol);
        if (ints[i].lowest > INT_MIN)
            CHECK_ERRNO(set_int(i, s, ints[i].lowest - 1), EINVAL);
        if (ints[i].highest < INT_MAX)
            CHECK_ERRNO(set_int(i, s, ints[i].highest + 1), EINVAL);
        CHECK_EQUAL(test_get_int(s, ints[i].level, ints[i].option), ints[i].initial);
        CHECK_OK(nn_close(s));
    }
}

TEST(integers_of_another_size_are_EINVAL)
{
    static const size_t sizes[] = {0, 1, 3, 5, 8};
    char bytes[8] = {0};

    for (size_t i = 0; i < INTS; i++) {
        int s = plain_socket(ints[i].protocol);
        for (size_t j = 0; j < sizeof sizes / sizeof sizes[0]; j++) {
            if (ints[i].level != NN_IPC || sizes[j] < sizeof(int))
                CHECK_ERRNO(nn_setsockopt(s, ints[i].level, ints[i].option, bytes, sizes[j]), EINVAL);
        }
        CHECK_EQUAL(test_get_int(s, ints[i].level, ints[i].option), ints[i].initial);
        CHECK_OK(nn_close(s));
    }
}

/* But for the options of socket types, which are given whole or not at all. */
TEST(a_short_buffer_gets_a_part_and_the_full_size)
{
    unsigned char bytes[8];

    for (size_t i = 0; i < INTS; i++) {
        int s = plain_socket(ints[i].protocol);
        int value = ints[i].initial;
        size_t size = 2;
        memset(bytes, 0xaa, sizeof bytes);
        if (ints[i].level <= NN_SOL_SOCKET) {
            CHECK_OK(nn_getsockopt(s, ints[i].level, ints[i].option, bytes, &size));
            CHECK_EQUAL(size, sizeof value);
            CHECK_BYTES(bytes, 2, &value, 2);
        } else {
            CHECK_ERRNO(nn_getsockopt(s, ints[i].level, ints[i].option, bytes, &size), EINVAL);
        }
        CHECK_EQUAL(bytes[2], 0xaa);

        size = sizeof bytes;
        CHECK_OK(nn_getsockopt(s, ints[i].level, ints[i].option, bytes, &size));
        CHECK_EQUAL(size, sizeof value);
        CHECK_BYTES(bytes, 4, &value, 4);
        CHECK_EQUAL(bytes[4], 0xaa);
        CHECK_OK(nn_close(s));
    }
}

TEST(sockets_have_options_of_their_own)
{
    int one = plain_socket(NN_PAIR);
    int other = plain_socket(NN_PAIR);

    SET_INT(one, NN_SOL_SOCKET, NN_SNDBUF, 4711);
    CHECK_EQUAL(test_get_int(other, NN_SOL_SOCKET, NN_SNDBUF), 131072);
}

/* ---- Levels and numbers ---- */

TEST(unknown_options_are_ENOPROTOOPT)
{
    static const struct {
        int level;
        int option;
    } unknown[] = {
        {NN_SOL_SOCKET, 0},
        {NN_SOL_SOCKET, 18},
        {NN_SOL_SOCKET, -1},
        {NN_SOL_SOCKET, INT_MAX},
        {NN_TCP, 0},
        {NN_TCP, 2},
        {NN_INPROC, 1},
        {NN_REQ, 2},
        {NN_SURVEYOR, NN_SURVEYOR_DEADLINE},
        {NN_PAIR, 1},
        {-99, NN_SNDBUF},
        {99, NN_SNDBUF},
        {INT_MAX, 1},
        {INT_MIN, 1},
    };
    int s = plain_socket(NN_REQ);
    int value = 1;

    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        size_t size = sizeof value;
        CHECK_ERRNO(nn_setsockopt(s, unknown[i].level, unknown[i].option, &value, sizeof value), ENOPROTOOPT);
        CHECK_ERRNO(nn_getsockopt(s, unknown[i].level, unknown[i].option, &value, &size), ENOPROTOOPT);
    }
}

TEST(sizes_are_looked_at_before_options_of_a_level_with_one_size)
{
    static const struct {
        int level;
        size_t size;
        int error;
    } cases[] = {
        {NN_SOL_SOCKET, 1, EINVAL},  {NN_SOL_SOCKET, 8, EINVAL}, {NN_TCP, 0, EINVAL},   {NN_TCP, 8, EINVAL},
        {NN_WS, 3, EINVAL},          {NN_WS, 8, EINVAL},         {NN_IPC, 3, EINVAL},   {NN_IPC, 8, ENOPROTOOPT},
        {NN_INPROC, 0, ENOPROTOOPT}, {NN_REQ, 0, ENOPROTOOPT},   {-99, 1, ENOPROTOOPT},
    };
    int s = plain_socket(NN_REQ);
    char bytes[8] = {0};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        CHECK_ERRNO(nn_setsockopt(s, cases[i].level, 99, bytes, cases[i].size), cases[i].error);
}

TEST(values_of_ipc_options_may_be_longer_than_an_integer)
{
    int values[2] = {8192, -1};
    int s = plain_socket(NN_PAIR);

    CHECK_OK(nn_setsockopt(s, NN_IPC, NN_IPC_OUTBUFSZ, values, sizeof values));
    CHECK_EQUAL(test_get_int(s, NN_IPC, NN_IPC_OUTBUFSZ), 8192);
}

TEST(a_type_has_only_its_own_options)
{
    static const int others[] = {NN_PAIR, NN_PUB, NN_REP, NN_PUSH, NN_PULL, NN_RESPONDENT, NN_BUS};
    static const int levels[] = {NN_REQ, NN_SUB, NN_SURVEYOR};
    int value = 1;

    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        int s = plain_socket(others[i]);
        for (size_t j = 0; j < 3; j++)
            CHECK_ERRNO(nn_setsockopt(s, levels[j], 1, &value, sizeof value), ENOPROTOOPT);
        CHECK_ERRNO(nn_setsockopt(s, others[i], 1, &value, sizeof value), ENOPROTOOPT);
        CHECK_OK(nn_close(s));
    }
}

TEST(what_a_socket_is_cannot_be_set)
{
    static const int read_only[] = {NN_DOMAIN, NN_PROTOCOL, NN_SNDFD, NN_RCVFD};
    int s = plain_socket(NN_PAIR);
    int value = 1;

    for (size_t i = 0; i < sizeof read_only / sizeof read_only[0]; i++)
        CHECK_ERRNO(nn_setsockopt(s, NN_SOL_SOCKET, read_only[i], &value, sizeof value), ENOPROTOOPT);
}

TEST(security_attributes_of_named_pipes_are_kept_and_nothing_more)
{
    int s = plain_socket(NN_PAIR);
    long attributes = 0;
    const void *kept = &s;
    size_t size = sizeof kept;

    CHECK_OK(nn_getsockopt(s, NN_IPC, NN_IPC_SEC_ATTR, &kept, &size));
    CHECK_EQUAL(size, sizeof kept);
    CHECK(kept == NULL);
    CHECK_OK(nn_setsockopt(s, NN_IPC, NN_IPC_SEC_ATTR, &attributes, sizeof attributes));
    CHECK_ERRNO(nn_setsockopt(s, NN_IPC, NN_IPC_SEC_ATTR, &s, 1), EINVAL);
    CHECK_OK(nn_getsockopt(s, NN_IPC, NN_IPC_SEC_ATTR, &kept, &size));
    CHECK(kept == &attributes);
}

TEST(memory_that_is_missing_is_EFAULT)
{
    int s = plain_socket(NN_SUB);
    size_t size = 4;
    int value;

    CHECK_ERRNO(nn_setsockopt(s, NN_SOL_SOCKET, NN_SNDBUF, NULL, 4), EFAULT);
    CHECK_ERRNO(nn_setsockopt(s, NN_SUB, NN_SUB_SUBSCRIBE, NULL, 1), EFAULT);
    CHECK_ERRNO(nn_getsockopt(s, NN_SOL_SOCKET, NN_SNDBUF, NULL, &size), EFAULT);
    size = 0;
    CHECK_ERRNO(nn_getsockopt(s, NN_SOL_SOCKET, NN_SNDBUF, NULL, &size), EFAULT);
    CHECK_ERRNO(nn_getsockopt(s, NN_SOL_SOCKET, NN_SNDBUF, &value, NULL), EFAULT);
    CHECK_OK(nn_setsockopt(s, NN_SUB, NN_SUB_SUBSCRIBE, NULL, 0));
}

/* ---- Subscriptions ---- */

TEST(subscriptions_can_only_be_set)
{
    int s = plain_socket(NN_SUB);
    char bytes[300] = {0};
    size_t size = sizeof bytes;

    CHECK_ERRNO(nn_getsockopt(s, NN_SUB, NN_SUB_SUBSCRIBE, bytes, &size), ENOPROTOOPT);
    CHECK_ERRNO(nn_getsockopt(s, NN_SUB, NN_SUB_UNSUBSCRIBE, bytes, &size), ENOPROTOOPT);
    CHECK_ERRNO(nn_setsockopt(s, NN_SOL_SOCKET, NN_SUB_SUBSCRIBE, "a", 1), EINVAL);
    CHECK_ERRNO(nn_setsockopt(s, NN_SUB, 3, "a", 1), ENOPROTOOPT);
    CHECK_OK(nn_setsockopt(s, NN_SUB, NN_SUB_SUBSCRIBE, bytes, sizeof bytes));
    CHECK_OK(nn_setsockopt(s, NN_SUB, NN_SUB_UNSUBSCRIBE, "never subscribed", 16));
}

/* ---- Descriptors to poll ---- */

TEST(only_directions_that_a_type_has_can_be_polled)
{
    static const struct {
        int protocol;
        int missing;
        int present;
    } cases[] = {{NN_PUSH, NN_RCVFD, NN_SNDFD},
                 {NN_PUB, NN_RCVFD, NN_SNDFD},
                 {NN_PULL, NN_SNDFD, NN_RCVFD},
                 {NN_SUB, NN_SNDFD, NN_RCVFD}};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int s = plain_socket(cases[i].protocol);
        int fd;
        size_t size = sizeof fd;
        CHECK_ERRNO(nn_getsockopt(s, NN_SOL_SOCKET, cases[i].missing, &fd, &size), ENOPROTOOPT);
        fd = test_get_int(s, NN_SOL_SOCKET, cases[i].present);
        CHECK(fd > 2);
        CHECK_EQUAL(test_get_int(s, NN_SOL_SOCKET, cases[i].present), fd);
    }
}

/* ---- Names ---- */

static void check_name(int s, const char *name)
{
    char text[128];
    size_t size = sizeof text;

    memset(text, 'x', sizeof text);
    CHECK_OK(nn_getsockopt(s, NN_SOL_SOCKET, NN_SOCKET_NAME, text, &size));
    CHECK_BYTES(text, size, name, strlen(name));
}

TEST(a_name_is_the_descriptor_until_it_is_set)
{
    char number[16];
    int s = plain_socket(NN_PAIR);

    snprintf(number, sizeof number, "%d", s);
    check_name(s, number);
    CHECK_OK(nn_setsockopt(s, NN_SOL_SOCKET, NN_SOCKET_NAME, "a longer name", 13));
    check_name(s, "a longer name");
    CHECK_OK(nn_setsockopt(s, NN_SOL_SOCKET, NN_SOCKET_NAME, "short", 5));
    check_name(s, "short");
    CHECK_OK(nn_setsockopt(s, NN_SOL_SOCKET, NN_SOCKET_NAME, "", 0));
    check_name(s, "");
}

TEST(a_name_has_at_most_63_bytes)
{
    char longest[65];
    int s = plain_socket(NN_PAIR);

    memset(longest, 'n', sizeof longest);
    longest[64] = '\0';
    CHECK_OK(nn_setsockopt(s, NN_SOL_SOCKET, NN_SOCKET_NAME, "before", 6));
    CHECK_ERRNO(nn_setsockopt(s, NN_SOL_SOCKET, NN_SOCKET_NAME, longest, 64), EINVAL);
    check_name(s, "before");
    CHECK_OK(nn_setsockopt(s, NN_SOL_SOCKET, NN_SOCKET_NAME, longest, 63));
    longest[63] = '\0';
    check_name(s, longest);
}

TEST(a_name_that_does_not_fit_is_cut_and_its_length_told)
{
    char text[8] = "xxxxxxx";
    size_t size = 4;
    int s = plain_socket(NN_PAIR);

    CHECK_OK(nn_setsockopt(s, NN_SOL_SOCKET, NN_SOCKET_NAME, "abcdefgh", 8));
    CHECK_OK(nn_getsockopt(s, NN_SOL_SOCKET, NN_SOCKET_NAME, text, &size));
    CHECK_EQUAL(size, 8);
    CHECK_STRING(text, "abcdxxx");
}
