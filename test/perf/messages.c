/* What is counted under callgrind: messages of 64 bytes through nn_send() and nn_recv() in one process.
 *
 *   messages <tcp|inproc> <burst> <number of bursts>
 *
 * A burst is sent, then received. */
#include <nanomsg/loop.h>
#include <nanomsg/nn.h>
#include <nanomsg/pipeline.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check(int is_good, const char *what)
{
    if (!is_good) {
        fprintf(stderr, "%s: %s\n", what, nn_strerror(nn_errno()));
        exit(1);
    }
}

int main(int argc, char **argv)
{
    char address[NN_SOCKADDR_MAX];
    char body[64];
    char received[sizeof body];
    int pull = nn_socket(AF_SP, NN_PULL);
    int push = nn_socket(AF_SP, NN_PUSH);

    check(argc == 4, "usage: messages <tcp|inproc> <burst> <number of bursts>");
    memset(body, 'b', sizeof body);
    int endpoint = nn_bind(pull, strcmp(argv[1], "tcp") == 0 ? "tcp://127.0.0.1:0" : "inproc://messages");
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
