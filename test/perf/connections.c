/* What an idle connection costs a server: connections that only do the handshake, made of plain sockets.
 *
 *   connections <number>
 *
 * Prints how many bytes the server has allocated for each. Calls and instructions are counted from outside. */
#include <nanomsg/loop.h>
#include <nanomsg/nn.h>
#include <nanomsg/pipeline.h>

#include <arpa/inet.h>
#include <errno.h>
#include <malloc.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* Fewer than any backlog. */
#define AT_A_TIME 50
/* What a first connection makes for all is no cost of a connection. */
#define FIRST_CONNECTIONS 50

static void check(int is_good, const char *what)
{
    if (!is_good) {
        fprintf(stderr, "%s: %s\n", what, strerror(errno));
        exit(1);
    }
}

/* The clients have the other half of the descriptors. */
static void allow_descriptors(void)
{
    struct rlimit limit;

    check(getrlimit(RLIMIT_NOFILE, &limit) == 0, "getrlimit");
    limit.rlim_cur = limit.rlim_max;
    check(setrlimit(RLIMIT_NOFILE, &limit) == 0, "setrlimit");
}

static size_t allocated_bytes(void)
{
    struct mallinfo2 info = mallinfo2();

    return info.uordblks + info.hblkhd;
}

static void begin_connection(int port)
{
    static const unsigned char handshake[8] = {0, 'S', 'P', 0, 0, NN_PUSH, 0, 0};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    check(fd >= 0, "socket");
    check(connect(fd, (struct sockaddr *)&address, sizeof address) == 0, "connect");
    check(write(fd, handshake, sizeof handshake) == sizeof handshake, "write");
}

static void open_connections(int socket, int port, unsigned from, unsigned to)
{
    for (unsigned opened = from; opened < to;) {
        unsigned next = to - opened < AT_A_TIME ? to : opened + AT_A_TIME;
        while (opened < next) {
            begin_connection(port);
            opened++;
        }
        while (nn_get_statistic(socket, NN_STAT_CURRENT_CONNECTIONS) < opened)
            sched_yield();
    }
}

int main(int argc, char **argv)
{
    char address[NN_SOCKADDR_MAX];
    unsigned count = argc == 2 ? (unsigned)atoi(argv[1]) : 0;

    check(count > 0, "usage: connections <number>");
    allow_descriptors();
    int pull = nn_socket(AF_SP, NN_PULL);
    int endpoint = nn_bind(pull, "tcp://127.0.0.1:0");
    check(endpoint >= 0, "nn_bind");
    check(nn_endpoint_address(pull, endpoint, address, sizeof address) >= 0, "nn_endpoint_address");
    int port = atoi(strrchr(address, ':') + 1);
    open_connections(pull, port, 0, FIRST_CONNECTIONS);
    size_t before = allocated_bytes();
    open_connections(pull, port, FIRST_CONNECTIONS, FIRST_CONNECTIONS + count);
    printf("%zu\n", (allocated_bytes() - before) / count);
    return 0;
}
