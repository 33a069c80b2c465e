/* A program as users write it: two sockets, one message. */
#include <nanomsg/nn.h>
#include <nanomsg/pair.h>

#include <stdio.h>
#include <string.h>

int main(void)
{
    char body[8];
    int first = nn_socket(AF_SP, NN_PAIR);
    int second = nn_socket(AF_SP, NN_PAIR);

    if (nn_bind(first, "inproc://talk") < 0 || nn_connect(second, "inproc://talk") < 0 ||
        nn_send(first, "hello", 5, 0) != 5 || nn_recv(second, body, sizeof body, 0) != 5 ||
        memcmp(body, "hello", 5) != 0) {
        printf("%s\n", nn_strerror(nn_errno()));
        return 1;
    }
    nn_close(first);
    nn_close(second);
    nn_term();
    return 0;
}
