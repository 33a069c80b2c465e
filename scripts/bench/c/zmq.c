/* libzmq. */
#include "bench.h"

#include <pthread.h>
#include <zmq.h>

static void *context;

static void *open_bound(int type, const char *address)
{
    void *socket = zmq_socket(context, type);

    BENCH_CHECK(socket != NULL);
    BENCH_CHECK(zmq_bind(socket, address) == 0);
    bench_listens(address);
    return socket;
}

static void *open_connected(int type, const char *address)
{
    void *socket = zmq_socket(context, type);

    BENCH_CHECK(socket != NULL);
    BENCH_CHECK(zmq_connect(socket, address) == 0);
    return socket;
}

static void send_body(void *socket)
{
    BENCH_CHECK(zmq_send(socket, bench_body, bench_body_bytes, 0) == (int)bench_body_bytes);
}

static void receive(void *socket, zmq_msg_t *message, void (*use)(const void *, size_t))
{
    BENCH_CHECK(zmq_msg_recv(message, socket, 0) >= 0);
    use(zmq_msg_data(message), zmq_msg_size(message));
}

static void push(const char *address)
{
    void *socket = open_connected(ZMQ_PUSH, address);

    for (;;)
        send_body(socket);
}

static void pull(const char *address)
{
    void *socket = open_bound(ZMQ_PULL, address);
    zmq_msg_t message;

    zmq_msg_init(&message);
    for (;;)
        receive(socket, &message, bench_received);
}

static void req(const char *address)
{
    void *socket = open_connected(ZMQ_REQ, address);
    zmq_msg_t message;

    zmq_msg_init(&message);
    for (;;) {
        send_body(socket);
        receive(socket, &message, bench_replied);
    }
}

static void rep(const char *address)
{
    void *socket = open_bound(ZMQ_REP, address);
    zmq_msg_t message;

    zmq_msg_init(&message);
    for (;;) {
        BENCH_CHECK(zmq_msg_recv(&message, socket, 0) >= 0);
        BENCH_CHECK(zmq_msg_send(&message, socket, 0) >= 0);
    }
}

static const char *version(void)
{
    static char text[32];
    int major, minor, patch;

    zmq_version(&major, &minor, &patch);
    snprintf(text, sizeof text, "%d.%d.%d", major, minor, patch);
    return text;
}

int main(int argc, char **argv)
{
    static const struct bench_peer peer = {.version = version, .push = push, .pull = pull, .req = req, .rep = rep};

    context = zmq_ctx_new();
    return bench_main(argc, argv, &peer);
}
