/* Every call of a conversation to the system, and to malloc, fails once, with each error of its man page; and each read
 * and write of the first ones is cut at each of its first 64 bytes. The engine's call that meets the failure may fail
 * too, once; after that messages come through within 5 s, no body is wrong, and nothing is left open.
 *
 * NN_FAILING_CALLS_LIMIT says how many calls of a kind fail in turn with each error, 0: all of them. By default each
 * error meets one of the first calls. */
#include "failing_calls.h"

#include "patterned_body.h"
#include "raw_peer.h"
#include "sockets.h"
#ifdef HAVE_TLS
#include "tls_peer.h"
#endif

#include <nanomsg/bus.h>
#include <nanomsg/loop.h>
#include <nanomsg/pair.h>
#include <nanomsg/pipeline.h>
#include <nanomsg/pubsub.h>
#include <nanomsg/reqrep.h>
#include <nanomsg/statistics.h>
#include <nanomsg/survey.h>
#include <nanomsg/tcp.h>
#include <nanomsg/tls.h>

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WAIT_MS 10
#define LIMIT_MS 5000
#define STALL_SECONDS 30
#define SHORT_BYTES 40
#define LONG_BYTES 70000
#define CALLS_IN_TURN 5
#define CUT_BYTES 64
#define CUT_CALLS 12
#define MAX_DESCRIPTORS 64

NN_EXPORT void nn_init(void);

/* What fails in this round, for the reports. */
static char failing[128] = "nothing";

struct conversation {
    int asking, answering;
    bool is_one_way;
    bool is_monitored;
    bool is_through_device;
    const char *(*new_address)(void);
    const char *address;
    const char *behind; /* the device's other side */
};

/* ---- Reports ---- */

static void report_signal(int number)
{
    static const char text[] = "    while this failed: ";

    if (write(1, text, sizeof text - 1) < 0 || write(1, failing, strlen(failing)) < 0 || write(1, "\n", 1) < 0)
        _exit(1);
    signal(number, SIG_DFL);
    raise(number);
}

#define FAILS(...) (printf("    while this failed: %s\n", failing), FAIL(__VA_ARGS__))

/* A call that meets the failure fails once. */
#define INSIST(call)                                                                                                   \
    ({                                                                                                                 \
        intmax_t insist_rc = (intmax_t)(call);                                                                         \
        if (insist_rc == -1 && nn_errno() > 0)                                                                         \
            insist_rc = (intmax_t)(call);                                                                              \
        if (insist_rc < 0)                                                                                             \
            FAILS("%s fails twice: %s", #call, nn_strerror(nn_errno()));                                               \
        (int)insist_rc;                                                                                                \
    })

/* ---- A conversation ---- */

static void set_int(int s, int level, int option, int value)
{
    INSIST(nn_setsockopt(s, level, option, &value, sizeof value));
}

#ifdef HAVE_TLS
static void use_tls(int s)
{
    INSIST(nn_setsockopt(s, NN_TLS, NN_TLS_CA, tls_ca()->cert, strlen(tls_ca()->cert)));
    INSIST(nn_setsockopt(s, NN_TLS, NN_TLS_CERT, tls_server()->cert, strlen(tls_server()->cert)));
    INSIST(nn_setsockopt(s, NN_TLS, NN_TLS_KEY, tls_server()->key, strlen(tls_server()->key)));
}
#endif

static int open_socket(const struct conversation *self, int domain, int protocol)
{
    int s = INSIST(nn_socket(domain, protocol));

    if (protocol == NN_SUB)
        INSIST(nn_setsockopt(s, NN_SUB, NN_SUB_SUBSCRIBE, "", 0));
    if (protocol == NN_REQ && domain == AF_SP)
        set_int(s, NN_REQ, NN_REQ_RESEND_IVL, WAIT_MS);
    if (protocol == NN_SURVEYOR && domain == AF_SP)
        set_int(s, NN_SURVEYOR, NN_SURVEYOR_DEADLINE, WAIT_MS);
    set_int(s, NN_SOL_SOCKET, NN_RECONNECT_IVL, 1);
    set_int(s, NN_SOL_SOCKET, NN_SNDTIMEO, WAIT_MS);
    set_int(s, NN_SOL_SOCKET, NN_RCVTIMEO, WAIT_MS);
    set_int(s, NN_SOL_SOCKET, NN_LINGER, WAIT_MS);
    set_int(s, NN_TCP, NN_TCP_NODELAY, 1); /* or the first message waits 40 ms for an acknowledgement */
    if (self->is_monitored)
        INSIST(nn_socket_monitor(s, true));
#ifdef HAVE_TLS
    if (strstr(self->address, "tls+") != NULL || strstr(self->address, "wss:") != NULL)
        use_tls(s);
#endif
    return s;
}

static void take_events(const struct conversation *self, int s)
{
    struct nn_event event;

    while (self->is_monitored && nn_socket_next_event(s, &event) == 1) {
        char problem[256];
        size_t size = sizeof problem;
        nn_socket_event_peer(s, NN_PEER_PROBLEM, problem, &size);
    }
}

static bool try_send(int s, uint8_t round, size_t length)
{
    static uint8_t body[LONG_BYTES];

    pattern_fill(body, length, round);
    return nn_send(s, body, length, 0) >= 0;
}

/* Whether this message has come; those of earlier rounds are passed over. */
static bool try_receive(int s, uint8_t round, size_t length)
{
    static uint8_t body[LONG_BYTES + 1];
    int count;

    while ((count = nn_recv(s, body, sizeof body, 0)) >= 0) {
        if ((count != SHORT_BYTES && count != LONG_BYTES) || !pattern_holds(body, (size_t)count))
            FAILS("a body of %d bytes is not one of those that were sent", count);
        if ((size_t)count == length && body[count - 1] == round)
            return true;
    }
    return false;
}

static bool try_round(const struct conversation *self, const int s[2], uint8_t round, size_t length)
{
    take_events(self, s[0]);
    take_events(self, s[1]);
    if (!try_send(s[0], round, length) || !try_receive(s[1], round, length))
        return false;
    return self->is_one_way || (try_send(s[1], round, length) && try_receive(s[0], round, length));
}

static void exchange(const struct conversation *self, const int s[2], size_t length)
{
    static uint8_t round;
    int64_t deadline_ms = test_now_ms() + test_deadline_ms(LIMIT_MS);

    while (!try_round(self, s, ++round, length)) {
        if (test_now_ms() > deadline_ms)
            FAILS("no message comes through");
    }
}

/* Raw sockets between the two, served by one thread until they are closed. */
struct device {
    int s[2];
    struct test_thread *thread;
};

static void device_run(void *device)
{
    struct device *self = device;

    while (nn_device(self->s[0], self->s[1]) == -1 && nn_errno() != EBADF) {
    }
}

static void device_start(const struct conversation *self, struct device *device)
{
    device->s[0] = open_socket(self, AF_SP_RAW, self->answering);
    device->s[1] = open_socket(self, AF_SP_RAW, self->asking);
    INSIST(nn_bind(device->s[0], self->address));
    INSIST(nn_bind(device->s[1], self->behind));
    device->thread = test_thread_start(device_run, device);
}

static void device_end(struct device *device)
{
    INSIST(nn_close(device->s[0]));
    INSIST(nn_close(device->s[1]));
    test_thread_join(device->thread);
}

static void converse(const struct conversation *self, bool is_long)
{
    struct device device;
    int s[2] = {open_socket(self, AF_SP, self->asking), open_socket(self, AF_SP, self->answering)};

    if (self->is_through_device)
        device_start(self, &device);
    INSIST(self->is_through_device ? nn_connect(s[1], self->behind) : nn_bind(s[1], self->address));
    INSIST(nn_connect(s[0], self->address));
    exchange(self, s, SHORT_BYTES);
    if (is_long)
        exchange(self, s, LONG_BYTES);
    INSIST(nn_close(s[0]));
    INSIST(nn_close(s[1]));
    if (self->is_through_device)
        device_end(&device);
}

/* ---- Rounds ---- */

static int count_descriptors(void)
{
    int count = 0;

    for (int fd = 0; fd < MAX_DESCRIPTORS; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

/* With a failure, and once more without one. */
static bool round_ends_well(const struct conversation *self)
{
    static int descriptors;

    alarm((unsigned)test_deadline_ms(STALL_SECONDS * 1000) / 1000);
    converse(self, true);
    bool has_happened = failing_calls_disarm();
    converse(self, false);
    nn_term();
    nn_init();
    if (descriptors == 0)
        descriptors = count_descriptors() + 1; /* what this thread sleeps on is opened when it is needed */
    if (count_descriptors() > descriptors)
        FAILS("%d descriptors are open, and not %d", count_descriptors(), descriptors);
    return has_happened;
}

/* How many calls of a kind fail in turn with each error; -1: one, another one for each error. */
static long max_calls(void)
{
    const char *text = getenv("NN_FAILING_CALLS_LIMIT");
    long limit = text != NULL ? strtol(text, NULL, 10) : -1;

    return limit == 0 ? LONG_MAX : limit;
}

static void prepare(struct conversation *self)
{
    if (!failing_calls_of("libnanomsg.so"))
        FAIL("the engine is not a library of its own here");
    signal(SIGALRM, report_signal);
    signal(SIGABRT, report_signal);
#if !defined(__SANITIZE_ADDRESS__)
    signal(SIGSEGV, report_signal);
#endif
    self->address = self->new_address();
    self->behind = self->new_address();
    test_allow_open("anon_inode:[eventfd]");
    for (int i = 0; i < 3; i++) /* what stays open is open from here on */
        round_ends_well(self);
}

static bool fail_one(const struct conversation *self, int call, long index, int error)
{
    snprintf(failing, sizeof failing, "%s, call %ld, with %s", failing_calls[call].name, index, strerror(error));
    failing_calls_arm(call, index, error);
    return round_ends_well(self);
}

/* Returns how many failures there were. */
static long fail_each(const struct conversation *self, int call)
{
    const int *errors = failing_calls[call].errors;
    long limit = max_calls();
    long count = 0;

    if (!fail_one(self, call, 0, errors[0]))
        return 0; /* the conversation makes no such call */
    for (int i = 0; errors[i] != 0; i++) {
        if (limit < 0)
            count += fail_one(self, call, i % CALLS_IN_TURN, errors[i]);
        for (long index = 0; index < limit && fail_one(self, call, index, errors[i]); index++)
            count++;
    }
    return count;
}

static void fail_calls(struct conversation self)
{
    long count = 0;

    prepare(&self);
    for (int call = 0; failing_calls[call].name != NULL; call++)
        count += fail_each(&self, call);
    CHECK(count > 5);
}

static void cut_calls(struct conversation self)
{
    prepare(&self);
    for (size_t bytes = 1; bytes <= CUT_BYTES; bytes++) {
        for (int is_write = 0; is_write < 2; is_write++) {
            snprintf(failing, sizeof failing, "%s, cut to %zu bytes", is_write ? "writing" : "reading", bytes);
            failing_calls_cut(is_write, bytes, CUT_CALLS);
            CHECK(round_ends_well(&self));
        }
    }
}

static int call_named(const char *name)
{
    int call = 0;

    while (strcmp(failing_calls[call].name, name) != 0)
        call++;
    return call;
}

/* ---- Cases ---- */

TEST(a_message_that_the_kernel_refuses_is_dropped_and_not_sent)
{
    const char *address = test_tcp_address();
    int pub = test_socket_bound(NN_PUB, address);
    struct nn_pipe_statistics told;
    uint32_t pipe;

    CHECK(failing_calls_of("libnanomsg.so"));
    int fd = raw_connect_admitted(address, NN_SUB, NN_PUB);
    WAIT_PEERS(pub, 1);
    CHECK_EQUAL(nn_socket_pipes(pub, &pipe, 1), 1);
    failing_calls_arm(call_named("sendmsg"), 0, EPIPE);
    CHECK_SENDS(pub, "refused");
    CHECK(failing_calls_disarm());
    CHECK_OK(nn_socket_pipe_statistics(pub, pipe, &told));
    CHECK_EQUAL(told.messages_sent, 0);
    CHECK_EQUAL(told.bytes_sent, 0);
    CHECK_EQUAL(told.messages_dropped, 1);
    CHECK_EQUAL(told.bytes_dropped, 7);
    close(fd);
}

#define REQREP .asking = NN_REQ, .answering = NN_REP

#define CASE_OVER(transport, address)                                                                                  \
    TEST(every_call_of_reqrep_can_fail_once_over_##transport)                                                          \
    {                                                                                                                  \
        fail_calls((struct conversation){REQREP, .new_address = address});                                             \
    }

#define CASES_OVER_STREAM(transport, address)                                                                          \
    CASE_OVER(transport, address)                                                                                      \
    TEST(reads_and_writes_can_be_cut_over_##transport)                                                                 \
    {                                                                                                                  \
        cut_calls((struct conversation){REQREP, .new_address = address});                                              \
    }

CASE_OVER(inproc, test_inproc_address)
CASES_OVER_STREAM(ipc, test_ipc_address)
CASES_OVER_STREAM(tcp, test_tcp_address)
CASES_OVER_STREAM(ws, test_ws_address)
#ifdef HAVE_TLS
CASES_OVER_STREAM(tls, tls_address)
CASES_OVER_STREAM(wss, tls_wss_address)
#endif

#define CASE_OVER_TCP(name, ...)                                                                                       \
    TEST(every_call_of_##name##_can_fail_once_over_tcp)                                                                \
    {                                                                                                                  \
        fail_calls((struct conversation){__VA_ARGS__, .new_address = test_tcp_address});                               \
    }

CASE_OVER_TCP(pair, .asking = NN_PAIR, .answering = NN_PAIR)
CASE_OVER_TCP(pipeline, .asking = NN_PUSH, .answering = NN_PULL, .is_one_way = true)
CASE_OVER_TCP(pubsub, .asking = NN_PUB, .answering = NN_SUB, .is_one_way = true)
CASE_OVER_TCP(survey, .asking = NN_SURVEYOR, .answering = NN_RESPONDENT)
CASE_OVER_TCP(bus, .asking = NN_BUS, .answering = NN_BUS)
CASE_OVER_TCP(a_monitored_socket, REQREP, .is_monitored = true)
CASE_OVER_TCP(a_device, REQREP, .is_through_device = true)
