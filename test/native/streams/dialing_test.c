/* Names with several addresses, some of which say nothing. getaddrinfo() is the test's own. */
#include "raw_peer.h"
#include "sockets.h"

#include "streams/dial_addresses.h"

#include <nanomsg/loop.h>
#include <nanomsg/pair.h>
#include <nanomsg/pipeline.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* Of all names; no stream can be opened to a group. */
static const char *const silent_and_living[] = {"127.0.0.2", "127.0.0.1"};
static const char *const silent_and_impossible[] = {"127.0.0.2", "224.0.0.1"};
static const char *const *addresses = silent_and_living;

static struct addrinfo *info_of(const char *text, struct addrinfo *next)
{
    struct sockaddr_storage *storage = calloc(1, sizeof *storage);
    struct addrinfo *info = calloc(1, sizeof *info);
    struct sockaddr_in *four = (struct sockaddr_in *)storage;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)storage;
    bool is_four = inet_pton(AF_INET, text, &four->sin_addr) == 1;

    if (!is_four)
        CHECK(inet_pton(AF_INET6, text, &six->sin6_addr) == 1);
    storage->ss_family = is_four ? AF_INET : AF_INET6;
    info->ai_family = storage->ss_family;
    info->ai_addr = (struct sockaddr *)storage;
    info->ai_addrlen = is_four ? sizeof *four : sizeof *six;
    info->ai_next = next;
    return info;
}

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
    (void)name;
    (void)service;
    (void)hints;
    *found = NULL;
    for (size_t i = COUNT_OF(silent_and_living); i > 0; i--)
        *found = info_of(addresses[i - 1], *found);
    return 0;
}

void freeaddrinfo(struct addrinfo *found)
{
    while (found != NULL) {
        struct addrinfo *next = found->ai_next;
        free(found->ai_addr);
        free(found);
        found = next;
    }
}

/* An address that swallows packets: it listens, and has no room for one more that is not accepted. */
struct silence {
    int listener;
    int clients[4];
};

static void silence_open(struct silence *self, const char *host, int port)
{
    struct sockaddr_in place = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int yes = 1;

    CHECK(inet_pton(AF_INET, host, &place.sin_addr) == 1);
    self->listener = (int)CHECK_OK(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    CHECK_OK(setsockopt(self->listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes));
    CHECK_OK(bind(self->listener, (struct sockaddr *)&place, sizeof place));
    CHECK_OK(listen(self->listener, 0));
    for (size_t i = 0; i < COUNT_OF(self->clients); i++) {
        self->clients[i] = (int)CHECK_OK(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        if (connect(self->clients[i], (struct sockaddr *)&place, sizeof place) < 0)
            CHECK_EQUAL(errno, EINPROGRESS);
    }
}

static void silence_close(const struct silence *self)
{
    for (size_t i = 0; i < COUNT_OF(self->clients); i++)
        close(self->clients[i]);
    close(self->listener);
}

TEST(an_address_that_says_nothing_does_not_keep_the_next_one_waiting)
{
    struct silence silence;
    char address[128];
    char own[NN_EVENT_ADDRESS_BYTES];
    int pull = test_socket_bound(NN_PULL, "tcp://127.0.0.1:0");

    CHECK_OK(nn_endpoint_address(pull, 1, own, sizeof own));
    int port = atoi(strrchr(own, ':') + 1);
    silence_open(&silence, "127.0.0.2", port);
    snprintf(address, sizeof address, "tcp://name.example:%d", port);
    int64_t start_ms = test_now_ms();
    int push = test_socket_connected(NN_PUSH, address);
    WAIT_PEERS(push, 1);
    CHECK(test_now_ms() - start_ms >= 250);
    CHECK(test_now_ms() - start_ms < 5000);
    CHECK_SENDS(push, "x");
    CHECK_RECEIVES(pull, "x");
    CHECK_EQUAL(nn_get_statistic(push, NN_STAT_ESTABLISHED_CONNECTIONS), 1);
    CHECK_OK(nn_close(push));
    silence_close(&silence);
}

/* Connects to a host whose only addresses that can be tried are those of 127.0.0.2, which says nothing. */
static void check_that_attempts_end(const char *host)
{
    struct silence silence;
    char address[128];
    char silent[128];
    char own[NN_EVENT_ADDRESS_BYTES];
    struct nn_event event;
    int pull = test_socket_bound(NN_PULL, "tcp://127.0.0.1:0");

    CHECK_OK(nn_endpoint_address(pull, 1, own, sizeof own));
    const char *port = strrchr(own, ':') + 1;
    snprintf(address, sizeof address, "tcp://%s:%s", host, port);
    snprintf(silent, sizeof silent, "tcp://127.0.0.2:%s", port);
    silence_open(&silence, "127.0.0.2", atoi(port));
    int push = test_socket_connected(NN_PUSH, address);
    int64_t deadline_ms = test_now_ms() + 20000;
    while (nn_get_statistic(push, NN_STAT_CONNECT_ERRORS) == 0)
        CHECK(!test_pause(deadline_ms));
    CHECK_EQUAL(nn_socket_last_failure(push, &event), 1);
    CHECK_EQUAL(event.error, ETIMEDOUT);
    CHECK_STRING(event.remote_address, silent);
    CHECK_OK(nn_close(push));
    silence_close(&silence);
}

TEST(an_attempt_that_nothing_answers_ends_after_ten_seconds)
{
    check_that_attempts_end("127.0.0.2");
}

TEST(an_attempt_ends_after_ten_seconds_also_when_the_last_address_fails_at_once)
{
    addresses = silent_and_impossible;
    check_that_attempts_end("name.example");
}

static void check_order(const char *const *given, size_t count, const char *const *expected)
{
    struct sp_dial_addresses taken;
    struct addrinfo *found = NULL;
    char text[INET6_ADDRSTRLEN];

    for (size_t i = count; i > 0; i--)
        found = info_of(given[i - 1], found);
    sp_dial_addresses_take(&taken, found, 5555);
    CHECK_EQUAL(taken.count, count);
    for (size_t i = 0; i < count; i++) {
        const struct sockaddr_storage *storage = &taken.list[i].storage;
        const void *bytes = storage->ss_family == AF_INET
                                ? (const void *)&((const struct sockaddr_in *)storage)->sin_addr
                                : &((const struct sockaddr_in6 *)storage)->sin6_addr;
        CHECK_STRING(inet_ntop(storage->ss_family, bytes, text, sizeof text), expected[i]);
    }
    freeaddrinfo(found);
}

TEST(families_take_turns_and_the_preferred_one_begins)
{
    check_order((const char *const[]){"::1", "::2", "::3", "10.0.0.1", "10.0.0.2"}, 5,
                (const char *const[]){"::1", "10.0.0.1", "::2", "10.0.0.2", "::3"});
    check_order((const char *const[]){"10.0.0.1", "10.0.0.2", "::1"}, 3,
                (const char *const[]){"10.0.0.1", "::1", "10.0.0.2"});
    check_order((const char *const[]){"10.0.0.1", "10.0.0.2"}, 2, (const char *const[]){"10.0.0.1", "10.0.0.2"});
    check_order((const char *const[]){"::1"}, 1, (const char *const[]){"::1"});
}

TEST(no_more_addresses_are_taken_than_there_is_room_for)
{
    struct sp_dial_addresses taken;
    struct addrinfo *found = NULL;

    for (int i = 0; i < 20; i++)
        found = info_of("10.0.0.1", found);
    sp_dial_addresses_take(&taken, found, 1);
    CHECK_EQUAL(taken.count, SP_DIAL_ADDRESSES);
    freeaddrinfo(found);
}
