/* nn_sendmsg and nn_recvmsg: bodies in pieces, messages that change hands, control data and its macros. */
#include "sockets.h"

#include "message/chunk.h"

#include <nanomsg/pair.h>
#include <nanomsg/pipeline.h>
#include <nanomsg/pubsub.h>
#include <nanomsg/reqrep.h>
#include <nanomsg/survey.h>

#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* A record of control data that holds a header, as users write it. */
struct header_record {
    struct nn_cmsghdr head;
    size_t length;
    uint8_t bytes[8];
};

static struct header_record header_record(size_t length, size_t record_length)
{
    struct header_record record = {
        .head = {.cmsg_len = record_length, .cmsg_level = PROTO_SP, .cmsg_type = SP_HDR},
        .length = length,
        .bytes = {1, 2, 3, 4, 5, 6, 7, 8},
    };

    return record;
}

static void open_pair(int *first, int *second, const char *address)
{
    *first = test_socket_bound(NN_PAIR, address);
    *second = test_socket_connected(NN_PAIR, address);
    WAIT_PEERS(*first, 1);
    WAIT_PEERS(*second, 1);
}

static struct nn_msghdr message_of(struct nn_iovec *pieces, int count)
{
    struct nn_msghdr header = {.msg_iov = pieces, .msg_iovlen = count};

    return header;
}

/* ---- Pieces ---- */

TEST_OVER_TRANSPORTS(pieces_are_one_message)
{
    struct nn_iovec pieces[] = {{"ab", 2}, {NULL, 0}, {"c", 1}, {"", 0}, {"defg", 4}};
    struct nn_msghdr header = message_of(pieces, COUNT_OF(pieces));
    int from;
    int to;

    open_pair(&from, &to, new_address());
    CHECK_EQUAL(CHECK_OK(nn_sendmsg(from, &header, 0)), 7);
    CHECK_RECEIVES(to, "abcdefg");
}

TEST_OVER_TRANSPORTS(a_message_is_received_in_pieces)
{
    char first[2] = "";
    char second[3] = "";
    char third[8] = "--------";
    struct nn_iovec pieces[] = {{first, sizeof first}, {NULL, 0}, {second, sizeof second}, {third, sizeof third}};
    struct nn_msghdr header = message_of(pieces, COUNT_OF(pieces));
    int from;
    int to;

    open_pair(&from, &to, new_address());
    CHECK_SENDS(from, "abcdefg");
    CHECK_EQUAL(CHECK_OK(nn_recvmsg(to, &header, 0)), 7);
    CHECK_BYTES(first, 2, "ab", 2);
    CHECK_BYTES(second, 3, "cde", 3);
    CHECK_BYTES(third, 8, "fg------", 8);
}

TEST(what_does_not_fit_into_the_pieces_is_lost_and_the_full_size_told)
{
    char room[4] = "";
    struct nn_iovec pieces[] = {{room, 1}, {room + 1, 2}};
    struct nn_msghdr header = message_of(pieces, COUNT_OF(pieces));
    int from;
    int to;

    open_pair(&from, &to, test_inproc_address());
    CHECK_SENDS(from, "abcdefg");
    CHECK_SENDS(from, "next");
    CHECK_EQUAL(CHECK_OK(nn_recvmsg(to, &header, 0)), 7);
    CHECK_BYTES(room, 4, "abc", 4);
    CHECK_RECEIVES(to, "next");
}

TEST(no_piece_at_all_is_an_empty_message)
{
    struct nn_msghdr header = message_of(NULL, 0);
    int from;
    int to;

    open_pair(&from, &to, test_inproc_address());
    CHECK_EQUAL(CHECK_OK(nn_sendmsg(from, &header, 0)), 0);
    CHECK_RECEIVES(to, "");
    CHECK_SENDS(from, "abc");
    CHECK_EQUAL(CHECK_OK(nn_recvmsg(to, &header, 0)), 3);
    CHECK_SILENT(to);
}

TEST(large_pieces_arrive_whole)
{
    static uint8_t first[300000];
    static uint8_t second[200001];
    static uint8_t room[sizeof first + sizeof second];
    struct nn_iovec pieces[] = {{first, sizeof first}, {second, sizeof second}};
    struct nn_msghdr header = message_of(pieces, COUNT_OF(pieces));
    int from;
    int to;

    for (size_t i = 0; i < sizeof first; i++)
        first[i] = (uint8_t)(i * 13);
    for (size_t i = 0; i < sizeof second; i++)
        second[i] = (uint8_t)(i * 17 + 1);
    open_pair(&from, &to, test_tcp_address());
    CHECK_EQUAL(CHECK_OK(nn_sendmsg(from, &header, 0)), sizeof room);
    CHECK_EQUAL(CHECK_OK(nn_recv(to, room, sizeof room, 0)), sizeof room);
    CHECK_BYTES(room, sizeof first, first, sizeof first);
    CHECK_BYTES(room + sizeof first, sizeof second, second, sizeof second);
}

/* ---- Messages that change hands ---- */

TEST_OVER_TRANSPORTS(an_allocated_message_is_sent_and_received_without_a_copy_by_the_user)
{
    void *message = nn_allocmsg(5, 0);
    void *received = NULL;
    struct nn_iovec sent_piece = {&message, NN_MSG};
    struct nn_iovec received_piece = {&received, NN_MSG};
    struct nn_msghdr sent = message_of(&sent_piece, 1);
    struct nn_msghdr to_receive = message_of(&received_piece, 1);
    int from;
    int to;

    open_pair(&from, &to, new_address());
    memcpy(message, "hello", 5);
    CHECK_EQUAL(CHECK_OK(nn_sendmsg(from, &sent, 0)), 5);
    CHECK_EQUAL(CHECK_OK(nn_recvmsg(to, &to_receive, 0)), 5);
    CHECK_BYTES(received, 5, "hello", 5);
    CHECK_OK(nn_freemsg(received));
}

TEST(a_message_that_is_not_sent_stays_with_its_owner)
{
    void *message = nn_allocmsg(5, 0);
    struct nn_iovec piece = {&message, NN_MSG};
    struct nn_msghdr header = message_of(&piece, 1);
    int alone = SOCKET(NN_PAIR);
    int reply = SOCKET(NN_REP);

    memcpy(message, "hello", 5);
    CHECK_ERRNO(nn_sendmsg(alone, &header, NN_DONTWAIT), EAGAIN);
    CHECK_ERRNO(nn_sendmsg(reply, &header, 0), EFSM);
    CHECK_BYTES(message, 5, "hello", 5);
    CHECK_OK(nn_freemsg(message));
}

/* ---- Errors ---- */

TEST(a_missing_description_is_EINVAL)
{
    int s = SOCKET(NN_PAIR);

    CHECK_ERRNO(nn_sendmsg(s, NULL, 0), EINVAL);
    CHECK_ERRNO(nn_recvmsg(s, NULL, 0), EINVAL);
    CHECK_ERRNO(nn_sendmsg(s + 1, NULL, 0), EBADF);
    CHECK_ERRNO(nn_recvmsg(s + 1, NULL, 0), EBADF);
}

TEST(a_negative_count_of_pieces_is_EMSGSIZE)
{
    struct nn_msghdr header = message_of(NULL, -1);
    int s = SOCKET(NN_PAIR);

    CHECK_ERRNO(nn_sendmsg(s, &header, 0), EMSGSIZE);
    CHECK_ERRNO(nn_recvmsg(s, &header, 0), EMSGSIZE);
}

TEST(memory_that_is_missing_is_EFAULT)
{
    void *nothing = NULL;
    struct nn_iovec sent[] = {{"a", 1}, {NULL, 3}};
    struct nn_iovec no_message = {&nothing, NN_MSG};
    struct nn_iovec no_place = {NULL, NN_MSG};
    struct nn_msghdr headers[] = {message_of(sent, 2), message_of(sent + 1, 1), message_of(&no_message, 1),
                                  message_of(&no_place, 1), message_of(NULL, 2)};
    int s = SOCKET(NN_PAIR);

    for (size_t i = 0; i < COUNT_OF(headers); i++)
        CHECK_ERRNO(nn_sendmsg(s, &headers[i], NN_DONTWAIT), EFAULT);
    CHECK_ERRNO(nn_recvmsg(s, &headers[1], NN_DONTWAIT), EFAULT);
    CHECK_ERRNO(nn_recvmsg(s, &headers[3], NN_DONTWAIT), EFAULT);
}

TEST(a_message_among_other_pieces_is_EINVAL_and_nothing_is_lost)
{
    char room[4];
    void *message = nn_allocmsg(2, 0);
    void *place = NULL;
    struct nn_iovec sent[] = {{"a", 1}, {&message, NN_MSG}};
    struct nn_iovec received[] = {{room, sizeof room}, {&place, NN_MSG}};
    struct nn_msghdr to_send = message_of(sent, 2);
    struct nn_msghdr to_receive = message_of(received, 2);
    int from;
    int to;

    open_pair(&from, &to, test_inproc_address());
    CHECK_ERRNO(nn_sendmsg(from, &to_send, 0), EINVAL);
    CHECK_OK(nn_freemsg(message));
    CHECK_SENDS(from, "kept");
    CHECK_ERRNO(nn_recvmsg(to, &to_receive, 0), EINVAL);
    CHECK_RECEIVES(to, "kept");
}

TEST(lengths_that_overflow_are_EINVAL)
{
    struct nn_iovec pieces[] = {{"a", SIZE_MAX - 1}, {"b", 10}};
    struct nn_msghdr header = message_of(pieces, 2);
    int s = SOCKET(NN_PAIR);

    CHECK_ERRNO(nn_sendmsg(s, &header, 0), EINVAL);
}

TEST(the_directions_of_a_type_hold_for_messages_with_control_data_too)
{
    struct nn_msghdr header = message_of(NULL, 0);
    int push = SOCKET(NN_PUSH);
    int sub = SOCKET(NN_SUB);

    CHECK_ERRNO(nn_recvmsg(push, &header, 0), ENOTSUP);
    CHECK_ERRNO(nn_sendmsg(sub, &header, 0), ENOTSUP);
}

TEST(waiting_ends_as_for_nn_send_and_nn_recv)
{
    struct nn_msghdr header = message_of(NULL, 0);
    int s = SOCKET(NN_PAIR);

    SET_INT(s, NN_SOL_SOCKET, NN_SNDTIMEO, 20);
    SET_INT(s, NN_SOL_SOCKET, NN_RCVTIMEO, 20);
    CHECK_ERRNO(nn_sendmsg(s, &header, NN_DONTWAIT), EAGAIN);
    CHECK_ERRNO(nn_recvmsg(s, &header, NN_DONTWAIT), EAGAIN);
    CHECK_ERRNO(nn_sendmsg(s, &header, 0), ETIMEDOUT);
    CHECK_ERRNO(nn_recvmsg(s, &header, 0), ETIMEDOUT);
}

/* ---- Control data that is received ---- */

TEST_OVER_TRANSPORTS(cooked_sockets_receive_an_empty_header)
{
    uint8_t control[64];
    char body[8];
    struct nn_iovec piece = {body, sizeof body};
    struct nn_msghdr header = message_of(&piece, 1);
    size_t length = 99;
    int from;
    int to;

    open_pair(&from, &to, new_address());
    memset(control, 0xee, sizeof control);
    header.msg_control = control;
    header.msg_controllen = sizeof control;
    CHECK_SENDS(from, "abc");
    CHECK_EQUAL(CHECK_OK(nn_recvmsg(to, &header, 0)), 3);

    struct nn_cmsghdr *record = NN_CMSG_FIRSTHDR(&header);
    CHECK((void *)record == control);
    CHECK_EQUAL(record->cmsg_len, NN_CMSG_SPACE(sizeof length));
    CHECK_EQUAL(record->cmsg_level, PROTO_SP);
    CHECK_EQUAL(record->cmsg_type, SP_HDR);
    memcpy(&length, NN_CMSG_DATA(record), sizeof length);
    CHECK_EQUAL(length, 0);
    CHECK(NN_CMSG_NXTHDR(&header, record) == NULL);
    CHECK_EQUAL(header.msg_controllen, sizeof control);
}

TEST(control_data_that_does_not_fit_is_left_out)
{
    uint8_t control[24];
    uint8_t untouched[24];
    struct nn_msghdr header = message_of(NULL, 0);
    int from;
    int to;

    open_pair(&from, &to, test_inproc_address());
    memset(untouched, 0xee, sizeof untouched);
    memset(control, 0xee, sizeof control);
    header.msg_control = control;
    header.msg_controllen = sizeof control - 1;
    CHECK_SENDS(from, "abc");
    CHECK_EQUAL(CHECK_OK(nn_recvmsg(to, &header, 0)), 3);
    CHECK_BYTES(control, sizeof control, untouched, sizeof untouched);

    header.msg_controllen = sizeof control;
    CHECK_SENDS(from, "abc");
    CHECK_EQUAL(CHECK_OK(nn_recvmsg(to, &header, 0)), 3);
    CHECK_EQUAL(NN_CMSG_FIRSTHDR(&header)->cmsg_len, sizeof control);
}

/* Fills with records that look real, or with something else. */
static void fill_control(uint8_t *control, size_t count, int filling)
{
    const struct nn_cmsghdr fake = {.cmsg_len = NN_CMSG_LEN((size_t)filling), .cmsg_level = 77, .cmsg_type = 88};

    memset(control, filling < 0 ? 0xff : 0, count);
    for (size_t i = 0; filling >= 0 && i + NN_CMSG_SPACE((size_t)filling) <= count; i += NN_CMSG_SPACE((size_t)filling))
        memcpy(control + i, &fake, sizeof fake);
}

TEST(nothing_behind_the_last_record_reads_as_one)
{
    static const int fillings[] = {-1, 0, 1, 8, 16, 24, 100};
    _Alignas(16) uint8_t control[256];
    struct nn_msghdr header = message_of(NULL, 0);
    int from;
    int to;

    open_pair(&from, &to, test_inproc_address());
    header.msg_control = control;
    for (size_t size = 0; size <= sizeof control; size++)
        for (size_t i = 0; i < sizeof fillings / sizeof fillings[0]; i++) {
            fill_control(control, sizeof control, fillings[i]);
            header.msg_controllen = size;
            CHECK_SENDS(from, "abc");
            CHECK_EQUAL(CHECK_OK(nn_recvmsg(to, &header, 0)), 3);
            const struct nn_cmsghdr *record = NN_CMSG_FIRSTHDR(&header);
            CHECK_EQUAL(record != NULL, size >= NN_CMSG_SPACE(sizeof(size_t)));
            if (record == NULL)
                continue;
            CHECK_EQUAL(record->cmsg_type, SP_HDR);
            CHECK(NN_CMSG_NXTHDR(&header, record) == NULL);
        }
}

TEST(control_data_can_be_received_as_memory_to_free)
{
    void *control = NULL;
    struct nn_msghdr header = message_of(NULL, 0);
    int from;
    int to;

    open_pair(&from, &to, test_inproc_address());
    header.msg_control = &control;
    header.msg_controllen = NN_MSG;
    CHECK_SENDS(from, "abc");
    CHECK_EQUAL(CHECK_OK(nn_recvmsg(to, &header, 0)), 3);

    struct nn_cmsghdr *record = NN_CMSG_FIRSTHDR(&header);
    CHECK((void *)record == control);
    CHECK_EQUAL(record->cmsg_level, PROTO_SP);
    CHECK(NN_CMSG_NXTHDR(&header, record) == NULL);
    CHECK_OK(nn_freemsg(control));
}

/* ---- Control data that is sent ---- */

static void check_header_is_sent(struct nn_msghdr *header, const void *expected, size_t length)
{
    char body[32];
    int from;
    int to;

    open_pair(&from, &to, test_inproc_address());
    CHECK_EQUAL(CHECK_OK(nn_sendmsg(from, header, 0)), 4);
    CHECK_EQUAL(CHECK_OK(nn_recv(to, body, sizeof body, 0)), length);
    CHECK_BYTES(body, length, expected, length);
}

TEST(a_header_goes_before_the_body)
{
    struct nn_iovec piece = {"body", 4};
    struct nn_msghdr header = message_of(&piece, 1);
    struct header_record record = header_record(4, NN_CMSG_SPACE(12));

    header.msg_control = &record;
    header.msg_controllen = sizeof record;
    check_header_is_sent(&header, "\1\2\3\4body", 8);
    record.head.cmsg_len = NN_CMSG_LEN(12);
    check_header_is_sent(&header, "\1\2\3\4body", 8);
}

TEST(a_header_can_follow_other_records)
{
    struct nn_iovec piece = {"body", 4};
    struct nn_msghdr header = message_of(&piece, 1);
    struct {
        struct nn_cmsghdr other;
        uint8_t data[8];
        struct header_record header;
    } records = {.other = {.cmsg_len = NN_CMSG_LEN(3), .cmsg_level = 77, .cmsg_type = 78},
                 .header = header_record(4, NN_CMSG_SPACE(12))};

    header.msg_control = &records;
    header.msg_controllen = sizeof records;
    check_header_is_sent(&header, "\1\2\3\4body", 8);
}

TEST(a_header_in_allocated_memory_is_sent_and_freed)
{
    struct nn_iovec piece = {"body", 4};
    struct nn_msghdr header = message_of(&piece, 1);
    struct header_record record = header_record(4, NN_CMSG_SPACE(12));
    void *control = nn_allocmsg(sizeof record, 0);

    memcpy(control, &record, sizeof record);
    header.msg_control = &control;
    header.msg_controllen = NN_MSG;
    check_header_is_sent(&header, "\1\2\3\4body", 8);
}

/* What a call with control data of nn_allocmsg has done. */
struct controlled_call {
    int error;
    bool has_freed;
};

/* The memory is kept alive, so that it can be asked whether it still is a message. */
static struct controlled_call send_with_control(int s, struct nn_iovec *pieces, int count, int flags)
{
    struct nn_msghdr header = message_of(pieces, count);
    struct header_record record = header_record(4, NN_CMSG_SPACE(12));
    void *control = nn_allocmsg(sizeof record, 0);
    struct nn_chunk *chunk = sp_chunk_of(control);

    memcpy(control, &record, sizeof record);
    header.msg_control = &control;
    header.msg_controllen = NN_MSG;
    sp_chunk_retain(chunk);
    int rc = nn_sendmsg(s, &header, flags);
    struct controlled_call call = {.error = rc < 0 ? nn_errno() : 0, .has_freed = sp_chunk_of(control) == NULL};
    if (!call.has_freed)
        CHECK_OK(nn_freemsg(control));
    sp_chunk_release(chunk);
    return call;
}

#define CHECK_CONTROL(call, expected_error, expected_freed)                                                            \
    do {                                                                                                               \
        struct controlled_call done = (call);                                                                          \
        CHECK_EQUAL(done.error, expected_error);                                                                       \
        CHECK_EQUAL(done.has_freed, expected_freed);                                                                   \
    } while (0)

TEST(allocated_control_data_is_freed_when_sending_fails)
{
    struct nn_iovec piece = {"body", 4};
    int alone = SOCKET(NN_PAIR);
    int timeout = 1;

    CHECK_CONTROL(send_with_control(alone, &piece, 1, NN_DONTWAIT), EAGAIN, true);
    CHECK_OK(nn_setsockopt(alone, NN_SOL_SOCKET, NN_SNDTIMEO, &timeout, sizeof timeout));
    CHECK_CONTROL(send_with_control(alone, &piece, 1, 0), ETIMEDOUT, true);
    CHECK_CONTROL(send_with_control(SOCKET(NN_REP), &piece, 1, 0), EFSM, true);
    CHECK_CONTROL(send_with_control(SOCKET(NN_PULL), &piece, 1, 0), ENOTSUP, true);
}

static void close_socket(void *s)
{
    CHECK_OK(nn_close(*(int *)s));
}

TEST(allocated_control_data_stays_with_the_caller_of_a_wrong_call)
{
    struct nn_iovec piece = {"body", 4};
    struct nn_iovec missing = {NULL, 4};
    int s = SOCKET(NN_PAIR);

    CHECK_CONTROL(send_with_control(s, &missing, 1, 0), EFAULT, false);
    CHECK_CONTROL(send_with_control(s, NULL, -1, 0), EMSGSIZE, false);
    CHECK_CONTROL(send_with_control(SOCKET(NN_REQ), &piece, 1, 0), EINVAL, false);
    CHECK_CONTROL(send_with_control(s + 100, &piece, 1, 0), EBADF, false);
}

/* The caller cannot tell it from a descriptor that was bad from the beginning. */
TEST(allocated_control_data_stays_with_a_caller_whose_socket_is_closed_meanwhile)
{
    struct nn_iovec piece = {"body", 4};
    int s = SOCKET(NN_PAIR);
    struct test_thread *closer = test_thread_start(close_socket, &s);

    CHECK_CONTROL(send_with_control(s, &piece, 1, 0), EBADF, false);
    test_thread_join(closer);
}

TEST(records_that_make_no_sense_are_passed_over)
{
    static const struct {
        size_t length;
        size_t record_length;
        size_t room;
    } cases[] = {
        {9, 32, 32},        /* more header than there is data */
        {SIZE_MAX, 32, 32}, /* likewise */
        {4, 27, 32},        /* likewise: the padding does not count */
        {4, 28, 28},        /* the record with its padding is longer than the room */
        {4, 33, 32},        /* longer than the room */
        {4, SIZE_MAX, 32},  /* likewise */
        {4, 20, 32},        /* no room for the length */
        {4, 15, 32},        /* shorter than its head */
        {0, 24, 32},        /* an empty header */
        {4, 32, 15},        /* no room for a record */
        {4, 32, 0},         /* no room at all */
    };
    struct nn_iovec piece = {"body", 4};

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct nn_msghdr header = message_of(&piece, 1);
        struct header_record record = header_record(cases[i].length, cases[i].record_length);

        header.msg_control = &record;
        header.msg_controllen = cases[i].room;
        check_header_is_sent(&header, "body", 4);
    }
}

TEST(a_type_that_makes_its_own_header_refuses_the_users)
{
    static const int types[] = {NN_REQ, NN_SURVEYOR};
    struct nn_iovec piece = {"body", 4};
    struct nn_msghdr header = message_of(&piece, 1);
    struct header_record record = header_record(4, NN_CMSG_SPACE(12));

    header.msg_control = &record;
    header.msg_controllen = sizeof record;
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        int s = SOCKET(types[i]);
        CHECK_ERRNO(nn_sendmsg(s, &header, 0), EINVAL);
        CHECK_SENDS(s, "without");
    }
}

TEST(control_data_that_is_no_message_is_EFAULT)
{
    void *nothing = NULL;
    struct nn_msghdr header = message_of(NULL, 0);
    int s = SOCKET(NN_PAIR);

    header.msg_control = &nothing;
    header.msg_controllen = NN_MSG;
    CHECK_ERRNO(nn_sendmsg(s, &header, NN_DONTWAIT), EFAULT);
}

/* ---- Macros ---- */

TEST(the_macros_reckon_with_the_size_of_a_size_t)
{
    struct nn_cmsghdr record;

    CHECK_EQUAL(NN_CMSG_ALIGN_(0), 0);
    CHECK_EQUAL(NN_CMSG_ALIGN_(1), sizeof(size_t));
    CHECK_EQUAL(NN_CMSG_ALIGN_(sizeof(size_t)), sizeof(size_t));
    CHECK_EQUAL(NN_CMSG_SPACE(0), 16);
    CHECK_EQUAL(NN_CMSG_SPACE(1), 24);
    CHECK_EQUAL(NN_CMSG_SPACE(16), 32);
    CHECK_EQUAL(NN_CMSG_LEN(0), 16);
    CHECK_EQUAL(NN_CMSG_LEN(5), 21);
    CHECK((void *)NN_CMSG_DATA(&record) == (void *)(&record + 1));
}

/* The pattern of sendmsg(2): records are written where the macros point. */
TEST(records_can_be_built_in_zeroed_memory)
{
    _Alignas(16) uint8_t control[64] = {0};
    struct nn_iovec piece = {"body", 4};
    struct nn_msghdr header = message_of(&piece, 1);
    size_t length = 4;

    header.msg_control = control;
    header.msg_controllen = sizeof control;
    struct nn_cmsghdr *record = NN_CMSG_FIRSTHDR(&header);
    CHECK((void *)record == control);
    *record = (struct nn_cmsghdr){.cmsg_len = NN_CMSG_LEN(2), .cmsg_level = 77, .cmsg_type = 1};
    record = NN_CMSG_NXTHDR(&header, record);
    CHECK((void *)record == control + 24);
    *record = (struct nn_cmsghdr){.cmsg_len = NN_CMSG_LEN(12), .cmsg_level = PROTO_SP, .cmsg_type = SP_HDR};
    memcpy(NN_CMSG_DATA(record), &length, sizeof length);
    memcpy(NN_CMSG_DATA(record) + sizeof length, "\1\2\3\4", 4);
    check_header_is_sent(&header, "\1\2\3\4body", 8);
}

TEST(the_records_of_a_buffer_are_walked_to_their_end)
{
    struct nn_cmsghdr records[4] = {{.cmsg_len = 16}, {.cmsg_len = 16}, {.cmsg_len = 0}, {.cmsg_len = 16}};
    struct nn_msghdr header = {.msg_control = records, .msg_controllen = sizeof records};

    CHECK(NN_CMSG_FIRSTHDR(&header) == &records[0]);
    CHECK(NN_CMSG_NXTHDR(&header, &records[0]) == &records[1]);
    /* Memory that is not written yet is a place for a record, but leads no further. */
    CHECK(NN_CMSG_NXTHDR(&header, &records[1]) == &records[2]);
    CHECK(NN_CMSG_NXTHDR(&header, &records[2]) == NULL);
    CHECK(NN_CMSG_NXTHDR(&header, &records[3]) == NULL);

    records[1].cmsg_len = 49;
    CHECK(NN_CMSG_NXTHDR(&header, &records[0]) == NULL);
    header.msg_controllen = 15;
    CHECK(NN_CMSG_FIRSTHDR(&header) == NULL);
    header.msg_control = NULL;
    CHECK(NN_CMSG_FIRSTHDR(&header) == NULL);
    CHECK(nn_cmsg_nxthdr_(NULL, NULL) == NULL);
}
