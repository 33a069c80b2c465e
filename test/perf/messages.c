/* What is counted under callgrind: messages of 64 bytes through nn_send() and nn_recv() in one process.
 *
 *   messages <tcp|ipc|ws|inproc> <burst> <number of bursts>
 *
 * A burst is sent, then received.
 *
 *   messages stream <burst> <number of bursts>
 *
 * Messages of 5000 bytes, each a piece of its own, are sent over a stream of the program that takes none of them. */
#include <nanomsg/loop.h>
#include <nanomsg/nn.h>
#include <nanomsg/pipeline.h>
#include <nanomsg/stream.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void check(int is_good, const char *what)
{
    if (!is_good) {
        fprintf(stderr, "%s: %s\n", what, nn_strerror(nn_errno()));
        exit(1);
    }
}

static void send_to_stream(int count)
{
    static const unsigned char handshake[8] = {0, 'S', 'P', 0, 0, NN_PULL, 0, 0};
    static const char body[5000];
    struct nn_loop *loop = nn_loop_create(NULL);
    struct nn_stream_piece pieces[4];
    int limit_bytes = 1 << 30;

    check(loop != NULL, "nn_loop_create");
    int push = nn_loop_socket(loop, AF_SP, NN_PUSH, NULL);
    check(nn_setsockopt(push, NN_SOL_SOCKET, NN_SNDBUF, &limit_bytes, sizeof limit_bytes) == 0, "NN_SNDBUF");
    struct nn_stream *stream = nn_stream_attach(push, "memory://peer", false, NULL);
    check(stream != NULL, "nn_stream_attach");
    check(nn_stream_feed(stream, handshake, sizeof handshake) == sizeof handshake, "nn_stream_feed");
    for (int taken; (taken = nn_stream_drain(stream, pieces, 4)) > 0;) {
        for (int i = 0; i < taken; i++)
            nn_chunk_release(pieces[i].chunk);
    }
    for (int i = 0; i < count; i++)
        check(nn_send(push, body, sizeof body, NN_DONTWAIT) == sizeof body, "nn_send");
    nn_stream_release(stream);
    nn_close(push);
    nn_loop_destroy(loop);
}

static const char *address_of(const char *transport, char *ipc_address)
{
    if (strcmp(transport, "ipc") == 0)
        return ipc_address;
    return strcmp(transport, "tcp") == 0  ? "tcp://127.0.0.1:0"
           : strcmp(transport, "ws") == 0 ? "ws://127.0.0.1:0"
                                          : "inproc://messages";
}

int main(int argc, char **argv)
{
    char address[NN_SOCKADDR_MAX];
    char body[64];
    char received[sizeof body];

    check(argc == 4, "usage: messages <tcp|ipc|ws|inproc|stream> <burst> <number of bursts>");
    if (strcmp(argv[1], "stream") == 0) {
        send_to_stream(atoi(argv[2]) * atoi(argv[3]));
        return 0;
    }
    int pull = nn_socket(AF_SP, NN_PULL);
    int push = nn_socket(AF_SP, NN_PUSH);
    memset(body, 'b', sizeof body);
    snprintf(address, sizeof address, "ipc:///tmp/nn-messages-%d", (int)getpid());
    int endpoint = nn_bind(pull, address_of(argv[1], address));
    check(endpoint >= 0, "nn_bind");
    check(nn_endpoint_address(pull, endpoint, address, sizeof address) >= 0, "nn_endpoint_address");
    check(nn_connect(push, address) >= 0, "nn_connect");
    int burst = atoi(argv[2]);
    int bursts = atoi(argv[3]);
    for (int i = 0; i < bursts; i++) {
        for (int j = 0; j < burst; j++)
            check(nn_send(push, body, sizeof body, 0) == sizeof body, "nn_send");
        for (int j = 0; j < burst; j++) {
            check(nn_recv(pull, received, sizeof received, 0) == sizeof body, "nn_recv");
            check(memcmp(body, received, sizeof body) == 0, "content");
        }
    }
    nn_close(push);
    nn_close(pull);
    return 0;
}
