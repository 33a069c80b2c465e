/* nn_send() and nn_recv(): built once with libnanomsg, once with our engine. */
#include "bench.h"

#include <nanomsg/nn.h>
#include <nanomsg/pipeline.h>
#include <nanomsg/reqrep.h>

/* Longer messages are taken over from the library; shorter ones are cheaper to copy. */
#define MAX_COPIED_BYTES ((size_t)4 * 1024)

static uint8_t received[MAX_COPIED_BYTES];

static int open_socket(int protocol)
{
    int s = nn_socket(AF_SP, protocol);
    int no_limit = -1;

    BENCH_CHECK(s >= 0);
    BENCH_CHECK(nn_setsockopt(s, NN_SOL_SOCKET, NN_RCVMAXSIZE, &no_limit, sizeof no_limit) == 0);
    return s;
}

static int open_bound(int protocol, const char *address)
{
    int s = open_socket(protocol);

    BENCH_CHECK(nn_bind(s, address) >= 0);
    bench_listens(address);
    return s;
}

static int open_connected(int protocol, const char *address)
{
    int s = open_socket(protocol);

    BENCH_CHECK(nn_connect(s, address) >= 0);
    return s;
}

static void send_body(int s)
{
    BENCH_CHECK(nn_send(s, bench_body, bench_body_bytes, 0) == (int)bench_body_bytes);
}

static void receive(int s, void (*use)(const void *, size_t))
{
    if (bench_body_bytes <= sizeof received) {
        int count = nn_recv(s, received, sizeof received, 0);
        BENCH_CHECK(count >= 0);
        use(received, (size_t)count);
        return;
    }
    void *message;
    int count = nn_recv(s, &message, NN_MSG, 0);
    BENCH_CHECK(count >= 0);
    use(message, (size_t)count);
    nn_freemsg(message);
}

static void push(const char *address)
{
    int s = open_connected(NN_PUSH, address);

    for (;;)
        send_body(s);
}

static void pull(const char *address)
{
    int s = open_bound(NN_PULL, address);

    for (;;)
        receive(s, bench_received);
}

static void req(const char *address)
{
    int s = open_connected(NN_REQ, address);

    for (;;) {
        send_body(s);
        receive(s, bench_replied);
    }
}

static void rep(const char *address)
{
    int s = open_bound(NN_REP, address);
    void *message;

    for (;;) {
        BENCH_CHECK(nn_recv(s, &message, NN_MSG, 0) >= 0);
        BENCH_CHECK(nn_send(s, &message, NN_MSG, 0) >= 0);
    }
}

/* The library itself does not tell. */
static const char *version(void)
{
    return BENCH_VERSION;
}

int main(int argc, char **argv)
{
    static const struct bench_peer peer = {.version = version, .push = push, .pull = pull, .req = req, .rep = rep};

    return bench_main(argc, argv, &peer);
}
