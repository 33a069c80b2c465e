/* nn_forwarder: what nn_device does, piece by piece and without waiting; and what hosts hear of closing. */
#include "sockets.h"

#include <nanomsg/bus.h>
#include <nanomsg/loop.h>
#include <nanomsg/pair.h>
#include <nanomsg/pipeline.h>
#include <nanomsg/reqrep.h>

static int raw_bound(int protocol, const char *address)
{
    int s = (int)CHECK_OK(test_socket(AF_SP_RAW, protocol));

    SET_INT(s, NN_SOL_SOCKET, NN_SNDTIMEO, -1);
    SET_INT(s, NN_SOL_SOCKET, NN_RCVTIMEO, -1);
    CHECK_OK(nn_bind(s, address));
    return s;
}

static struct nn_forwarder *forwarder_between(int s1, int s2)
{
    struct nn_forwarder *forwarder = nn_forwarder_create(s1, s2);

    CHECK(forwarder != NULL);
    return forwarder;
}

static void wait_readable(int s)
{
    struct nn_pollfd entry = {.fd = s, .events = NN_POLLIN};

    CHECK_EQUAL(nn_poll(&entry, 1, 5000), 1);
}

/* Runs the forwarder once there is something to forward at `s`. */
static void forward_from(struct nn_forwarder *forwarder, int s)
{
    int wait_ms = 0;

    wait_readable(s);
    CHECK_EQUAL(nn_forwarder_run(forwarder, 100, &wait_ms), 1);
    CHECK_EQUAL(wait_ms, -1);
}

TEST_OVER_TRANSPORTS(a_forwarder_passes_requests_and_replies_when_it_is_run)
{
    const char *front_address = new_address();
    const char *back_address = new_address();
    int front = raw_bound(NN_REP, front_address);
    int back = raw_bound(NN_REQ, back_address);
    int req = test_socket_connected(NN_REQ, front_address);
    int rep = test_socket_connected(NN_REP, back_address);
    struct nn_forwarder *forwarder = forwarder_between(front, back);

    WAIT_PEERS(back, 1);
    CHECK_SENDS(req, "question");
    forward_from(forwarder, front);
    CHECK_RECEIVES(rep, "question");
    CHECK_SENDS(rep, "answer");
    forward_from(forwarder, back);
    CHECK_RECEIVES(req, "answer");
    nn_forwarder_destroy(forwarder);
}

TEST(a_forwarder_stops_at_its_budget)
{
    const char *front_address = test_inproc_address();
    int wait_ms = 0;
    int front = raw_bound(NN_PULL, front_address);
    int back = raw_bound(NN_PUSH, test_inproc_address());
    struct nn_forwarder *forwarder = forwarder_between(front, back);
    int push = test_socket_connected(NN_PUSH, front_address);
    int pull = SOCKET(NN_PULL);
    char address[NN_SOCKADDR_MAX];

    CHECK_OK(nn_endpoint_address(back, 1, address, sizeof address));
    CHECK_OK(nn_connect(pull, address));
    WAIT_PEERS(back, 1);
    for (int i = 0; i < 5; i++)
        CHECK_SENDS(push, "x");
    CHECK_EQUAL(nn_forwarder_run(forwarder, 2, &wait_ms), 2);
    CHECK_EQUAL(nn_forwarder_run(forwarder, 2, &wait_ms), 2);
    CHECK_EQUAL(nn_forwarder_run(forwarder, 2, &wait_ms), 1);
    CHECK_EQUAL(nn_forwarder_run(forwarder, 2, &wait_ms), 0);
    nn_forwarder_destroy(forwarder);
}

TEST(a_forwarder_keeps_the_message_that_no_peer_takes_yet)
{
    const char *front_address = test_inproc_address();
    const char *back_address = test_inproc_address();
    int wait_ms = 0;
    int front = raw_bound(NN_PULL, front_address);
    int back = raw_bound(NN_PUSH, back_address);
    struct nn_forwarder *forwarder = forwarder_between(front, back);
    int push = test_socket_connected(NN_PUSH, front_address);

    CHECK_SENDS(push, "kept");
    wait_readable(front);
    CHECK_EQUAL(nn_forwarder_run(forwarder, 100, &wait_ms), 0);
    int pull = test_socket_connected(NN_PULL, back_address);
    WAIT_PEERS(back, 1);
    CHECK_EQUAL(nn_forwarder_run(forwarder, 100, &wait_ms), 1);
    CHECK_RECEIVES(pull, "kept");

    CHECK_SENDS(push, "lost with the forwarder");
    nn_forwarder_destroy(forwarder);
}

TEST(a_forwarder_ends_when_a_socket_closes_or_the_time_is_up)
{
    int front = raw_bound(NN_PULL, test_inproc_address());
    int back = raw_bound(NN_PUSH, test_inproc_address());
    struct nn_forwarder *forwarder = forwarder_between(front, back);
    int wait_ms = 0;

    CHECK_OK(nn_close(back));
    CHECK_ERRNO(nn_forwarder_run(forwarder, 100, &wait_ms), EBADF);
    nn_forwarder_destroy(forwarder);

    back = raw_bound(NN_PUSH, test_inproc_address());
    SET_INT(front, NN_SOL_SOCKET, NN_RCVTIMEO, 10);
    forwarder = forwarder_between(front, back);
    CHECK_EQUAL(nn_forwarder_run(forwarder, 100, &wait_ms), 0);
    CHECK(wait_ms > 0 && wait_ms <= 10);
    CHECK_EQUAL(nn_poll(NULL, 0, wait_ms), 0);
    CHECK_ERRNO(nn_forwarder_run(forwarder, 100, &wait_ms), ETIMEDOUT);
    nn_forwarder_destroy(forwarder);
}

TEST(a_forwarder_checks_its_sockets_as_a_device)
{
    int raw = raw_bound(NN_PAIR, test_inproc_address());
    int cooked = SOCKET(NN_PAIR);

    CHECK(nn_forwarder_create(-1, -1) == NULL);
    CHECK_EQUAL(nn_errno(), EBADF);
    CHECK(nn_forwarder_create(raw, cooked) == NULL);
    CHECK_EQUAL(nn_errno(), EINVAL);
    CHECK(nn_forwarder_create(-1, cooked) == NULL);
    CHECK_EQUAL(nn_errno(), EINVAL);
    nn_forwarder_destroy(forwarder_between(raw, raw));
    nn_forwarder_destroy(forwarder_between(raw, -1));
    CHECK_OK(nn_close(raw));
    CHECK(nn_forwarder_create(raw, -1) == NULL);
    CHECK_EQUAL(nn_errno(), EBADF);
}

TEST(a_host_hears_at_once_that_another_thread_has_closed_its_socket)
{
    struct nn_loop *loop = nn_loop_create(NULL);
    int mark;
    int s = (int)CHECK_OK(nn_loop_socket(loop, AF_SP, NN_PUSH, &mark));
    void *user = NULL;
    int events = 0;

    SET_INT(s, NN_SOL_SOCKET, NN_LINGER, -1);
    CHECK_OK(nn_close(s));
    CHECK_EQUAL(nn_loop_next_ready(loop, &user, &events), 1);
    CHECK(user == &mark);
    CHECK_EQUAL(events & (NN_POLLIN | NN_POLLOUT), NN_POLLIN | NN_POLLOUT);
    nn_loop_destroy(loop);
}
