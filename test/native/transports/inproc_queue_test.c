/* How much an inproc connection holds: NN_RCVBUF bytes of the receiver, and one message more. */
#include "sockets.h"

#include <nanomsg/pair.h>
#include <nanomsg/pipeline.h>

#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define LARGEST_BYTES (300 * 1024)

struct ends {
    int sender;
    int receiver;
};

static struct ends connect_with_queue(int sends, int receives, int queue_bytes)
{
    const char *address = test_inproc_address();
    struct ends ends = {.sender = SOCKET(sends), .receiver = SOCKET(receives)};

    SET_INT(ends.receiver, NN_SOL_SOCKET, NN_RCVBUF, queue_bytes);
    CHECK_OK(nn_bind(ends.receiver, address));
    CHECK_OK(nn_connect(ends.sender, address));
    WAIT_PEERS(ends.sender, 1);
    WAIT_PEERS(ends.receiver, 1);
    return ends;
}

static int send_until_full(int s, int message_bytes)
{
    static const char body[LARGEST_BYTES];
    int count = 0;

    while (nn_send(s, body, (size_t)message_bytes, NN_DONTWAIT) == message_bytes)
        count++;
    CHECK_EQUAL(nn_errno(), EAGAIN);
    return count;
}

static void receive_bytes(int s, int message_bytes)
{
    CHECK_EQUAL(nn_recv(s, NULL, 0, 0), message_bytes);
}

TEST(a_queue_without_a_size_set_holds_17_messages_of_any_size)
{
    const char *address = test_inproc_address();
    int receiver = test_socket_bound(NN_PULL, address);
    int sender = test_socket_connected(NN_PUSH, address);

    WAIT_PEERS(sender, 1);
    WAIT_PEERS(receiver, 1);
    for (int round = 0; round < 2; round++) {
        CHECK_EQUAL(send_until_full(sender, LARGEST_BYTES), 17);
        for (int i = 0; i < 17; i++)
            receive_bytes(receiver, LARGEST_BYTES);
        CHECK_EQUAL(nn_send(sender, "there is room again", 19, 0), 19);
        receive_bytes(receiver, 19);
    }
}

TEST(a_queue_holds_the_bytes_of_NN_RCVBUF_and_one_message_more)
{
    static const struct {
        int queue_bytes;
        int message_bytes;
        int count;
    } cases[] = {
        {200, 1, 200},      {200, 9, 23},
        {200, 10, 20},      {200, 11, 19},
        {200, 50, 4},       {200, 99, 3},
        {200, 100, 2},      {200, 199, 2},
        {200, 200, 2},      {200, 300, 2},
        {1, 1, 2},          {131072, 1, 131072},
        {131072, 65536, 2}, {131072, LARGEST_BYTES, 2},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct ends ends = connect_with_queue(NN_PUSH, NN_PULL, cases[i].queue_bytes);
        int count = send_until_full(ends.sender, cases[i].message_bytes);
        if (count != cases[i].count)
            FAIL("%d bytes take %d messages of %d bytes, not %d", cases[i].queue_bytes, count, cases[i].message_bytes,
                 cases[i].count);
        for (int j = 0; j < count; j++)
            receive_bytes(ends.receiver, cases[i].message_bytes);
        CHECK_OK(nn_close(ends.sender));
        CHECK_OK(nn_close(ends.receiver));
    }
}

TEST(an_empty_message_counts_as_one_byte)
{
    struct ends ends = connect_with_queue(NN_PAIR, NN_PAIR, 10);

    CHECK_EQUAL(send_until_full(ends.sender, 0), 10);
    for (int i = 0; i < 10; i++)
        receive_bytes(ends.receiver, 0);
}

TEST(each_message_that_is_taken_from_a_small_queue_lets_another_one_in)
{
    struct ends ends = connect_with_queue(NN_PAIR, NN_PAIR, 200);

    CHECK_EQUAL(send_until_full(ends.sender, 10), 20);
    for (int i = 0; i < 50; i++) {
        receive_bytes(ends.receiver, 10);
        CHECK_SENDS(ends.sender, "0123456789"); /* waits for the room if need be */
        CHECK_ERRNO(nn_send(ends.sender, "x", 1, NN_DONTWAIT), EAGAIN);
    }
}

TEST(a_large_queue_lets_others_in_when_half_of_it_is_gone)
{
    struct ends ends = connect_with_queue(NN_PAIR, NN_PAIR, 100000);

    CHECK_EQUAL(send_until_full(ends.sender, 1000), 100);
    for (int i = 0; i < 49; i++)
        receive_bytes(ends.receiver, 1000);
    CHECK_ERRNO(nn_send(ends.sender, "x", 1, NN_DONTWAIT), EAGAIN);
    receive_bytes(ends.receiver, 1000);
    CHECK_SENDS(ends.sender, "goes on");
}

TEST(a_header_counts)
{
    const char *address = test_inproc_address();
    int sender = (int)CHECK_OK(test_socket(AF_SP_RAW, NN_PAIR));
    int receiver = SOCKET(NN_PAIR);
    unsigned char header[NN_CMSG_SPACE(sizeof(size_t) + 4)] = {0};
    struct nn_cmsghdr *record = (struct nn_cmsghdr *)(void *)header;
    struct nn_iovec body = {.iov_base = "123456", .iov_len = 6};
    struct nn_msghdr message = {&body, 1, header, sizeof header};
    size_t header_bytes = 4;
    int count = 0;

    *record = (struct nn_cmsghdr){.cmsg_len = sizeof header, .cmsg_level = PROTO_SP, .cmsg_type = SP_HDR};
    memcpy(NN_CMSG_DATA(record), &header_bytes, sizeof header_bytes);

    SET_INT(receiver, NN_SOL_SOCKET, NN_RCVBUF, 100);
    CHECK_OK(nn_bind(receiver, address));
    CHECK_OK(nn_connect(sender, address));
    WAIT_PEERS(sender, 1);
    while (nn_sendmsg(sender, &message, NN_DONTWAIT) == 6)
        count++;
    CHECK_EQUAL(count, 10);
}
