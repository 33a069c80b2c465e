/* Programs that end by exit(), or return from main, without closing their sockets. */
#include "exit_tests.h"
#include "raw_peer.h"

#include "core/engine_thread.h"

#include <nanomsg/protocol.h>
#include <nanomsg/transport.h>

#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>

static const struct exit_way ipc_way = {test_ipc_address, NULL};
static const struct exit_way tcp_way = {test_tcp_address, NULL};
static const struct exit_way ws_way = {test_ws_address, NULL};

TEST_EXITS_OVER(ipc, ipc_way)
TEST_EXITS_OVER(tcp, tcp_way)
TEST_EXITS_OVER(ws, ws_way)

/* ---- Within the process ---- */

#define INPROC_MESSAGES 10

struct inproc_pull {
    int s;
    int tell;
};

/* Tells of each message that it has taken, and looks at nothing before the program is about to end. */
static void *run_pull(void *argument)
{
    const struct inproc_pull *self = argument;
    int number;

    CHECK_OK(nn_recv(self->s, &number, sizeof number, 0));
    for (;;) {
        exit_tell(self->tell, number);
        test_pause(test_now_ms() + 1000); /* it is busy with each */
        CHECK_OK(nn_recv(self->s, &number, sizeof number, 0));
    }
    return NULL;
}

static void send_within_the_process(void *argument, int tell)
{
    int push = (int)CHECK_OK(nn_socket(AF_SP, NN_PUSH));
    static struct inproc_pull pull;
    pthread_t thread;

    (void)argument;
    pull = (struct inproc_pull){.s = (int)CHECK_OK(nn_socket(AF_SP, NN_PULL)), .tell = tell};
    CHECK_OK(nn_bind(pull.s, "inproc://exit"));
    CHECK_OK(nn_connect(push, "inproc://exit"));
    for (int i = 0; i < INPROC_MESSAGES; i++)
        CHECK_OK(nn_send(push, &i, sizeof i, 0));
    CHECK_EQUAL(pthread_create(&thread, NULL, run_pull, &pull), 0);
}

TEST(what_waits_for_another_thread_is_taken_when_the_program_ends)
{
    struct exit_program program = exit_program_start(send_within_the_process, NULL);

    for (int i = 0; i + 1 < INPROC_MESSAGES; i++) /* the thread may end while it looks at the last one */
        CHECK_EQUAL(exit_hear(&program), i);
    exit_program_check(&program);
}

/* ---- How programs end ---- */

static void fill_for_raw_peer(int push, int tell)
{
    exit_tell(tell, exit_fill(push));
}

/* A listener's next connection, of a PULL; then all that comes until its end. */
static int accept_pull(int listener)
{
    int peer = raw_accept(listener);

    raw_send_handshake(peer, NN_PULL);
    raw_expect_handshake(peer, NN_PUSH);
    return peer;
}

static size_t frames_bytes(int count)
{
    return (size_t)count * (8 + EXIT_BODY_BYTES);
}

static void check_all_arrives_from(void (*body)(void *, int))
{
    const char *address = test_tcp_address();
    int listener = raw_listen(address);
    struct exit_program program = exit_program_start(body, (void *)address);
    int peer = accept_pull(listener);
    int count = exit_hear(&program);

    CHECK(count > 0);
    CHECK_EQUAL(raw_count_to_end(peer), frames_bytes(count));
    exit_program_check(&program);
    close(peer);
    close(listener);
}

static void *run_exit(void *argument)
{
    (void)argument;
    exit(0);
}

static void end_by_two_threads(void *argument, int tell)
{
    pthread_t thread;

    fill_for_raw_peer(exit_connected(NN_PUSH, &tcp_way, argument), tell);
    CHECK_EQUAL(pthread_create(&thread, NULL, run_exit, NULL), 0);
}

TEST(what_was_sent_arrives_when_two_threads_end_the_program)
{
    check_all_arrives_from(end_by_two_threads);
}

static const char *address_of_handler;
static int tell_of_handler;

static void send_at_exit(void)
{
    fill_for_raw_peer(exit_connected(NN_PUSH, &tcp_way, address_of_handler), tell_of_handler);
}

static void send_by_handler_of_exit(void *argument, int tell)
{
    address_of_handler = argument;
    tell_of_handler = tell;
    CHECK_EQUAL(atexit(send_at_exit), 0);
    CHECK_OK(nn_close((int)CHECK_OK(nn_socket(AF_SP, NN_PUSH))));
}

TEST(what_a_handler_of_exit_sends_arrives)
{
    check_all_arrives_from(send_by_handler_of_exit);
}

static void *run_receive(void *argument)
{
    char byte;

    nn_recv(*(int *)argument, &byte, 1, 0);
    FAIL("a call that waits has come back: %s", nn_strerror(errno));
    return NULL;
}

static void end_while_others_wait(void *argument, int tell)
{
    static int pull;
    pthread_t thread;

    pull = (int)CHECK_OK(nn_socket(AF_SP, NN_PULL));
    CHECK_OK(nn_bind(pull, test_tcp_address()));
    CHECK_EQUAL(pthread_create(&thread, NULL, run_receive, &pull), 0);
    fill_for_raw_peer(exit_connected(NN_PUSH, &tcp_way, argument), tell);
}

TEST(calls_that_wait_do_not_come_back_while_the_program_ends)
{
    check_all_arrives_from(end_while_others_wait);
}

static void fork_and_end(void *argument, int tell)
{
    int push = exit_connected(NN_PUSH, &tcp_way, argument);
    int count = exit_fill(push);
    int status = -1;

    fflush(NULL);
    pid_t child = (pid_t)CHECK_OK(fork());
    if (child == 0)
        exit(0);
    CHECK_EQUAL(waitpid(child, &status, 0), child);
    CHECK_EQUAL(status, 0);
    exit_tell(tell, count);
}

TEST(a_forked_child_that_ends_sends_nothing_of_its_parents)
{
    check_all_arrives_from(fork_and_end);
}

/* ---- Locks that are not free ---- */

static int is_stuck[2];

/* Runs on the engine's thread, which has the socket's lock then. */
static void stop_the_engine(struct nn_protocol_socket *self)
{
    (void)self;
    exit_tell(is_stuck[1], 0);
    for (;;)
        pause();
}

static int stuck_open(struct nn_protocol_socket *self)
{
    nn_protocol_timer_start(self, 0);
    return 0;
}

static int stuck_pipe_added(struct nn_protocol_socket *self, struct nn_pipe *pipe)
{
    (void)self;
    (void)pipe;
    return 0;
}

static void stuck_pipe_changed(struct nn_protocol_socket *self, struct nn_pipe *pipe)
{
    (void)self;
    (void)pipe;
}

static int stuck_events(struct nn_protocol_socket *self)
{
    (void)self;
    return 0;
}

static const struct nn_protocol stuck_protocol = {
    .version = NN_PROTOCOL_VERSION,
    .name = "STUCK",
    .domain = AF_SP,
    .id = 4001,
    .peer_id = 4001,
    .socket_bytes = sizeof(struct nn_protocol_socket),
    .open = stuck_open,
    .pipe_added = stuck_pipe_added,
    .pipe_removed = stuck_pipe_changed,
    .pipe_readable = stuck_pipe_changed,
    .pipe_writable = stuck_pipe_changed,
    .events = stuck_events,
    .timer = stop_the_engine,
};

#define CLOSED_SOCKETS 1000

/* No call frees the closed sockets. */
static void end_while_the_engine_is_stuck(void *argument, int tell)
{
    int number;

    (void)argument;
    (void)tell;
    CHECK_OK(pipe(is_stuck));
    CHECK_OK(nn_protocol_register(&stuck_protocol));
    CHECK_OK(nn_socket(AF_SP, stuck_protocol.id));
    CHECK_EQUAL(read(is_stuck[0], &number, sizeof number), (ssize_t)sizeof number);
    for (int i = 0; i < CLOSED_SOCKETS; i++)
        CHECK_OK(nn_close((int)CHECK_OK(nn_socket(AF_SP, NN_PAIR))));
}

TEST(a_socket_whose_lock_is_not_free_is_waited_for_once_however_many_were_closed)
{
    struct exit_program program = exit_program_start(end_while_the_engine_is_stuck, NULL);

    exit_program_check(&program);
}

/* As a signal's handler does that has interrupted a call. */
static void end_with_the_lock_of_the_loop(void *argument, int tell)
{
    struct nn_loop *loop;

    (void)argument;
    (void)tell;
    CHECK_OK(nn_socket(AF_SP, NN_PAIR));
    CHECK_EQUAL(sp_engine_loop(&loop), 0);
    sp_mutex_lock(&loop->base.lock);
}

TEST(a_program_ends_also_within_a_call_that_has_the_lock_of_the_loop)
{
    struct exit_program program = exit_program_start(end_with_the_lock_of_the_loop, NULL);

    exit_program_check(&program);
}

/* ---- Transports of the program's own ---- */

#define LOOKS 3

static int told_of_looks;

/* Holds something until exit has looked for it often enough: a peer that takes its time. */
static size_t slow_held_bytes(const struct nn_pipe *pipe)
{
    static int looks;

    (void)pipe;
    if (looks == LOOKS)
        return 0;
    exit_tell(told_of_looks, ++looks);
    return 1;
}

static int slow_bind(struct nn_endpoint *endpoint, const char *address)
{
    (void)endpoint;
    (void)address;
    return -ENOTSUP;
}

static int slow_connect(struct nn_endpoint *endpoint, const char *address)
{
    struct nn_pipe *pipe;
    int rc = nn_pipe_open(endpoint, NULL, &pipe);

    (void)address;
    if (rc == 0)
        nn_pipe_set_held_bytes(pipe, slow_held_bytes, false);
    return rc;
}

static void slow_close(struct nn_endpoint *endpoint)
{
    (void)endpoint;
}

static int slow_pass(struct nn_pipe *pipe, struct nn_message *message)
{
    (void)pipe;
    (void)message;
    return -EAGAIN;
}

static void slow_close_pipe(struct nn_pipe *pipe, bool may_linger)
{
    (void)pipe;
    (void)may_linger;
}

static const struct nn_pipe_operations slow_pipe = {.send = slow_pass, .receive = slow_pass, .close = slow_close_pipe};
static const struct nn_transport slow_transport = {.version = NN_TRANSPORT_VERSION,
                                                   .scheme = "slow",
                                                   .bind = slow_bind,
                                                   .connect = slow_connect,
                                                   .close = slow_close,
                                                   .pipe = &slow_pipe};

static void end_while_a_transport_holds_bytes(void *argument, int tell)
{
    (void)argument;
    told_of_looks = tell;
    CHECK_OK(nn_transport_register(&slow_transport));
    CHECK_OK(nn_connect((int)CHECK_OK(nn_socket(AF_SP, NN_PUSH)), "slow://peer"));
}

TEST(what_a_transport_of_the_program_says_it_holds_is_waited_for)
{
    struct exit_program program = exit_program_start(end_while_a_transport_holds_bytes, NULL);

    for (int i = 1; i <= LOOKS; i++)
        CHECK_EQUAL(exit_hear(&program), i);
    exit_program_check(&program);
}

/* ---- Peers ---- */

#define KERNEL_KEEPS 500

static int go_on[2];

/* The kernel takes all that it sends; what comes is left. */
static void end_with_unread_bytes(void *argument, int tell)
{
    static const uint8_t body[EXIT_BODY_BYTES];
    int pair = (int)CHECK_OK(nn_socket(AF_SP, NN_PAIR));
    char byte;

    CHECK_OK(nn_connect(pair, argument));
    CHECK(test_is_ready(pair, NN_POLLIN, test_deadline_ms(5000)));
    exit_tell(tell, 0); /* from here on the socket reads no more */
    CHECK_EQUAL(read(go_on[0], &byte, 1), 1);
    for (int i = 0; i < KERNEL_KEEPS; i++)
        CHECK_OK(nn_send(pair, body, sizeof body, 0));
}

/* A descriptor that is closed with unread bytes is reset, and what the kernel keeps for the peer is gone. */
TEST(what_the_kernel_has_taken_arrives_also_when_bytes_of_the_peer_were_not_read)
{
    static uint8_t unread[100000];
    const char *address = test_tcp_address();
    int listener = raw_listen(address);
    int small = 4096;

    CHECK_OK(pipe(go_on));
    CHECK_OK(setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &small, sizeof small));
    struct exit_program program = exit_program_start(end_with_unread_bytes, (void *)address);
    int peer = raw_accept(listener);
    raw_send_handshake(peer, NN_PAIR);
    raw_expect_handshake(peer, NN_PAIR);
    raw_send_message(peer, address, "x", 1);
    exit_hear(&program);
    raw_send(peer, unread, sizeof unread);
    CHECK_EQUAL(write(go_on[1], "x", 1), 1);
    exit_program_check(&program);
    CHECK_EQUAL(raw_count_to_end(peer), frames_bytes(KERNEL_KEEPS));
    close(peer);
    close(listener);
    close(go_on[0]);
    close(go_on[1]);
}

static void end_before_a_peer_that_does_not_read(void *argument, int tell)
{
    dup2(tell, STDERR_FILENO);
    exit_send_large(exit_connected(NN_PUSH, &tcp_way, argument));
}

/* The program ends all the same, and says what is lost. */
TEST(a_peer_that_does_not_read_is_not_waited_for_without_limit)
{
    const char *address = test_tcp_address();
    int listener = raw_listen(address);
    int small = 4096;
    char said[200] = "";

    CHECK_OK(setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &small, sizeof small));
    CHECK_OK(setenv("NN_PRINT_ERRORS", "1", 1));
    struct exit_program program = exit_program_start(end_before_a_peer_that_does_not_read, (void *)address);
    int peer = accept_pull(listener);
    CHECK(read(program.told, said, sizeof said - 1) > 0);
    CHECK(strstr(said, " bytes were accepted and not delivered when the program ended\n") != NULL);
    exit_program_check(&program);
    close(peer);
    close(listener);
}
