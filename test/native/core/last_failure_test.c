/* What a socket knows when no peer comes, without being monitored: its last failure, how often a request was sent, how
 * many subscriptions there are. */
#include "raw_peer.h"
#include "sockets.h"

#include <nanomsg/loop.h>
#include <nanomsg/pair.h>
#include <nanomsg/pipeline.h>
#include <nanomsg/pubsub.h>
#include <nanomsg/reqrep.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int quick(int protocol)
{
    int s = SOCKET(protocol);

    SET_INT(s, NN_SOL_SOCKET, NN_RECONNECT_IVL, 10);
    return s;
}

/* Waits for a failure of this errno. */
static struct nn_event failure_of(int s, int error)
{
    struct nn_event event = {0};
    int64_t deadline_ms = test_wait_deadline();

    while (CHECK_OK(nn_socket_last_failure(s, &event)) == 0 || event.error != error)
        if (test_pause(deadline_ms))
            FAIL("the last failure is %d, not %d", event.error, error);
    return event;
}

static void wait_until_forgotten(int s)
{
    struct nn_event event;
    int64_t deadline_ms = test_wait_deadline();

    while (CHECK_OK(nn_socket_last_failure(s, &event)) == 1)
        if (test_pause(deadline_ms))
            FAIL("the failure %d is not forgotten", event.error);
}

TEST(a_failed_attempt_is_remembered_until_the_endpoint_is_connected)
{
    const char *address = test_tcp_address();
    int push = quick(NN_PUSH);
    struct nn_event event;

    CHECK_EQUAL(nn_socket_last_failure(push, &event), 0);
    CHECK_OK(nn_connect(push, address));
    event = failure_of(push, ECONNREFUSED);
    CHECK_EQUAL(event.type, NN_EVENT_FAILURE);
    CHECK_STRING(event.address, address);
    CHECK_STRING(event.remote_address, address);
    CHECK(!event.is_bound && event.age_ms < 60000);

    int pull = test_socket_bound(NN_PULL, address);
    wait_until_forgotten(push);
    CHECK_OK(nn_close(push));
    CHECK_OK(nn_close(pull));
}

TEST(a_peer_of_a_wrong_type_is_remembered_on_both_sides)
{
    const char *address = test_tcp_address();
    int pull = test_socket_bound(NN_PULL, address);
    int req = quick(NN_REQ);

    CHECK_OK(nn_connect(req, address));
    CHECK_EQUAL(failure_of(req, EPROTOTYPE).type, NN_EVENT_REJECT);
    CHECK_EQUAL(failure_of(pull, EPROTOTYPE).protocol, NN_REQ);
    CHECK_OK(nn_close(req));
    CHECK_OK(nn_close(pull));
}

TEST(the_reason_that_a_server_gives_is_remembered)
{
    char value[64];
    size_t size = sizeof value;
    char address[80];
    const char *place = test_ws_address();
    int push = quick(NN_PUSH);

    snprintf(address, sizeof address, "%s/here", place);
    int pull = test_socket_bound(NN_PULL, address);
    snprintf(address, sizeof address, "%s/nowhere", place);
    CHECK_OK(nn_connect(push, address));
    failure_of(push, ECONNREFUSED);
    CHECK_OK(nn_socket_event_peer(push, NN_PEER_PROBLEM, value, &size));
    CHECK(size > 12 && memcmp(value, "HTTP/1.1 404", 12) == 0);
    CHECK_OK(nn_close(push));
    CHECK_OK(nn_close(pull));
}

TEST(a_connection_that_broke_stays_the_last_failure_of_a_socket_that_is_connected_again)
{
    static char body[2 * 1024 * 1024];
    const char *address = test_tcp_address();
    int pull = test_socket_bound(NN_PULL, address);
    int push = quick(NN_PUSH);

    CHECK_OK(nn_connect(push, address));
    CHECK_OK(nn_send(push, body, sizeof body, 0));
    struct nn_event event = failure_of(pull, EMSGSIZE);
    CHECK_EQUAL(event.type, NN_EVENT_DISCONNECT);
    CHECK_STRING(event.address, address);
    CHECK_SENDS(push, "after");
    CHECK_RECEIVES(pull, "after");
    failure_of(pull, EMSGSIZE);
    CHECK_OK(nn_close(push));
    CHECK_OK(nn_close(pull));
}

TEST(a_failed_attempt_is_forgotten_with_its_endpoint)
{
    int push = quick(NN_PUSH);
    int endpoint = CHECK_OK(nn_connect(push, test_tcp_address()));

    failure_of(push, ECONNREFUSED);
    CHECK_OK(nn_shutdown(push, endpoint));
    wait_until_forgotten(push);
    CHECK_OK(nn_close(push));
}

TEST(strangers_do_not_hide_why_this_side_cannot_connect)
{
    const char *address = test_tcp_address();
    int pair = test_socket_bound(NN_PAIR, address);

    CHECK_OK(nn_connect(pair, test_tcp_address()));
    failure_of(pair, ECONNREFUSED);
    int fd = raw_connect(address);
    raw_send(fd, "GET / HTTP/1.1\r\n\r\n", 18);
    CHECK(raw_is_closed(fd));
    struct nn_event event;
    CHECK_EQUAL(nn_socket_last_failure(pair, &event), 1);
    CHECK_EQUAL(event.error, ECONNREFUSED);
    close(fd);
    CHECK_OK(nn_close(pair));
}

TEST(wrong_arguments_are_refused)
{
    struct nn_event event;
    int pair = SOCKET(NN_PAIR);

    CHECK_ERRNO(nn_socket_last_failure(pair, NULL), EFAULT);
    CHECK_OK(nn_close(pair));
    CHECK_ERRNO(nn_socket_last_failure(pair, &event), EBADF);
}

TEST(a_request_says_how_often_it_was_sent)
{
    const char *address = test_inproc_address();
    int req = SOCKET(NN_REQ);

    CHECK_ERRNO(nn_socket_context_sent(req, 0), EINVAL);
    CHECK_SENDS(req, "question");
    CHECK_EQUAL(nn_socket_context_sent(req, 0), 0);
    CHECK_OK(nn_connect(req, address));
    for (int times = 1; times <= 3; times++) {
        int rep = test_socket_bound(NN_REP, address);
        CHECK_RECEIVES(rep, "question");
        CHECK_EQUAL(nn_socket_context_sent(req, 0), times);
        CHECK_OK(nn_close(rep));
    }
    CHECK_ERRNO(nn_socket_context_sent(req, 7), EINVAL);
    CHECK_OK(nn_close(req));
    CHECK_ERRNO(nn_socket_context_sent(req, 0), EBADF);
}

TEST(types_that_send_no_requests_say_so)
{
    int pull = SOCKET(NN_PULL);

    CHECK_ERRNO(nn_socket_context_sent(pull, 0), ENOTSUP);
    CHECK_OK(nn_close(pull));
}

static int subscriptions(int sub)
{
    int count = -1;
    size_t size = sizeof count;

    CHECK_OK(nn_getsockopt(sub, NN_SUB, NN_SUB_SUBSCRIPTIONS, &count, &size));
    return count;
}

TEST(a_sub_says_how_many_subscriptions_it_has)
{
    int sub = SOCKET(NN_SUB);
    int value = 1;

    CHECK_EQUAL(subscriptions(sub), 0);
    for (int i = 0; i < 2; i++)
        CHECK_OK(nn_setsockopt(sub, NN_SUB, NN_SUB_SUBSCRIBE, "news", 4));
    CHECK_OK(nn_setsockopt(sub, NN_SUB, NN_SUB_SUBSCRIBE, "", 0));
    CHECK_EQUAL(subscriptions(sub), 3);
    CHECK_OK(nn_setsockopt(sub, NN_SUB, NN_SUB_UNSUBSCRIBE, "news", 4));
    CHECK_OK(nn_setsockopt(sub, NN_SUB, NN_SUB_UNSUBSCRIBE, "never", 5));
    CHECK_EQUAL(subscriptions(sub), 2);
    CHECK_ERRNO(nn_setsockopt(sub, NN_SUB, NN_SUB_SUBSCRIPTIONS, &value, sizeof value), ENOPROTOOPT);
    CHECK_OK(nn_close(sub));
}
