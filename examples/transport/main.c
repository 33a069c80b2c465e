/* Shows packet:// at work, and fails when it does not: any pattern, messages of any size, a peer that comes later, what
 * is left at the end, a path that is taken. */
#include "packet.h"

#include <nanomsg/nn.h>
#include <nanomsg/pair.h>
#include <nanomsg/pipeline.h>
#include <nanomsg/reqrep.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char address[64];

static int check(int rc, const char *what)
{
    if (rc < 0) {
        fprintf(stderr, "%s: %s\n", what, nn_strerror(nn_errno()));
        exit(1);
    }
    return rc;
}

static void expect(int is_true, const char *what)
{
    if (!is_true) {
        fprintf(stderr, "%s is not so\n", what);
        exit(1);
    }
}

static int open_socket(int protocol)
{
    int timeout_ms = 10000;
    int no_limit = -1;
    int s = check(nn_socket(AF_SP, protocol), "a socket");

    check(nn_setsockopt(s, NN_SOL_SOCKET, NN_SNDTIMEO, &timeout_ms, sizeof timeout_ms), "the timeout");
    check(nn_setsockopt(s, NN_SOL_SOCKET, NN_RCVTIMEO, &timeout_ms, sizeof timeout_ms), "the timeout");
    check(nn_setsockopt(s, NN_SOL_SOCKET, NN_LINGER, &timeout_ms, sizeof timeout_ms), "linger");
    check(nn_setsockopt(s, NN_SOL_SOCKET, NN_RCVMAXSIZE, &no_limit, sizeof no_limit), "the limit");
    return s;
}

/* Bytes that tell where they belong. */
static void fill(unsigned char *bytes, size_t count, unsigned seed)
{
    for (size_t i = 0; i < count; i++)
        bytes[i] = (unsigned char)(seed + i * 31 + i / 251);
}

static void send_filled(int s, size_t count, unsigned seed)
{
    unsigned char *message = nn_allocmsg(count, 0);

    expect(message != NULL, "there is memory");
    fill(message, count, seed);
    check(nn_send(s, &message, NN_MSG, 0), "sending");
}

static void receive_filled(int s, size_t count, unsigned seed)
{
    unsigned char *message = NULL;
    unsigned char *wanted = malloc(count + 1);

    expect(wanted != NULL, "there is memory");
    fill(wanted, count, seed);
    expect(check(nn_recv(s, &message, NN_MSG, 0), "receiving") == (int)count, "the length");
    expect(memcmp(message, wanted, count) == 0, "the body");
    nn_freemsg(message);
    free(wanted);
}

/* Requests and replies, whose headers travel in front of the bodies. */
static void show_sizes(void)
{
    static const size_t sizes[] = {0, 1, 1000, 32763, 32764, 32765, 32768, 100000, 3000000};
    int rep = open_socket(NN_REP);
    int req = open_socket(NN_REQ);

    check(nn_bind(rep, address), "binding");
    check(nn_connect(req, address), "connecting");
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        send_filled(req, sizes[i], 1);
        receive_filled(rep, sizes[i], 1);
        send_filled(rep, sizes[i] + 7, 2);
        receive_filled(req, sizes[i] + 7, 2);
    }
    nn_close(req);
    nn_close(rep);
    printf("requests and replies up to 3000007 bytes\n");
}

/* A push that is connected before its peer is bound, fills all there is, and is closed before anything is received. */
static void show_linger(void)
{
    int count = 0;
    int at_once = 0;
    int push = open_socket(NN_PUSH);

    check(nn_connect(push, address), "connecting");
    expect(nn_send(push, "x", 1, NN_DONTWAIT) < 0 && nn_errno() == EAGAIN, "no peer is there");
    int pull = open_socket(NN_PULL);
    check(nn_bind(pull, address), "binding");
    send_filled(push, 60000, (unsigned)count++); /* waits for the connection */

    check(nn_setsockopt(push, NN_SOL_SOCKET, NN_SNDTIMEO, &at_once, sizeof at_once), "the timeout");
    for (;; count++) {
        unsigned char *message = nn_allocmsg(60000, 0);
        fill(message, 60000, (unsigned)count);
        if (nn_send(push, &message, NN_MSG, NN_DONTWAIT) < 0) {
            nn_freemsg(message);
            break;
        }
    }
    expect(nn_errno() == EAGAIN, "a pull that does not receive slows the push down");
    nn_close(push);
    for (int i = 0; i < count; i++)
        receive_filled(pull, 60000, (unsigned)i);
    nn_close(pull);
    printf("%d messages were on their way when the sender was closed\n", count);
}

static void show_pair(void)
{
    int pair = open_socket(NN_PAIR);
    int first = open_socket(NN_PAIR);
    int second = open_socket(NN_PAIR);

    check(nn_bind(pair, address), "binding");
    expect(nn_bind(second, address) < 0 && nn_errno() == EADDRINUSE, "the path is taken");
    check(nn_connect(first, address), "connecting");
    send_filled(first, 10, 1);
    receive_filled(pair, 10, 1);
    check(nn_connect(second, address), "connecting");
    nn_close(first);
    send_filled(second, 20, 2); /* comes in when the first one has gone */
    receive_filled(pair, 20, 2);
    nn_close(second);
    nn_close(pair);
    printf("a second peer waits for the first to go\n");
}

int main(void)
{
    check(packet_register(), "registering");
    expect(packet_register() < 0 && nn_errno() == EEXIST, "a transport is registered once");
    snprintf(address, sizeof address, "packet:///tmp/packet-%ld", (long)getpid());
    int s = open_socket(NN_PAIR);
    expect(nn_bind(s, "packet://") < 0 && nn_errno() == EINVAL, "an address needs a path");
    expect(nn_connect(s, "packets:///tmp/a") < 0 && nn_errno() == EPROTONOSUPPORT, "no such transport");
    nn_close(s);

    show_sizes();
    show_linger();
    show_pair();
    nn_term();
    return 0;
}
