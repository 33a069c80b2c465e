/* Loops that a program drives by itself: one descriptor to poll, readiness, and the end. */
#include "hosted_loop.h"
#include "raw_peer.h"

#include <nanomsg/limits.h>
#include <nanomsg/pair.h>
#include <nanomsg/pipeline.h>
#include <nanomsg/reqrep.h>
#include <nanomsg/survey.h>

#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

/* ---- Making ---- */

TEST(a_loop_without_work_is_quiet)
{
    struct host host;

    host_open(&host, NULL);
    CHECK(nn_loop_descriptor(host.loop) >= 0);
    CHECK(!host_is_readable(&host, 30));
    CHECK_EQUAL(nn_loop_run(host.loop, 10), 0);
    struct guest guest = {0};
    guest_open(&guest, &host, NN_PULL);
    CHECK_OK(nn_bind(guest.s, test_tcp_address()));
    host_run_all(&host);
    CHECK(!host_is_readable(&host, 30));
    host_close(&host);
}

TEST(sockets_of_a_loop_have_the_errors_of_nn_socket)
{
    struct host host;

    host_open(&host, NULL);
    CHECK_ERRNO(nn_loop_socket(NULL, AF_SP, NN_PAIR, NULL), EINVAL);
    CHECK_ERRNO(nn_loop_socket(host.loop, AF_SP, 1, NULL), EINVAL);
    CHECK_ERRNO(nn_loop_socket(host.loop, 77, NN_PAIR, NULL), EAFNOSUPPORT);
    host_close(&host);
}

TEST(after_termination_a_loop_gets_no_socket)
{
    struct host host;

    host_open(&host, NULL);
    CHECK_OK(nn_loop_socket(host.loop, AF_SP, NN_PAIR, NULL));
    nn_term();
    CHECK_ERRNO(nn_loop_socket(host.loop, AF_SP, NN_PAIR, NULL), ETERM);
    host_close(&host);
}

/* ---- Waiting ---- */

TEST(a_loop_can_be_waited_for_without_running_it)
{
    const char *address = test_tcp_address();
    struct host host;
    struct guest pair = {0};
    int peer = SOCKET(NN_PAIR);

    host_open(&host, NULL);
    guest_open(&pair, &host, NN_PAIR);
    CHECK_OK(nn_bind(pair.s, address));
    host_run_all(&host);
    CHECK_EQUAL(nn_loop_wait(host.loop, 30), 0);
    CHECK_OK(nn_connect(peer, address));
    CHECK_EQUAL(nn_loop_wait(host.loop, test_default_deadline_ms()), 1);
    CHECK_EQUAL(pair.out, 0);
    CHECK_EQUAL(nn_loop_wait(host.loop, 0), 1); /* nothing was taken */
    HOST_RUN_UNTIL(&host, pair.out == 1);
    host_close(&host);
}

static void wake_loop(void *loop)
{
    nn_loop_wake(loop);
}

TEST(waiting_ends_when_another_thread_wakes_the_loop)
{
    struct host host;

    host_open(&host, NULL);
    struct test_thread *thread = test_thread_start(wake_loop, host.loop);
    CHECK_EQUAL(nn_loop_wait(host.loop, -1), 1);
    test_thread_join(thread);
    CHECK_EQUAL(nn_loop_wait(host.loop, -1), 1); /* until the loop is run */
    CHECK_EQUAL(nn_loop_run(host.loop, 10), 0);
    CHECK_EQUAL(nn_loop_wait(host.loop, 30), 0);
    host_close(&host);
}

/* ---- Readiness ---- */

/* A host with a PUSH and a PULL that connects to it. */
static void open_connected(struct host *host, struct guest *push, struct guest *pull, const char *address)
{
    host_open(host, NULL);
    guest_open(push, host, NN_PUSH);
    guest_open(pull, host, NN_PULL);
    CHECK_OK(nn_bind(push->s, address));
    CHECK_OK(nn_connect(pull->s, address));
    HOST_RUN_UNTIL(host, push->out == 1);
}

TEST_OVER_TRANSPORTS(readiness_is_reported_with_the_users_pointer)
{
    const char *address = new_address();
    struct host host;
    struct guest push = {0};
    struct guest pull = {0};

    open_connected(&host, &push, &pull, address);
    CHECK_EQUAL(pull.in, 0);
    GUEST_SENDS(&push, "hello");
    HOST_RUN_UNTIL(&host, pull.in == 1);
    GUEST_RECEIVES(&pull, "hello");
    CHECK_EQUAL(push.in + pull.out + push.closed + pull.closed, 0);
    host_close(&host);
}

TEST_OVER_TRANSPORTS(a_socket_is_reported_again_only_when_its_readiness_has_risen_again)
{
    const char *address = new_address();
    struct host host;
    struct guest push = {0};
    struct guest pull = {0};

    open_connected(&host, &push, &pull, address);
    GUEST_SENDS(&push, "first");
    HOST_RUN_UNTIL(&host, pull.in == 1);
    GUEST_SENDS(&push, "second");
    host_run_all(&host);
    CHECK_EQUAL(pull.in, 1); /* it was readable already */
    CHECK(!host_is_readable(&host, 0));
    GUEST_RECEIVES(&pull, "first");
    guest_receives_soon(&host, &pull, "second");
    GUEST_RECEIVES_NOTHING(&pull);
    int before = pull.in;
    GUEST_SENDS(&push, "third");
    HOST_RUN_UNTIL(&host, pull.in == before + 1);
    GUEST_RECEIVES(&pull, "third");
    host_close(&host);
}

/* A host with a REP and a REQ of the engine, whose question has been reported and not been received yet. */
static int open_asked(struct host *host, struct guest *rep)
{
    char address[NN_SOCKADDR_MAX];
    int req = SOCKET(NN_REQ);

    host_open(host, NULL);
    guest_open(rep, host, NN_REP);
    int endpoint = (int)CHECK_OK(nn_bind(rep->s, "tcp://127.0.0.1:0"));
    CHECK(nn_endpoint_address(rep->s, endpoint, address, sizeof address) > 0);
    CHECK_OK(nn_connect(req, address));
    CHECK_EQUAL(nn_send(req, "question", 8, 0), 8);
    HOST_RUN_UNTIL(host, rep->in == 1);
    host_run_all(host);
    return req;
}

TEST(receiving_a_question_does_not_wake_the_host_that_is_about_to_answer_it)
{
    struct host host;
    struct guest rep = {0};
    struct nn_received received;
    struct nn_outgoing answer = {.body = "answer", .body_bytes = 6};
    char body[8];

    int req = open_asked(&host, &rep);
    CHECK(!host_is_readable(&host, 0));
    CHECK_EQUAL(nn_socket_receive_batch(rep.s, &received, 1), 1);
    nn_chunk_release(received.chunk);
    CHECK(!host_is_readable(&host, 0));
    CHECK_EQUAL(nn_socket_send_batch(rep.s, &answer, 1, 0), 1);
    CHECK_EQUAL(nn_recv(req, body, sizeof body, 0), 6);

    nn_loop_run(host.loop, 64);
    host_dispatch(&host);
    CHECK_EQUAL(rep.out, 1);
    CHECK_OK(nn_close(req));
    host_close(&host);
}

TEST(a_host_whose_answer_was_refused_is_woken_when_receiving_a_question_makes_it_possible)
{
    struct host host;
    struct guest rep = {0};
    struct nn_received received;
    struct nn_outgoing answer = {.body = "answer", .body_bytes = 6};

    int req = open_asked(&host, &rep);
    CHECK_ERRNO(nn_socket_send_batch(rep.s, &answer, 1, 0), EFSM);
    CHECK(!host_is_readable(&host, 0));
    CHECK_EQUAL(nn_socket_receive_batch(rep.s, &received, 1), 1);
    nn_chunk_release(received.chunk);
    CHECK(host_is_readable(&host, 0));
    HOST_RUN_UNTIL(&host, rep.out == 1);
    CHECK_OK(nn_close(req));
    host_close(&host);
}

TEST(what_is_left_of_a_budget_keeps_the_descriptor_readable)
{
    enum { PEERS = 10 };
    const char *address = test_tcp_address();
    struct host host;
    struct guest pulls[PEERS] = {0};
    struct guest push = {0};
    int turns = 0;

    host_open(&host, NULL);
    guest_open(&push, &host, NN_PUSH);
    CHECK_OK(nn_bind(push.s, address));
    for (int i = 0; i < PEERS; i++) {
        guest_open(&pulls[i], &host, NN_PULL);
        CHECK_OK(nn_connect(pulls[i].s, address));
    }
    HOST_RUN_UNTIL(&host, nn_get_statistic(push.s, NN_STAT_CURRENT_CONNECTIONS) == PEERS);
    host_run_all(&host);
    for (int i = 0; i < PEERS; i++)
        GUEST_SENDS(&push, "one for each");
    while (guests_in(pulls, PEERS) < PEERS) {
        int before = guests_in(pulls, PEERS);
        CHECK(host_is_readable(&host, test_deadline_ms(8000)));
        CHECK(nn_loop_run(host.loop, 1) <= 1);
        host_dispatch(&host);
        CHECK(guests_in(pulls, PEERS) <= before + 1);
        turns++;
    }
    CHECK(turns >= PEERS);
    host_close(&host);
}

TEST(deadlines_make_the_descriptor_readable)
{
    struct host host;
    struct guest surveyor = {0};
    struct nn_received received;

    host_open(&host, NULL);
    guest_open(&surveyor, &host, NN_SURVEYOR);
    SET_INT(surveyor.s, NN_SURVEYOR, NN_SURVEYOR_DEADLINE, 40);
    int64_t start_ms = test_now_ms();
    GUEST_SENDS(&surveyor, "is anybody there?");
    host_run_all(&host);
    while (nn_socket_receive_batch(surveyor.s, &received, 1) < 0 && nn_errno() == EAGAIN) {
        CHECK(host_is_readable(&host, test_deadline_ms(8000)));
        host_turn(&host, 0);
    }
    CHECK_EQUAL(nn_errno(), ETIMEDOUT);
    CHECK(test_now_ms() - start_ms >= 39);
    host_close(&host);
}

TEST_OVER_STREAMS(a_connection_is_tried_again_by_the_loop)
{
    const char *address = new_address();
    struct host host;
    struct guest push = {0};

    host_open(&host, NULL);
    guest_open(&push, &host, NN_PUSH);
    SET_INT(push.s, NN_SOL_SOCKET, NN_RECONNECT_IVL, 10);
    CHECK_OK(nn_connect(push.s, address));
    HOST_RUN_UNTIL(&host, nn_get_statistic(push.s, NN_STAT_CONNECT_ERRORS) >= 3);
    int pull = test_socket_bound(NN_PULL, address);
    HOST_RUN_UNTIL(&host, push.out == 1);
    GUEST_SENDS(&push, "x");
    CHECK_RECEIVES(pull, "x");
    host_close(&host);
}

/* ---- Other threads ---- */

struct sender {
    int s;
    const char *address;
    int count;
};

static void run_sender(void *argument)
{
    struct sender *self = argument;

    if (self->address != NULL)
        CHECK_OK(nn_connect(self->s, self->address));
    for (int i = 0; i < self->count; i++)
        CHECK_SENDS(self->s, "from a thread");
}

TEST_OVER_TRANSPORTS(sockets_of_the_engine_and_of_a_loop_talk_to_each_other)
{
    enum { MESSAGES = 500 };
    const char *address = new_address();
    struct host host;
    struct guest pull = {0};

    host_open(&host, NULL);
    guest_open(&pull, &host, NN_PULL);
    CHECK_OK(nn_bind(pull.s, address));
    struct sender sender = {SOCKET(NN_PUSH), address, MESSAGES};
    struct test_thread *thread = test_thread_start(run_sender, &sender);
    for (int i = 0; i < MESSAGES; i++)
        guest_receives_soon(&host, &pull, "from a thread");
    test_thread_join(thread);
    GUEST_RECEIVES_NOTHING(&pull);
    host_close(&host);
}

TEST_OVER_TRANSPORTS(a_call_on_another_thread_wakes_the_loop)
{
    const char *address = new_address();
    struct host host;
    struct guest push = {0};
    struct guest pull = {0};

    host_open(&host, NULL);
    guest_open(&push, &host, NN_PUSH);
    guest_open(&pull, &host, NN_PULL);
    CHECK_OK(nn_bind(pull.s, address));
    host_run_all(&host);
    /* The thread connects and sends with a socket that only our turns bring forward. */
    struct sender sender = {push.s, address, 1};
    struct test_thread *thread = test_thread_start(run_sender, &sender);
    guest_receives_soon(&host, &pull, "from a thread");
    test_thread_join(thread);
    host_close(&host);
}

struct looper {
    const char *mine;
    const char *others;
};

/* A loop of its own: answers one request, and asks one. */
static void run_looper(void *argument)
{
    struct looper *self = argument;
    struct host host;
    struct guest reply = {0};
    struct guest request = {0};

    host_open(&host, NULL);
    guest_open(&reply, &host, NN_REP);
    guest_open(&request, &host, NN_REQ);
    CHECK_OK(nn_bind(reply.s, self->mine));
    CHECK_OK(nn_connect(request.s, self->others));
    for (int i = 0; i < 50; i++) {
        GUEST_SENDS(&request, "?");
        guest_receives_soon(&host, &reply, "?");
        GUEST_SENDS(&reply, "!");
        guest_receives_soon(&host, &request, "!");
    }
    host_close(&host);
}

TEST_OVER_TRANSPORTS(two_threads_drive_loops_that_talk_to_each_other)
{
    const char *addresses[2] = {new_address(), new_address()};
    struct looper loopers[2] = {{addresses[0], addresses[1]}, {addresses[1], addresses[0]}};
    struct test_thread *threads[2];

    for (int i = 0; i < 2; i++)
        threads[i] = test_thread_start(run_looper, &loopers[i]);
    for (int i = 0; i < 2; i++)
        test_thread_join(threads[i]);
}

/* ---- The end ---- */

TEST_OVER_TRANSPORTS(a_closed_socket_is_reported_once_and_for_all)
{
    const char *address = new_address();
    struct host host;
    struct guest push = {0};
    struct guest pull = {0};

    open_connected(&host, &push, &pull, address);
    CHECK_OK(nn_close(push.s));
    CHECK_ERRNO(nn_close(push.s), EBADF);
    HOST_RUN_UNTIL(&host, push.closed == 1);
    host_run_all(&host);
    CHECK_EQUAL(push.closed, 1);
    CHECK_EQUAL(pull.closed, 0);
    CHECK(!nn_loop_is_lingering(host.loop));
    host_close(&host);
}

TEST_OVER_STREAMS(a_closed_socket_lingers_until_its_messages_have_left)
{
    static uint8_t body[1000000];
    const char *address = new_address();
    struct nn_outgoing message = {.body = body, .body_bytes = sizeof body};
    struct host host;
    struct guest push = {0};

    host_open(&host, NULL);
    guest_open(&push, &host, NN_PUSH);
    SET_INT(push.s, NN_SOL_SOCKET, NN_SNDBUF, 64 * 1024);
    CHECK_OK(nn_bind(push.s, address));
    SET_INT(push.s, NN_SOL_SOCKET, NN_LINGER, -1);
    int fd = raw_connect(address);
    raw_send_handshake(fd, NN_PULL);
    HOST_RUN_UNTIL(&host, push.out == 1);
    CHECK_EQUAL(CHECK_OK(nn_socket_send_batch(push.s, &message, 1, 0)), 1);
    CHECK_OK(nn_close(push.s));
    host_run_all(&host);
    CHECK(nn_loop_is_lingering(host.loop));
    CHECK_EQUAL(push.closed, 0);
    HOST_RUN_UNTIL(&host, raw_is_closed_now(fd) && push.closed == 1);
    CHECK(!nn_loop_is_lingering(host.loop));
    close(fd);
    host_close(&host);
}

/* A socket that lingers has no number any more: another one may have got it. */
TEST(destroying_a_loop_leaves_sockets_of_others_alone_whose_numbers_its_own_had)
{
    static uint8_t body[16 * 1024 * 1024];
    const char *address = test_tcp_address();
    struct nn_outgoing message = {.body = body, .body_bytes = sizeof body};
    struct host host;
    struct guest push = {0};

    host_open(&host, NULL);
    guest_open(&push, &host, NN_PUSH);
    CHECK_OK(nn_bind(push.s, address));
    SET_INT(push.s, NN_SOL_SOCKET, NN_LINGER, -1);
    int fd = raw_connect(address);
    raw_send_handshake(fd, NN_PULL);
    HOST_RUN_UNTIL(&host, push.out == 1);
    CHECK_EQUAL(CHECK_OK(nn_socket_send_batch(push.s, &message, 1, 0)), 1);
    CHECK_OK(nn_close(push.s));
    int other = SOCKET(NN_PAIR);
    CHECK_EQUAL(other, push.s);
    CHECK(nn_loop_is_lingering(host.loop));
    host_close(&host);
    CHECK_EQUAL(test_get_int(other, NN_SOL_SOCKET, NN_PROTOCOL), NN_PAIR);
    close(fd);
}

TEST_OVER_TRANSPORTS(destroying_a_loop_closes_its_sockets)
{
    const char *address = new_address();
    int peer = test_socket_connected(NN_PAIR, address);
    struct host host;
    struct guest pair = {0};

    host_open(&host, NULL);
    guest_open(&pair, &host, NN_PAIR);
    CHECK_OK(nn_bind(pair.s, address));
    HOST_RUN_UNTIL(&host, pair.out == 1);
    CHECK_SENDS(peer, "not received");
    host_close(&host);
    CHECK_ERRNO(nn_send(pair.s, "x", 1, NN_DONTWAIT), EBADF);
    CHECK_ERRNO(nn_close(pair.s), EBADF);
    WAIT_PEERS(peer, 0);
    CHECK_OK(nn_bind(SOCKET(NN_PAIR), address));
}

TEST(termination_closes_the_sockets_of_loops_and_leaves_the_loops)
{
    struct host host;
    struct guest pair = {0};

    host_open(&host, NULL);
    guest_open(&pair, &host, NN_PAIR);
    nn_term();
    CHECK_ERRNO(nn_send(pair.s, "x", 1, NN_DONTWAIT), EBADF);
    HOST_RUN_UNTIL(&host, pair.closed == 1);
    host_close(&host);
}

TEST(a_handshake_that_has_come_counts_though_its_time_is_over)
{
    const char *address = test_tcp_address();
    struct host host;
    struct guest pull = {0};

    host_open(&host, NULL);
    guest_open(&pull, &host, NN_PULL);
    CHECK_OK(nn_bind(pull.s, address));
    int fd = raw_connect(address);
    HOST_RUN_UNTIL(&host, nn_get_statistic(pull.s, NN_STAT_HANDSHAKES) == 1);
    host_run_all(&host);
    CHECK(host_is_readable(&host, 5000)); /* its time is over, and the program stands still */
    raw_send_handshake(fd, NN_PUSH);
    raw_send_message(fd, address, "here", 4);
    guest_receives_soon(&host, &pull, "here");
    close(fd);
    host_close(&host);
}
