/* A program as users build it: with the installed headers and library, and what nanomsg.pc names. */
#include <nanomsg/nn.h>
#include <nanomsg/pair.h>

#include <stdio.h>
#include <string.h>

int main(void)
{
    char body[8];
    int first = nn_socket(AF_SP, NN_PAIR);
    int second = nn_socket(AF_SP, NN_PAIR);

    if (nn_bind(first, "inproc://installed") < 0 || nn_connect(second, "inproc://installed") < 0 ||
        nn_send(second, "hello", 5, 0) != 5 || nn_recv(first, body, sizeof body, 0) != 5 ||
        memcmp(body, "hello", 5) != 0) {
        fprintf(stderr, "installed: %s\n", nn_strerror(nn_errno()));
        return 1;
    }
    nn_close(second);
    nn_close(first);
    puts("installed: hello");
    return 0;
}
