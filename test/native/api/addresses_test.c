/* Addresses: what can be bound and connected, the error of what cannot, and endpoints by their ids. */
#include "raw_peer.h"
#include "sockets.h"

#include <nanomsg/loop.h>
#include <nanomsg/pair.h>
#include <nanomsg/pipeline.h>

#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define OK 0

/* ---- Syntax ---- */

static void check_rc(const char *call, const char *address, int rc, int expected)
{
    int error = rc < 0 ? nn_errno() : OK;

    if (error != expected)
        FAIL("%s(%s) gives \"%s\", not \"%s\"", call, address, error == OK ? "ok" : nn_strerror(error),
             expected == OK ? "ok" : nn_strerror(expected));
}

TEST(every_form_of_address_is_accepted_or_has_its_errno)
{
    static const struct {
        const char *address;
        int bind_error;
        int connect_error;
    } cases[] = {
        {"", EINVAL, EINVAL},
        {"tcp", EINVAL, EINVAL},
        {"tcp:", EINVAL, EINVAL},
        {"tcp:/", EINVAL, EINVAL},
        {"inproc:/a", EINVAL, EINVAL},
        {"inproc//a", EINVAL, EINVAL},
        {"://a", EPROTONOSUPPORT, EPROTONOSUPPORT},
        {"udp://a", EPROTONOSUPPORT, EPROTONOSUPPORT},
        {"TCP://127.0.0.1:5555", EPROTONOSUPPORT, EPROTONOSUPPORT},
        {"tcp ://127.0.0.1:5555", EPROTONOSUPPORT, EPROTONOSUPPORT},
        {"tc://127.0.0.1:5555", EPROTONOSUPPORT, EPROTONOSUPPORT},
        {"tcpp://127.0.0.1:5555", EPROTONOSUPPORT, EPROTONOSUPPORT},

        {"tcp://", EINVAL, EINVAL},
        {"tcp://:", EINVAL, EINVAL},
        {"tcp://*", EINVAL, EINVAL},
        {"tcp://*:", EINVAL, EINVAL},
        {"tcp://127.0.0.1", EINVAL, EINVAL},
        {"tcp://127.0.0.1:", EINVAL, EINVAL},
        {"tcp://127.0.0.1:-1", EINVAL, EINVAL},
        {"tcp://127.0.0.1:+5555", EINVAL, EINVAL},
        {"tcp://127.0.0.1:65536", EINVAL, EINVAL},
        {"tcp://127.0.0.1:99999999999999999999", EINVAL, EINVAL},
        {"tcp://127.0.0.1:5x", EINVAL, EINVAL},
        {"tcp://127.0.0.1: 5", EINVAL, EINVAL},
        {"tcp://127.0.0.1:5555/path", EINVAL, EINVAL},
        {"tcp://:5555", ENODEV, EINVAL},
        {"tcp://*:5555", OK, EINVAL},
        {"tcp://127.0.0.1:0", OK, EINVAL},
        {"tcp://*:0", OK, EINVAL},
        {"tcp://-host:5555", ENODEV, EINVAL},
        {"tcp://a_b:5555", ENODEV, EINVAL},
        {"tcp://a..b:5555", ENODEV, EINVAL},
        {"tcp://.a:5555", ENODEV, EINVAL},
        {"tcp://a b:5555", ENODEV, EINVAL},
        {"tcp://[::1]:5555", ENODEV, EINVAL}, /* NN_IPV4ONLY is 1 */
        {"tcp://::1:5555", ENODEV, EINVAL},
        {"tcp://[::1:5555", ENODEV, EINVAL},
        {"tcp://[127.0.0.1:5555", ENODEV, EINVAL},
        {"tcp://1.2.3.4:5555", EADDRNOTAVAIL, OK},
        {"tcp://127.0.0.1;127.0.0.1:5555", ENODEV, OK},
        {"tcp://*;127.0.0.1:5555", ENODEV, OK},
        {"tcp://lo;127.0.0.1:5555", ENODEV, OK},
        {"tcp://nosuchinterface;127.0.0.1:5555", ENODEV, ENODEV},
        {"tcp://;127.0.0.1:5555", ENODEV, ENODEV},
        {"tcp://127.0.0.1;:5555", ENODEV, EINVAL},
        {"tcp://127.0.0.1:5555;", EINVAL, EINVAL},

        {"ipc:///no/such/directory/a", ENOENT, OK},
        {"ipc:///dev/null", EADDRINUSE, OK},
        {"inproc://", OK, OK},
        {"inproc://a name with / and : in it", OK, OK},
    };
    int s = SOCKET(NN_PAIR);

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int rc = nn_bind(s, cases[i].address);
        check_rc("nn_bind", cases[i].address, rc, cases[i].bind_error);
        if (rc >= 0)
            CHECK_OK(nn_shutdown(s, rc));
        rc = nn_connect(s, cases[i].address);
        check_rc("nn_connect", cases[i].address, rc, cases[i].connect_error);
        if (rc >= 0)
            CHECK_OK(nn_shutdown(s, rc));
    }
    CHECK_ERRNO(nn_bind(s, NULL), EINVAL);
    CHECK_ERRNO(nn_connect(s, NULL), EINVAL);
}

static const char *with_length(char *buffer, const char *start, size_t length)
{
    memset(buffer, 'a', length);
    memcpy(buffer, start, strlen(start));
    buffer[length] = '\0';
    return buffer;
}

TEST(an_address_has_at_most_127_bytes)
{
    static const char *const starts[] = {"inproc://", "ipc:///tmp/", "tcp://", "unknown://", "nonsense"};
    char address[1 << 12];
    int s = SOCKET(NN_PAIR);

    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        CHECK_ERRNO(nn_bind(s, with_length(address, starts[i], NN_SOCKADDR_MAX)), ENAMETOOLONG);
        CHECK_ERRNO(nn_connect(s, with_length(address, starts[i], NN_SOCKADDR_MAX)), ENAMETOOLONG);
        CHECK_ERRNO(nn_bind(s, with_length(address, starts[i], sizeof address - 1)), ENAMETOOLONG);
    }
    CHECK_OK(nn_bind(s, with_length(address, "inproc://", NN_SOCKADDR_MAX - 1)));
    int peer = test_socket_connected(NN_PAIR, address);
    CHECK_SENDS(peer, "through a long name");
    CHECK_RECEIVES(s, "through a long name");
}

/* ---- ipc ---- */

TEST(an_ipc_path_is_as_long_as_the_system_allows)
{
    char address[NN_SOCKADDR_MAX];
    int s = SOCKET(NN_PAIR);

    CHECK_ERRNO(nn_bind(s, with_length(address, "ipc:///tmp/", 6 + 108)), ENAMETOOLONG);
    CHECK_ERRNO(nn_connect(s, address), ENAMETOOLONG);

    const char *path = test_path("");
    snprintf(address, sizeof address, "ipc://%s", path);
    size_t start = strlen(address);
    with_length(address + start, "", 6 + 107 - start);
    CHECK_EQUAL(strlen(address), 6 + 107);
    CHECK_OK(nn_bind(s, address));
    int peer = test_socket_connected(NN_PAIR, address);
    CHECK_SENDS(peer, "through a long path");
    CHECK_RECEIVES(s, "through a long path");
}

TEST(a_file_that_is_no_socket_is_never_removed)
{
    const char *path = test_path("file");
    char address[NN_SOCKADDR_MAX];
    struct stat status;
    int s = SOCKET(NN_PAIR);

    close((int)CHECK_OK(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600)));
    snprintf(address, sizeof address, "ipc://%s", path);
    CHECK_ERRNO(nn_bind(s, address), EADDRINUSE);
    CHECK_OK(lstat(path, &status));
    CHECK(S_ISREG(status.st_mode));

    snprintf(address, sizeof address, "ipc://%s", test_path("."));
    CHECK_ERRNO(nn_bind(s, address), EADDRINUSE);
}

TEST(a_path_that_a_dead_process_left_can_be_bound)
{
    const char *address = test_ipc_address();
    struct stat status;

    close(raw_listen(address));
    CHECK_OK(lstat(address + 6, &status));
    int s = test_socket_bound(NN_PAIR, address);
    int peer = test_socket_connected(NN_PAIR, address);
    CHECK_SENDS(peer, "x");
    CHECK_RECEIVES(s, "x");
}

TEST(a_bound_path_is_removed_with_its_endpoint_and_only_then)
{
    const char *address = test_ipc_address();
    struct stat status;
    int s = SOCKET(NN_PAIR);
    int endpoint = (int)CHECK_OK(nn_bind(s, address));

    int peer = test_socket_connected(NN_PAIR, address);
    WAIT_PEERS(s, 1);
    CHECK_OK(nn_close(peer));
    CHECK_OK(lstat(address + 6, &status));
    CHECK_OK(nn_shutdown(s, endpoint));
    CHECK_ERRNO(lstat(address + 6, &status), ENOENT);
}

/* ---- Addresses in use ---- */

TEST_OVER_TRANSPORTS(an_address_can_be_bound_once_and_again_when_it_is_free)
{
    const char *address = new_address();
    int first = SOCKET(NN_PAIR);
    int second = SOCKET(NN_PAIR);
    int endpoint = (int)CHECK_OK(nn_bind(first, address));

    CHECK_ERRNO(nn_bind(second, address), EADDRINUSE);
    CHECK_ERRNO(nn_bind(first, address), EADDRINUSE);
    CHECK_EQUAL(nn_get_statistic(second, NN_STAT_BIND_ERRORS), 1);
    CHECK_OK(nn_shutdown(first, endpoint));
    endpoint = (int)CHECK_OK(nn_bind(second, address));
    CHECK_EQUAL(endpoint, 1); /* the failed attempt has used no number */
    CHECK_OK(nn_close(second));
    CHECK_OK(nn_bind(first, address));
}

/* ---- What an endpoint is bound to ---- */

static int port_of(int s, int endpoint, const char *start)
{
    char address[NN_SOCKADDR_MAX + 32];
    int length = (int)CHECK_OK(nn_endpoint_address(s, endpoint, address, sizeof address));

    CHECK_EQUAL(length, strlen(address));
    if (strncmp(address, start, strlen(start)) != 0)
        FAIL("bound to %s, not to %s...", address, start);
    return atoi(address + strlen(start));
}

TEST(port_0_is_replaced_by_what_the_system_chose)
{
    char address[64];
    int s = SOCKET(NN_PAIR);
    int first = port_of(s, (int)CHECK_OK(nn_bind(s, "tcp://127.0.0.1:0")), "tcp://127.0.0.1:");
    int second = port_of(s, (int)CHECK_OK(nn_bind(s, "tcp://*:0")), "tcp://0.0.0.0:");

    CHECK(first > 0 && second > 0 && first != second);
    snprintf(address, sizeof address, "tcp://127.0.0.1:%d", second);
    int peer = test_socket_connected(NN_PAIR, address);
    CHECK_SENDS(peer, "x");
    CHECK_RECEIVES(s, "x");
}

TEST(other_endpoints_tell_the_address_they_were_given)
{
    static const char *const addresses[] = {"inproc://a name", "tcp://127.0.0.1:1", "ipc:///no/such/path"};
    char address[NN_SOCKADDR_MAX];
    int s = SOCKET(NN_PAIR);

    for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
        int endpoint = (int)CHECK_OK(nn_connect(s, addresses[i]));
        CHECK_OK(nn_endpoint_address(s, endpoint, address, sizeof address));
        CHECK_STRING(address, addresses[i]);
        CHECK_ERRNO(nn_endpoint_address(s, endpoint, address, strlen(addresses[i])), EMSGSIZE);
        CHECK_OK(nn_endpoint_address(s, endpoint, address, strlen(addresses[i]) + 1));
    }
    CHECK_ERRNO(nn_endpoint_address(s, 99, address, sizeof address), EINVAL);
    CHECK_ERRNO(nn_endpoint_address(-1, 1, address, sizeof address), EBADF);
}

/* ---- Names of hosts and interfaces, IPv6 ---- */

static void check_conversation(int ipv4_only, const char *bound, const char *shown, const char *connected)
{
    char address[NN_SOCKADDR_MAX];
    int s = SOCKET(NN_PAIR);
    int peer = SOCKET(NN_PAIR);

    SET_INT(s, NN_SOL_SOCKET, NN_IPV4ONLY, ipv4_only);
    SET_INT(peer, NN_SOL_SOCKET, NN_IPV4ONLY, ipv4_only);
    int endpoint = (int)CHECK_OK(nn_bind(s, bound));
    snprintf(address, sizeof address, "%s:%d", connected, port_of(s, endpoint, shown));
    CHECK_OK(nn_connect(peer, address));
    CHECK_SENDS(peer, "to");
    CHECK_RECEIVES(s, "to");
    CHECK_SENDS(s, "fro");
    CHECK_RECEIVES(peer, "fro");
    CHECK_OK(nn_close(s));
    CHECK_OK(nn_close(peer));
}

TEST(a_host_name_can_be_bound_and_connected)
{
    check_conversation(1, "tcp://localhost:0", "tcp://127.0.0.1:", "tcp://localhost");
}

TEST(an_interface_can_be_bound_and_connected_from)
{
    check_conversation(1, "tcp://lo:0", "tcp://127.0.0.1:", "tcp://lo;127.0.0.1");
    check_conversation(1, "tcp://127.0.0.1:0", "tcp://127.0.0.1:", "tcp://127.0.0.1;localhost");
}

TEST(a_source_that_is_not_ours_is_an_error_that_is_tried_again)
{
    char address[NN_SOCKADDR_MAX];
    const char *bound = test_tcp_address();
    int peer = test_socket_bound(NN_PAIR, bound);
    int s = SOCKET(NN_PAIR);

    /* TEST-NET-1, which no machine has. */
    snprintf(address, sizeof address, "tcp://192.0.2.1;%s", bound + strlen("tcp://"));
    SET_INT(s, NN_SOL_SOCKET, NN_RECONNECT_IVL, 1);
    CHECK_OK(nn_connect(s, address));
    WAIT_STATISTIC_AT_LEAST(s, NN_STAT_CONNECT_ERRORS, 3);
    CHECK_EQUAL(nn_get_statistic(peer, NN_STAT_ACCEPTED_CONNECTIONS), 0);
}

static bool has_ipv6(void)
{
    struct ifaddrs *list;
    bool found = false;

    CHECK_OK(getifaddrs(&list));
    for (const struct ifaddrs *entry = list; entry != NULL; entry = entry->ifa_next)
        found = found || (entry->ifa_addr != NULL && entry->ifa_addr->sa_family == AF_INET6 &&
                          (entry->ifa_flags & IFF_LOOPBACK));
    freeifaddrs(list);
    return found;
}

TEST(without_NN_IPV4ONLY_both_families_can_be_used)
{
    check_conversation(0, "tcp://127.0.0.1:0", "tcp://127.0.0.1:", "tcp://127.0.0.1");
    if (!has_ipv6())
        return;
    check_conversation(0, "tcp://[::1]:0", "tcp://[::1]:", "tcp://[::1]");
    check_conversation(0, "tcp://::1:0", "tcp://[::1]:", "tcp://::1");
    check_conversation(0, "tcp://*:0", "tcp://[::]:", "tcp://[::1]");
    check_conversation(0, "tcp://*:0", "tcp://[::]:", "tcp://127.0.0.1");
    check_conversation(0, "tcp://*:0", "tcp://[::]:", "tcp://localhost");
}

/* ---- Ids ---- */

TEST_OVER_TRANSPORTS(ids_count_up_and_are_not_used_again)
{
    int s = SOCKET(NN_PUSH);

    CHECK_EQUAL(nn_bind(s, new_address()), 1);
    CHECK_EQUAL(nn_connect(s, new_address()), 2);
    CHECK_ERRNO(nn_connect(s, "nonsense"), EINVAL);
    CHECK_EQUAL(nn_bind(s, new_address()), 3);
    CHECK_OK(nn_shutdown(s, 2));
    CHECK_ERRNO(nn_shutdown(s, 2), EINVAL);
    CHECK_OK(nn_shutdown(s, 3));
    CHECK_EQUAL(nn_connect(s, new_address()), 4);
    CHECK_ERRNO(nn_shutdown(s, 0), EINVAL);
    CHECK_ERRNO(nn_shutdown(s, -1), EINVAL);
    CHECK_ERRNO(nn_shutdown(s, 5), EINVAL);
}

TEST_OVER_TRANSPORTS(shutdown_ends_the_connections_of_its_endpoint_only)
{
    const char *kept = new_address();
    const char *left = new_address();
    int s = SOCKET(NN_PULL);

    CHECK_OK(nn_bind(s, kept));
    int endpoint = (int)CHECK_OK(nn_bind(s, left));
    int one = test_socket_connected(NN_PUSH, kept);
    int other = test_socket_connected(NN_PUSH, left);
    WAIT_PEERS(s, 2);
    CHECK_OK(nn_shutdown(s, endpoint));
    WAIT_PEERS(other, 0);
    WAIT_PEERS(s, 1);
    CHECK_SENDS(one, "x");
    CHECK_RECEIVES(s, "x");
    CHECK_ERRNO(nn_send(other, "x", 1, NN_DONTWAIT), EAGAIN);
}
