/* A call that waits reads from its only peer by itself; no other call misses what it leaves behind. */
#include "raw_peer.h"
#include "sockets.h"

#include <nanomsg/pair.h>
#include <nanomsg/pipeline.h>

#include <poll.h>
#include <unistd.h>

struct waiting {
    int s;
    int rc;
    struct test_thread *thread;
};

static void run_waiting(void *argument)
{
    struct waiting *self = argument;
    char body[16];

    self->rc = nn_recv(self->s, body, sizeof body, 0);
}

/* The last call has waited, and its peer's descriptor is out of the loop. */
static int polled_pair(const char *address, int *peer)
{
    int s = test_socket_bound(NN_PAIR, address);

    *peer = raw_connect_admitted(address, NN_PAIR, NN_PAIR);
    for (int i = 0; i < 3; i++) {
        struct waiting waiting = {.s = s};
        waiting.thread = test_thread_start(run_waiting, &waiting);
        test_pause(test_wait_deadline());
        raw_send_message(*peer, address, "waited for", 10);
        test_thread_join(waiting.thread);
        CHECK_EQUAL(waiting.rc, 10);
    }
    return s;
}

TEST_OVER_STREAMS(polling_sees_what_comes_after_a_call_that_waited)
{
    const char *address = new_address();
    int peer;
    int s = polled_pair(address, &peer);

    raw_send_message(peer, address, "next", 4);
    CHECK(test_is_ready(s, NN_POLLIN, test_deadline_ms(5000)));
    CHECK_RECEIVES(s, "next");
    close(peer);
}

TEST_OVER_STREAMS(the_descriptor_for_others_tells_what_comes_after_a_call_that_waited)
{
    const char *address = new_address();
    int peer;
    int s = polled_pair(address, &peer);
    struct pollfd ready = {.fd = test_get_int(s, NN_SOL_SOCKET, NN_RCVFD), .events = POLLIN};

    raw_send_message(peer, address, "next", 4);
    CHECK_EQUAL(poll(&ready, 1, test_deadline_ms(5000)), 1);
    CHECK_RECEIVES(s, "next");
    close(peer);
}

TEST_OVER_STREAMS(calls_that_do_not_wait_see_what_comes_after_one_that_did)
{
    const char *address = new_address();
    int64_t deadline_ms = test_wait_deadline();
    int peer;
    int s = polled_pair(address, &peer);
    char body[16];

    raw_send_message(peer, address, "next", 4);
    while (nn_recv(s, body, sizeof body, NN_DONTWAIT) < 0)
        CHECK(errno == EAGAIN && !test_pause(deadline_ms));
    close(peer);
}

TEST_OVER_STREAMS(a_peer_that_goes_after_a_call_that_waited_is_noticed_without_a_call)
{
    const char *address = new_address();
    int peer;
    int s = polled_pair(address, &peer);

    close(peer);
    WAIT_PEERS(s, 0);
}

TEST_OVER_STREAMS(a_peer_that_goes_while_a_call_waits_makes_room_for_the_next)
{
    const char *address = new_address();
    int peer;
    struct waiting waiting = {.s = polled_pair(address, &peer)};

    waiting.thread = test_thread_start(run_waiting, &waiting);
    test_pause(test_wait_deadline());
    close(peer);
    WAIT_PEERS(waiting.s, 0);
    int next = raw_connect_admitted(address, NN_PAIR, NN_PAIR);
    raw_send_message(next, address, "from another", 12);
    test_thread_join(waiting.thread);
    CHECK_EQUAL(waiting.rc, 12);
    close(next);
}

TEST_OVER_STREAMS(shutting_down_an_endpoint_while_a_call_waits_closes_the_connection)
{
    const char *address = new_address();
    struct waiting waiting = {.s = SOCKET(NN_PAIR)};
    int endpoint = (int)CHECK_OK(nn_bind(waiting.s, address));
    int peer = raw_connect_admitted(address, NN_PAIR, NN_PAIR);

    WAIT_PEERS(waiting.s, 1);
    waiting.thread = test_thread_start(run_waiting, &waiting);
    test_pause(test_wait_deadline());
    CHECK_OK(nn_shutdown(waiting.s, endpoint));
    CHECK(raw_is_closed(peer));
    CHECK_OK(nn_close(waiting.s));
    test_thread_join(waiting.thread);
    CHECK_EQUAL(waiting.rc, -1);
    close(peer);
}

TEST_OVER_STREAMS(all_threads_that_wait_on_a_socket_get_messages)
{
    enum { THREADS = 4 };
    const char *address = new_address();
    int pull = test_socket_bound(NN_PULL, address);
    int peer = raw_connect_admitted(address, NN_PUSH, NN_PULL);
    struct waiting waiting[THREADS];

    for (int i = 0; i < THREADS; i++) {
        waiting[i] = (struct waiting){.s = pull};
        waiting[i].thread = test_thread_start(run_waiting, &waiting[i]);
    }
    for (int i = 0; i < THREADS; i++) {
        test_pause(test_wait_deadline());
        raw_send_message(peer, address, "one", 3);
    }
    for (int i = 0; i < THREADS; i++) {
        test_thread_join(waiting[i].thread);
        CHECK_EQUAL(waiting[i].rc, 3);
    }
    close(peer);
}
