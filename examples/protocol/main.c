/* Shows LATEST at work, and fails when it does not: a source that is faster than its view, and a view that comes
 * late. */
#include "latest.h"

#include <nanomsg/nn.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define VALUES 1000

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

static int open_view(const char *address)
{
    int timeout_ms = 10000;
    int view = check(nn_socket(AF_SP, LATEST_VIEW), "a view");

    check(nn_setsockopt(view, NN_SOL_SOCKET, NN_RCVTIMEO, &timeout_ms, sizeof timeout_ms), "the timeout");
    check(nn_connect(view, address), "connecting");
    return view;
}

static int receive_value(int view)
{
    int value;

    expect(check(nn_recv(view, &value, sizeof value, 0), "receiving") == sizeof value, "the length");
    return value;
}

/* Returns how many values came; the last one always does. */
static int watch_until(int view, int last)
{
    int previous = -1;
    int count = 0;

    while (previous != last) {
        int value = receive_value(view);
        expect(value > previous, "each value is newer than the one before");
        previous = value;
        count++;
    }
    return count;
}

static void show(const char *address)
{
    int missed;
    size_t size = sizeof missed;
    int source = check(nn_socket(AF_SP, LATEST_SOURCE), "a source");
    int view;
    int value = 0;

    check(nn_bind(source, address), "binding");
    check(nn_send(source, &value, sizeof value, 0), "the first value");
    view = open_view(address);
    expect(receive_value(view) == 0, "a view that comes late gets the value");

    for (value = 1; value <= VALUES; value++)
        check(nn_send(source, &value, sizeof value, 0), "sending never waits");
    int count = watch_until(view, VALUES);
    check(nn_getsockopt(view, LATEST_VIEW, LATEST_MISSED, &missed, &size), "the number of missed values");
    expect(count + missed <= VALUES, "no value comes twice");
    printf("%s: %d values were sent, %d seen, %d replaced on arrival\n", address, VALUES, count, missed);

    expect(nn_send(view, "x", 1, NN_DONTWAIT) < 0 && nn_errno() == ENOTSUP, "views do not send");
    expect(nn_setsockopt(view, LATEST_VIEW, LATEST_MISSED, &missed, size) < 0 && nn_errno() == ENOPROTOOPT,
           "the option is read-only");
    nn_close(view);
    nn_close(source);
}

int main(void)
{
    char address[64];

    check(latest_register(), "registering");
    expect(latest_register() < 0 && nn_errno() == EEXIST, "a protocol is registered once");
    show("inproc://latest");
    snprintf(address, sizeof address, "ipc:///tmp/latest-%ld", (long)getpid());
    show(address);
    nn_term();
    return 0;
}
