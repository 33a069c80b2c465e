/* Options that reach the operating system: what the streams of a process have, as the kernel tells it. */
#include "sockets.h"

#include <nanomsg/pair.h>
#include <nanomsg/pipeline.h>
#include <nanomsg/tcp.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#define DESCRIPTORS 256

static int kernel_option(int fd, int level, int option)
{
    int value = -1;
    socklen_t size = sizeof value;

    return getsockopt(fd, level, option, &value, &size) == 0 ? value : -1;
}

/* The connected streams of the process, both ends of each connection. Returns how many. */
static int find_streams(int streams[DESCRIPTORS])
{
    int count = 0;

    for (int fd = 3; fd < DESCRIPTORS; fd++) {
        if (kernel_option(fd, SOL_SOCKET, SO_TYPE) == SOCK_STREAM && kernel_option(fd, SOL_SOCKET, SO_ACCEPTCONN) == 0)
            streams[count++] = fd;
    }
    return count;
}

static void check_streams(int level, int option, int expected)
{
    int streams[DESCRIPTORS];
    int count = find_streams(streams);

    CHECK_EQUAL(count, 2);
    for (int i = 0; i < count; i++)
        CHECK_EQUAL(kernel_option(streams[i], level, option), expected);
}

/* Connects two sockets on which an option was set first. */
static void connect_with(const char *address, int level, int option, int value)
{
    int s = SOCKET(NN_PAIR);
    int peer = SOCKET(NN_PAIR);

    SET_INT(s, level, option, value);
    SET_INT(peer, level, option, value);
    CHECK_OK(nn_bind(s, address));
    CHECK_OK(nn_connect(peer, address));
    WAIT_PEERS(s, 1);
    WAIT_PEERS(peer, 1);
}

TEST(NN_TCP_NODELAY_0_leaves_small_packets_to_the_kernel)
{
    connect_with(test_tcp_address(), NN_TCP, NN_TCP_NODELAY, 0);
    check_streams(IPPROTO_TCP, TCP_NODELAY, 0);
}

TEST(NN_TCP_NODELAY_1_sends_small_packets_at_once)
{
    connect_with(test_tcp_address(), NN_TCP, NN_TCP_NODELAY, 1);
    check_streams(IPPROTO_TCP, TCP_NODELAY, 1);
}

TEST(NN_TCP_KEEP_options_are_those_of_each_stream)
{
    const char *address = test_tcp_address();
    int ends[2] = {SOCKET(NN_PAIR), SOCKET(NN_PAIR)};

    for (int i = 0; i < 2; i++) {
        CHECK_EQUAL(test_get_int(ends[i], NN_TCP, NN_TCP_KEEP_IDLE), 0);
        SET_INT(ends[i], NN_TCP, NN_TCP_KEEP_IDLE, 9001);
        SET_INT(ends[i], NN_TCP, NN_TCP_KEEP_INTERVAL, 2000);
        SET_INT(ends[i], NN_TCP, NN_TCP_KEEP_COUNT, 3);
    }
    CHECK_OK(nn_bind(ends[0], address));
    CHECK_OK(nn_connect(ends[1], address));
    WAIT_PEERS(ends[0], 1);
    WAIT_PEERS(ends[1], 1);
    check_streams(IPPROTO_TCP, TCP_KEEPIDLE, 10);
    check_streams(IPPROTO_TCP, TCP_KEEPINTVL, 2);
    check_streams(IPPROTO_TCP, TCP_KEEPCNT, 3);
    check_streams(IPPROTO_TCP, TCP_USER_TIMEOUT, 16000);
}

/* Linux doubles what is asked for, and tells of the double. */
#define KERNEL_BYTES(bytes) (2 * (bytes))

TEST(NN_SNDBUF_is_the_kernels_buffer_of_each_stream)
{
    connect_with(test_tcp_address(), NN_SOL_SOCKET, NN_SNDBUF, 30000);
    check_streams(SOL_SOCKET, SO_SNDBUF, KERNEL_BYTES(30000));
}

TEST(NN_RCVBUF_is_the_kernels_buffer_of_each_stream)
{
    connect_with(test_tcp_address(), NN_SOL_SOCKET, NN_RCVBUF, 30000);
    check_streams(SOL_SOCKET, SO_RCVBUF, KERNEL_BYTES(30000));
}

TEST(NN_SNDBUF_is_the_kernels_buffer_over_ipc_too)
{
    connect_with(test_ipc_address(), NN_SOL_SOCKET, NN_SNDBUF, 30000);
    check_streams(SOL_SOCKET, SO_SNDBUF, KERNEL_BYTES(30000));
}

TEST(options_that_are_set_later_leave_connections_as_they_are)
{
    const char *address = test_tcp_address();
    int s = test_socket_bound(NN_PAIR, address);
    int peer = test_socket_connected(NN_PAIR, address);

    WAIT_PEERS(s, 1);
    WAIT_PEERS(peer, 1);
    SET_INT(s, NN_TCP, NN_TCP_NODELAY, 1);
    SET_INT(peer, NN_TCP, NN_TCP_NODELAY, 1);
    check_streams(IPPROTO_TCP, TCP_NODELAY, 0);
}

/* More than a kernel allows: the engine keeps the rest. */
#define PROMISED_BYTES (24 * 1024 * 1024)

TEST_OVER_TRANSPORTS(NN_SNDBUF_is_kept_also_beyond_what_the_kernel_allows)
{
    static const uint8_t body[10000];
    const char *address = new_address();
    int pull = test_socket_bound(NN_PULL, address);
    int push = SOCKET(NN_PUSH);
    size_t accepted_bytes = 0;

    SET_INT(push, NN_SOL_SOCKET, NN_SNDBUF, PROMISED_BYTES);
    SET_INT(push, NN_SOL_SOCKET, NN_LINGER, 0);
    SET_INT(push, NN_SOL_SOCKET, NN_SNDTIMEO, 100);
    CHECK_OK(nn_connect(push, address));
    while (nn_send(push, body, sizeof body, 0) >= 0)
        accepted_bytes += sizeof body;
    CHECK_EQUAL(errno, ETIMEDOUT);
    CHECK_EQUAL(test_get_int(push, NN_SOL_SOCKET, NN_SNDBUF), PROMISED_BYTES);
    CHECK(accepted_bytes >= PROMISED_BYTES);
    CHECK(accepted_bytes < (size_t)3 * PROMISED_BYTES);

    /* Once half of it has left, the socket takes more. */
    for (size_t received = 0; received < accepted_bytes * 3 / 4; received += sizeof body)
        CHECK_EQUAL(CHECK_OK(nn_recv(pull, NULL, 0, 0)), sizeof body);
    CHECK(test_is_ready(push, NN_POLLOUT, test_deadline_ms(5000)));
}
