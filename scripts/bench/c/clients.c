/* Clients of plain sockets, which connect and do the handshake as fast as a server lets them: the same for every
 * server.
 *
 *   clients <tcp address> <count> <what a client says, in hexadecimal> <bytes that it then hears>
 *
 * Each cycle opens `count` connections, AT_A_TIME of them at a time, keeps them all, and closes them when the last has
 * been admitted. The first cycles warm the server up; those that count have MIN_CONNECTIONS connections together. What
 * is timed is the opening. */
#include "bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define AT_A_TIME 64
#define WARM_UP_CONNECTIONS 1000
#define MIN_CONNECTIONS 10000
#define HANDSHAKE_LIMIT ((size_t)256)

struct client {
    int fd;
    size_t heard_bytes;
    bool is_connected;
};

static int epoll_fd;
static struct sockaddr_in server;
static struct client *clients;
static uint8_t handshake[HANDSHAKE_LIMIT];
static size_t handshake_bytes;
static size_t answer_bytes;

static double now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Ports are not left waiting: a reset frees them at once. */
static void client_open(struct client *self)
{
    struct linger no_linger = {.l_onoff = 1, .l_linger = 0};
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = self};

    *self = (struct client){.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)};
    BENCH_CHECK(self->fd >= 0);
    BENCH_CHECK(setsockopt(self->fd, SOL_SOCKET, SO_LINGER, &no_linger, sizeof no_linger) == 0);
    BENCH_CHECK(connect(self->fd, (struct sockaddr *)&server, sizeof server) == 0 || errno == EINPROGRESS);
    BENCH_CHECK(epoll_ctl(epoll_fd, EPOLL_CTL_ADD, self->fd, &event) == 0);
}

static void client_send_handshake(struct client *self)
{
    int error = 0;
    socklen_t error_bytes = sizeof error;

    BENCH_CHECK(getsockopt(self->fd, SOL_SOCKET, SO_ERROR, &error, &error_bytes) == 0);
    errno = error;
    BENCH_CHECK(error == 0);
    BENCH_CHECK(send(self->fd, handshake, handshake_bytes, MSG_NOSIGNAL) == (ssize_t)handshake_bytes);
    self->is_connected = true;
}

/* Returns whether the server's answer is complete now. */
static bool client_hear(struct client *self)
{
    uint8_t bytes[HANDSHAKE_LIMIT];
    ssize_t taken = recv(self->fd, bytes, answer_bytes - self->heard_bytes, 0);

    BENCH_CHECK(taken > 0 || (taken < 0 && errno == EAGAIN));
    self->heard_bytes += taken > 0 ? (size_t)taken : 0;
    return self->heard_bytes == answer_bytes;
}

static bool client_react(struct client *self, uint32_t events)
{
    if (self->heard_bytes == answer_bytes)
        return false;
    if (!self->is_connected && (events & (EPOLLOUT | EPOLLERR | EPOLLHUP)))
        client_send_handshake(self);
    return (events & EPOLLIN) && client_hear(self);
}

/* Returns the seconds from the first connect until the last handshake. */
static double open_all(size_t count)
{
    struct epoll_event events[AT_A_TIME];
    double start_s = now_s();
    size_t opened = 0;
    size_t admitted = 0;

    while (admitted < count) {
        while (opened < count && opened - admitted < AT_A_TIME)
            client_open(&clients[opened++]);
        int happened = epoll_wait(epoll_fd, events, AT_A_TIME, -1);
        BENCH_CHECK(happened > 0 || errno == EINTR);
        for (int i = 0; i < happened; i++)
            admitted += client_react(events[i].data.ptr, events[i].events);
    }
    return now_s() - start_s;
}

/* Waits until the server has closed each of them: the next cycle meets a server that has nothing else to do. */
static void close_all(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        epoll_ctl(epoll_fd, EPOLL_CTL_DEL, clients[i].fd, NULL);
        shutdown(clients[i].fd, SHUT_WR);
    }
    for (size_t i = 0; i < count; i++) {
        struct timeval limit = {.tv_sec = 5};
        uint8_t rest[HANDSHAKE_LIMIT];
        int flags = fcntl(clients[i].fd, F_GETFL);

        fcntl(clients[i].fd, F_SETFL, flags & ~O_NONBLOCK);
        setsockopt(clients[i].fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        while (recv(clients[i].fd, rest, sizeof rest, 0) > 0)
            ;
        close(clients[i].fd);
    }
}

static void parse_handshake(const char *hexadecimal)
{
    handshake_bytes = strlen(hexadecimal) / 2;
    BENCH_CHECK(handshake_bytes <= sizeof handshake);
    for (size_t i = 0; i < handshake_bytes; i++) {
        const char digits[3] = {hexadecimal[2 * i], hexadecimal[2 * i + 1], 0};
        handshake[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fprintf(stderr, "usage: %s <tcp address> <count> <handshake in hexadecimal> <bytes to hear>\n", argv[0]);
        return 2;
    }
    size_t count = strtoul(argv[2], NULL, 10);
    parse_handshake(argv[3]);
    answer_bytes = strtoul(argv[4], NULL, 10);
    server = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(strrchr(argv[1], ':') + 1))};
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    BENCH_CHECK(count > 0 && answer_bytes > 0 && answer_bytes <= HANDSHAKE_LIMIT);
    bench_allow_descriptors();
    clients = calloc(count > WARM_UP_CONNECTIONS ? count : WARM_UP_CONNECTIONS, sizeof *clients);
    epoll_fd = epoll_create1(0);
    BENCH_CHECK(clients != NULL && epoll_fd >= 0);

    double opening_s = 0;
    size_t counted = 0;
    open_all(WARM_UP_CONNECTIONS);
    close_all(WARM_UP_CONNECTIONS);
    for (; counted < MIN_CONNECTIONS; counted += count) {
        opening_s += open_all(count);
        close_all(count);
    }
    printf("{\"connectionsPerSecond\":%.1f}\n", (double)counted / opening_s);
    return 0;
}
