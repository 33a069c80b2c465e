/* Interfaces in addresses, in a network of the case's own: which address of an interface is taken, scopes of link-local
 * addresses, and whether addresses that are told can be connected to. */
#include "sockets.h"

#include <nanomsg/loop.h>
#include <nanomsg/pair.h>
#include <nanomsg/ws.h>

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* ---- The network: two interfaces that are one cable's ends ---- */

#define ADD_LINK                                                                                                       \
    "ip link add va type veth peer name vb && "                                                                        \
    "ip link set va addrgenmode none up && ip link set vb addrgenmode none up && "
#define ADD_ADDRESSES                                                                                                  \
    "ip addr add fe80::1/64 dev va nodad && ip addr add fd77::1/64 dev va nodad && ip addr add 10.77.0.1/24 dev va "   \
    "&& "                                                                                                              \
    "ip addr add fe80::2/64 dev vb nodad && ip addr add fd78::2/64 dev vb nodad && ip addr add fd77::2/64 dev vb "     \
    "nodad && "                                                                                                        \
    "ip addr add 10.78.0.2/24 dev vb && ip addr add 10.77.0.2/24 dev vb"

static bool run(const char *command)
{
    char quiet[1024];

    snprintf(quiet, sizeof quiet, "{ %s ; } >/dev/null 2>&1", command);
    return system(quiet) == 0; /* NOLINT: the commands are ours */
}

/* Returns false where the system allows no network of our own, or has no IPv6: the case is passed by. */
static bool enter_network(void)
{
    bool is_entered = unshare(CLONE_NEWNET) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0;

    if (is_entered && run("ip link set lo up && " ADD_LINK ADD_ADDRESSES))
        return true;
    const char *is_required = getenv("NN_REQUIRE_PEERS");
    if (is_required != NULL && strcmp(is_required, "1") == 0)
        FAIL("a network namespace with veth and IPv6 is required here, and iproute2: scripts/install-test-tools");
    printf("skipped: no network namespace with veth and IPv6\n");
    return false;
}

/* ---- Sockets ---- */

static int socket_of_both_families(void)
{
    int s = SOCKET(NN_PAIR);

    SET_INT(s, NN_SOL_SOCKET, NN_IPV4ONLY, 0);
    SET_INT(s, NN_SOL_SOCKET, NN_RECONNECT_IVL, 1);
    SET_INT(s, NN_SOL_SOCKET, NN_RECONNECT_IVL_MAX, 10);
    CHECK_OK(nn_socket_monitor(s, true));
    return s;
}

static void check_talk(int one, int other)
{
    CHECK_SENDS(one, "to");
    CHECK_RECEIVES(other, "to");
    CHECK_SENDS(other, "fro");
    CHECK_RECEIVES(one, "fro");
}

static struct nn_event connection_of(int s)
{
    struct nn_event event;

    do {
        CHECK_EQUAL(nn_socket_next_event(s, &event), 1);
    } while (event.type != NN_EVENT_CONNECT);
    return event;
}

static const char *address_of(int s, int endpoint)
{
    static char address[NN_EVENT_ADDRESS_BYTES];

    CHECK_OK(nn_endpoint_address(s, endpoint, address, sizeof address));
    return address;
}

static int port_of(const char *address)
{
    return atoi(strrchr(address, ':') + 1);
}

static void check_starts(const char *address, const char *start)
{
    if (strncmp(address, start, strlen(start)) != 0)
        FAIL("%s does not start with %s", address, start);
}

/* ---- Sources ---- */

/* Connects to the place, which has "%d" for the port, and checks where from. */
static void check_source(const char *place, const char *expected)
{
    char address[NN_SOCKADDR_MAX];
    int s = socket_of_both_families();
    int peer = socket_of_both_families();
    int endpoint = (int)CHECK_OK(nn_bind(s, "tcp://*:0"));

    snprintf(address, sizeof address, "tcp://%s:%d", place, port_of(address_of(s, endpoint)));
    CHECK_OK(nn_connect(peer, address));
    check_talk(peer, s);
    check_starts(connection_of(peer).local_address, expected);
    check_starts(connection_of(s).remote_address, expected);
    CHECK_OK(nn_close(s));
    CHECK_OK(nn_close(peer));
}

TEST(a_source_interface_gives_its_address_of_the_destinations_family_kind_and_network)
{
    if (!enter_network())
        return;
    check_source("vb;10.77.0.1", "tcp://10.77.0.2:");
    check_source("vb;10.78.0.2", "tcp://10.78.0.2:");
    check_source("vb;[fd77::1]", "tcp://[fd77::2]:");
    check_source("vb;[fd78::2]", "tcp://[fd78::2]:");
    check_source("vb;[::ffff:10.77.0.1]", "tcp://10.77.0.2:");
    check_source("va;[fe80::1%va]", "tcp://[fe80::1%va]:");
    check_source("va;[fe80::1]", "tcp://[fe80::1%va]:");
    check_source("[fe80::1%va];[fe80::1]", "tcp://[fe80::1%va]:");
    check_source("lo;localhost", "tcp://");
    check_source("127.0.0.1;localhost", "tcp://127.0.0.1:");
    check_source("[fd77::2%vb];[fd77::1%vb]", "tcp://[fd77::2]:"); /* scopes that say nothing */
}

TEST(ends_that_cannot_be_connected_are_refused_at_once)
{
    static const struct {
        const char *address;
        int error;
    } cases[] = {
        {"tcp://nosuch;[fd77::1]:5555", ENODEV},    {"tcp://vb4;[fd77::1]:5555", ENODEV}, /* it has IPv4 only */
        {"tcp://vb6;10.77.0.1:5555", ENODEV},       {"tcp://10.77.0.2;[fd77::1]:5555", ENODEV},
        {"tcp://[fd77::2];10.77.0.1:5555", ENODEV}, {"tcp://[fe80::1%nosuch]:5555", ENODEV},
        {"tcp://[fe80::1%99999]:5555", ENODEV},     {"tcp://[fe80::1%4294967297]:5555", ENODEV},
        {"tcp://[fe80::1%]:5555", EINVAL},          {"tcp://[fe80::1%aninterfacenameistoolong]:5555", EINVAL},
        {"tcp://[fe80::1]:5555", EINVAL},           {"tcp://[fd77::2];[fe80::1]:5555", EINVAL},
        {"tcp://va;[fe80::1%vb]:5555", EINVAL},     {"ws://vb4;[fd77::1]:5555/path", ENODEV},
        {"ws://[fe80::1]:5555/path", EINVAL},
    };

    if (!enter_network() || !run("ip link add vb4 type veth peer name vb6 && ip link set vb4 addrgenmode none up && "
                                 "ip link set vb6 addrgenmode none up && ip addr add 10.79.0.1/24 dev vb4 && "
                                 "ip addr add fd79::1/64 dev vb6 nodad"))
        return;
    int s = socket_of_both_families();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int rc = nn_connect(s, cases[i].address);
        if (rc >= 0 || nn_errno() != cases[i].error)
            FAIL("%s gives %d, %s", cases[i].address, rc, nn_strerror(nn_errno()));
    }
    SET_INT(s, NN_SOL_SOCKET, NN_IPV4ONLY, 1);
    CHECK_ERRNO(nn_connect(s, "tcp://vb6;localhost:5555"), ENODEV);
    CHECK_ERRNO(nn_bind(s, "tcp://vb6:0"), ENODEV);
    CHECK_OK(nn_connect(s, "tcp://vb4;localhost:5555"));
}

/* ---- Addresses that are told ---- */

/* Binds, connects to what the endpoint tells, and to what each end is told of the end that listens. */
static void check_round(const char *bound, const char *expected)
{
    int s = socket_of_both_families();
    int peer = socket_of_both_families();
    char address[NN_EVENT_ADDRESS_BYTES];
    char seen[2][NN_EVENT_ADDRESS_BYTES];

    strcpy(address, address_of(s, (int)CHECK_OK(nn_bind(s, bound))));
    check_starts(address, expected);
    CHECK_OK(nn_connect(peer, address));
    check_talk(s, peer);
    strcpy(seen[0], connection_of(s).local_address);
    strcpy(seen[1], connection_of(peer).remote_address);
    for (size_t i = 0; i < 2; i++) {
        CHECK_OK(nn_close(peer));
        WAIT_PEERS(s, 0);
        peer = socket_of_both_families();
        CHECK_OK(nn_connect(peer, seen[i]));
        check_talk(s, peer);
    }
    CHECK_OK(nn_close(peer));
    CHECK_OK(nn_close(s));
}

TEST(addresses_that_are_told_can_be_connected_to)
{
    if (!enter_network())
        return;
    check_round("tcp://*:0", "tcp://[::]:");
    check_round("tcp://va:0", "tcp://[fd77::1]:");
    check_round("tcp://[fd77::1]:0", "tcp://[fd77::1]:");
    check_round("tcp://fd77::1:0", "tcp://[fd77::1]:");
    check_round("tcp://[fe80::1%va]:0", "tcp://[fe80::1%va]:");
    check_round("tcp://fe80::1%va:0", "tcp://[fe80::1%va]:");
    check_round("tcp://[::ffff:10.77.0.1]:0", "tcp://10.77.0.1:");
    check_round("ws://[fe80::1%va]:0", "ws://[fe80::1%va]:");
    check_round("ws://[fe80::1%va]:0/a/path", "ws://[fe80::1%va]:");
    check_round("ws://*:0/a/path", "ws://[::]:");

    /* An interface that has IPv4 and a link-local address, and then the latter only. */
    CHECK(run("ip addr del fd77::1/64 dev va"));
    check_round("tcp://va:0", "tcp://10.77.0.1:");
    CHECK(run("ip addr del 10.77.0.1/24 dev va"));
    check_round("tcp://va:0", "tcp://[fe80::1%va]:");
    check_round("ws://va:0/path", "ws://[fe80::1%va]:");
}

TEST(an_interface_is_bound_with_IPv6_where_that_is_allowed)
{
    struct {
        int ipv4_only;
        const char *shown;
    } rows[] = {{0, "tcp://[fd77::1]:"}, {1, "tcp://10.77.0.1:"}};

    if (!enter_network())
        return;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int s = SOCKET(NN_PAIR);
        SET_INT(s, NN_SOL_SOCKET, NN_IPV4ONLY, rows[i].ipv4_only);
        check_starts(address_of(s, (int)CHECK_OK(nn_bind(s, "tcp://va:0"))), rows[i].shown);
        CHECK_OK(nn_close(s));
    }
}

TEST(an_interface_that_cannot_be_asked_for_without_descriptors_is_EMFILE)
{
    struct rlimit limit;

    if (!enter_network())
        return;
    int s = socket_of_both_families();
    CHECK_OK(getrlimit(RLIMIT_NOFILE, &limit));
    struct rlimit none = {.rlim_cur = 0, .rlim_max = limit.rlim_max};
    CHECK_OK(setrlimit(RLIMIT_NOFILE, &none));
    CHECK_ERRNO(nn_bind(s, "tcp://va:0"), EMFILE);
    CHECK_ERRNO(nn_bind(s, "tcp://[fe80::1%va]:0"), EMFILE);
    CHECK_ERRNO(nn_connect(s, "tcp://va;[fd77::1]:5555"), EMFILE);
    CHECK_ERRNO(nn_connect(s, "tcp://[fe80::1%va]:5555"), EMFILE);
    CHECK_ERRNO(nn_connect(s, "tcp://[fe80::1%va];[fe80::1]:5555"), EMFILE);
    CHECK_ERRNO(nn_connect(s, "tcp://[fe80::1%va];localhost:5555"), EMFILE);
    CHECK_ERRNO(nn_connect(s, "ws://[fe80::1%va];[fe80::1]:5555/path"), EMFILE);
    CHECK_OK(setrlimit(RLIMIT_NOFILE, &limit));
    CHECK_OK(nn_bind(s, "tcp://va:0"));
}

TEST(a_port_of_a_link_local_address_is_shared_by_path)
{
    char address[NN_EVENT_ADDRESS_BYTES + 8];

    if (!enter_network())
        return;
    int one = socket_of_both_families();
    int other = socket_of_both_families();
    strcpy(address, address_of(one, (int)CHECK_OK(nn_bind(one, "ws://[fe80::1%va]:0/one"))));
    strcpy(strstr(address, "/one"), "/other");
    CHECK_OK(nn_bind(other, address));
    int peer = socket_of_both_families();
    CHECK_OK(nn_connect(peer, address));
    check_talk(peer, other);
}

/* ---- Interfaces come and go ---- */

TEST(an_interface_that_was_made_anew_is_found_again)
{
    static const char *const places[] = {"[fe80::1%%va]:%d", "va;[fe80::1]:%d", "[fe80::1%%va];[fe80::1]:%d",
                                         "va;[fd77::1]:%d"};
    char address[NN_SOCKADDR_MAX];

    if (!enter_network())
        return;
    int s = socket_of_both_families();
    int port = port_of(address_of(s, (int)CHECK_OK(nn_bind(s, "tcp://*:0"))));
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        int peer = socket_of_both_families();
        strcpy(address, "tcp://");
        snprintf(address + 6, sizeof address - 6, places[i], port); /* NOLINT */
        int endpoint = (int)CHECK_OK(nn_connect(peer, address));
        check_talk(peer, s);
        CHECK_STRING(address_of(peer, endpoint), address);

        CHECK_OK(nn_close(s));
        WAIT_PEERS(peer, 0);
        CHECK(run("ip link del va"));
        int another = socket_of_both_families();
        CHECK_ERRNO(nn_connect(another, address), ENODEV);
        CHECK_OK(nn_close(another));
        uint64_t errors = nn_get_statistic(peer, NN_STAT_CONNECT_ERRORS);
        WAIT_STATISTIC_AT_LEAST(peer, NN_STAT_CONNECT_ERRORS, errors + 2);
        CHECK(run("ip link add dull type veth peer name other && " ADD_LINK ADD_ADDRESSES " && ip link del dull"));
        s = socket_of_both_families();
        snprintf(address, sizeof address, "tcp://*:%d", port);
        CHECK_OK(nn_bind(s, address));
        check_talk(peer, s);
        CHECK_OK(nn_close(peer));
        WAIT_PEERS(s, 0);
    }
}
