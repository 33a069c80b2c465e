/* The calls of random schedules. A call may fail, as another thread may have closed its socket; but it returns in time,
 * says why, and what it receives is whole. */
#include "schedule.h"

#include "patterned_body.h"
#include "strange_peer.h"

#include <nanomsg/bus.h>
#include <nanomsg/ipc.h>
#include <nanomsg/loop.h>
#include <nanomsg/pair.h>
#include <nanomsg/pipeline.h>
#include <nanomsg/pubsub.h>
#include <nanomsg/reqrep.h>
#include <nanomsg/survey.h>
#include <nanomsg/tcp.h>
#include <nanomsg/tls.h>
#include <nanomsg/ws.h>

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

NN_EXPORT void nn_init(void);

#define COUNT_OF(array) ((unsigned)(sizeof(array) / sizeof((array)[0])))
#define MAX_BODY_BYTES 300000
#define HOST_TURNS 20

/* Neither sanitizer of gcc follows a fork among threads that allocate: see fork_test.c. */
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define CAN_FORK 0
#else
#define CAN_FORK 1
#endif

static const int protocols[] = {NN_PAIR, NN_PUB,  NN_SUB,      NN_REQ,        NN_REP,
                                NN_PUSH, NN_PULL, NN_SURVEYOR, NN_RESPONDENT, NN_BUS};

/* ---- What is drawn ---- */

static unsigned draw(struct schedule_thread *self, unsigned limit)
{
    return chaos_draw(&self->random, limit);
}

static struct schedule_slot *draw_slot(struct schedule_thread *self)
{
    return &self->schedule->slots[draw(self, SCHEDULE_SLOTS)];
}

static int draw_socket(struct schedule_thread *self)
{
    return atomic_load(&draw_slot(self)->number);
}

static const char *draw_address(struct schedule_thread *self)
{
    unsigned index = draw(self, (unsigned)self->schedule->address_count + 2);

    return index < 2 ? self->schedule->served[index] : self->schedule->addresses[index - 2];
}

static int draw_protocol(struct schedule_thread *self)
{
    return protocols[draw(self, COUNT_OF(protocols))];
}

static size_t draw_length(struct schedule_thread *self)
{
    static const unsigned limits[] = {8, 100, 100, 4000, 4000, MAX_BODY_BYTES};

    return draw(self, limits[draw(self, COUNT_OF(limits))]);
}

/* ---- Calls ---- */

#define CALL(self, expression) (call_begins((self), #expression), call_ends((self), (intmax_t)(expression)))

static void call_begins(struct schedule_thread *self, const char *text)
{
    atomic_store(&self->since_ms, test_now_ms());
    atomic_store(&self->call, text);
}

static intmax_t call_ends(struct schedule_thread *self, intmax_t rc)
{
    int error = nn_errno();
    const char *call = atomic_exchange(&self->call, NULL);

    atomic_fetch_add(&self->calls, 1);
    if (rc < -1)
        FAIL("%s is %jd", call, rc);
    if (rc == -1 && (error <= 0 || error == EFAULT || error == ENOMEM))
        FAIL("%s fails with errno %d", call, error);
    return rc;
}

/* Each setting fails when another thread has closed the socket. */
static void set_int(struct schedule_thread *self, int s, int level, int option, int value)
{
    CALL(self, nn_setsockopt(s, level, option, &value, sizeof value));
}

static void set_text(struct schedule_thread *self, int s, int option, const char *text)
{
    CALL(self, nn_setsockopt(s, NN_TLS, option, text, strlen(text)));
}

static void prepare(struct schedule_thread *self, int s, int protocol)
{
    set_int(self, s, NN_SOL_SOCKET, NN_SNDTIMEO, (int)draw(self, SCHEDULE_WAIT_MS));
    set_int(self, s, NN_SOL_SOCKET, NN_RCVTIMEO, (int)draw(self, SCHEDULE_WAIT_MS));
    set_int(self, s, NN_SOL_SOCKET, NN_LINGER, (int)draw(self, SCHEDULE_WAIT_MS));
    set_int(self, s, NN_SOL_SOCKET, NN_RECONNECT_IVL, 1 + (int)draw(self, 20));
    if (protocol == NN_SUB)
        CALL(self, nn_setsockopt(s, NN_SUB, NN_SUB_SUBSCRIBE, "", 0));
    if (protocol == NN_REQ)
        set_int(self, s, NN_REQ, NN_REQ_RESEND_IVL, 1 + (int)draw(self, 50));
    if (protocol == NN_SURVEYOR)
        set_int(self, s, NN_SURVEYOR, NN_SURVEYOR_DEADLINE, 1 + (int)draw(self, 50));
    if (self->schedule->ca != NULL && draw(self, 2) == 0) {
        set_text(self, s, NN_TLS_CA, self->schedule->ca);
        set_text(self, s, NN_TLS_CERT, self->schedule->cert);
        set_text(self, s, NN_TLS_KEY, self->schedule->key);
    }
}

static void close_socket(struct schedule_thread *self, int s)
{
    if (s >= 0)
        CALL(self, nn_close(s));
}

static void call_socket(struct schedule_thread *self)
{
    int protocol = draw_protocol(self);
    int s = (int)CALL(self, nn_socket(draw(self, 5) == 0 ? AF_SP_RAW : AF_SP, protocol));

    if (s < 0)
        return;
    prepare(self, s, protocol);
    close_socket(self, atomic_exchange(&draw_slot(self)->number, s));
}

static void call_close(struct schedule_thread *self)
{
    close_socket(self, atomic_exchange(&draw_slot(self)->number, -1));
}

static void make_endpoint(struct schedule_thread *self, struct schedule_slot *slot, bool is_bind)
{
    const char *address = draw_address(self);
    int s = atomic_load(&slot->number);
    int endpoint = (int)(is_bind ? CALL(self, nn_bind(s, address)) : CALL(self, nn_connect(s, address)));

    if (endpoint > 0)
        atomic_store(&slot->endpoints[draw(self, SCHEDULE_ENDPOINTS)], endpoint);
}

static void call_bind(struct schedule_thread *self)
{
    make_endpoint(self, draw_slot(self), true);
}

static void call_connect(struct schedule_thread *self)
{
    make_endpoint(self, draw_slot(self), false);
}

static void call_shutdown(struct schedule_thread *self)
{
    struct schedule_slot *slot = draw_slot(self);
    int endpoint = atomic_load(&slot->endpoints[draw(self, SCHEDULE_ENDPOINTS)]);

    CALL(self, nn_shutdown(atomic_load(&slot->number), endpoint));
}

/* ---- Messages ---- */

static void call_send(struct schedule_thread *self)
{
    size_t length = draw_length(self);
    int flags = draw(self, 2) ? NN_DONTWAIT : 0;
    int s = draw_socket(self);
    void *message = nn_allocmsg(length, 0);

    CHECK(message != NULL);
    pattern_fill(message, length, (uint8_t)draw(self, 256));
    if (draw(self, 2) == 0) {
        if (CALL(self, nn_send(s, &message, NN_MSG, flags)) >= 0)
            return;
    } else {
        CALL(self, nn_send(s, message, length, flags));
    }
    CHECK_OK(nn_freemsg(message));
}

/* Many in a row are a burst, which is gathered. */
static void call_send_burst(struct schedule_thread *self)
{
    uint8_t body[64];
    int s = draw_socket(self);

    pattern_fill(body, sizeof body, (uint8_t)draw(self, 256));
    for (unsigned i = draw(self, 100); i > 0; i--)
        CALL(self, nn_send(s, body, sizeof body, NN_DONTWAIT));
}

static void check_body(const void *body, intmax_t count)
{
    /* Devices in a circle add a word at each hop. */
    if (!pattern_holds(body, (size_t)count) && !pattern_holds_behind_backtrace(body, (size_t)count))
        FAIL("a body of %jd bytes has been mixed up", count);
}

static void call_receive(struct schedule_thread *self)
{
    int flags = draw(self, 2) ? NN_DONTWAIT : 0;
    int s = draw_socket(self);
    uint8_t fixed[2000];
    void *message;
    intmax_t count;

    if (draw(self, 2) == 0) {
        count = CALL(self, nn_recv(s, fixed, sizeof fixed, flags));
        if (count >= 0 && count <= (intmax_t)sizeof fixed)
            check_body(fixed, count);
    } else {
        count = CALL(self, nn_recv(s, &message, NN_MSG, flags));
        if (count >= 0) {
            check_body(message, count);
            CHECK_OK(nn_freemsg(message));
        }
    }
}

/* Receives with the header, and sends the same back, as devices do. */
static void call_echo(struct schedule_thread *self)
{
    int s = draw_socket(self);
    void *body;
    char control[512];
    struct nn_iovec vector = {&body, NN_MSG};
    struct nn_msghdr header = {
        .msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    intmax_t count = CALL(self, nn_recvmsg(s, &header, NN_DONTWAIT));

    if (count < 0)
        return;
    check_body(body, count);
    if (CALL(self, nn_sendmsg(s, &header, NN_DONTWAIT)) < 0)
        CHECK_OK(nn_freemsg(body));
}

static void call_poll(struct schedule_thread *self)
{
    struct nn_pollfd entries[4];
    unsigned count = 1 + draw(self, COUNT_OF(entries));

    for (unsigned i = 0; i < count; i++)
        entries[i] = (struct nn_pollfd){.fd = draw_socket(self), .events = (short)(1 + draw(self, 3))};
    CALL(self, nn_poll(entries, (int)count, (int)draw(self, SCHEDULE_WAIT_MS)));
}

/* ---- Options, statistics, events ---- */

static void call_set_option(struct schedule_thread *self)
{
    static const struct {
        int level, option, least, most;
    } rows[] = {
        {NN_SOL_SOCKET, NN_LINGER, 0, SCHEDULE_WAIT_MS},
        {NN_SOL_SOCKET, NN_SNDBUF, 1, 300000},
        {NN_SOL_SOCKET, NN_RCVBUF, 1, 300000},
        {NN_SOL_SOCKET, NN_SNDTIMEO, 0, SCHEDULE_WAIT_MS},
        {NN_SOL_SOCKET, NN_RCVTIMEO, 0, SCHEDULE_WAIT_MS},
        {NN_SOL_SOCKET, NN_RECONNECT_IVL, 0, 20},
        {NN_SOL_SOCKET, NN_RECONNECT_IVL_MAX, 0, 50},
        {NN_SOL_SOCKET, NN_SNDPRIO, 1, 16},
        {NN_SOL_SOCKET, NN_RCVPRIO, 1, 16},
        {NN_SOL_SOCKET, NN_RCVMAXSIZE, -1, 300000},
        {NN_SOL_SOCKET, NN_MAXTTL, 1, 255},
        {NN_TCP, NN_TCP_NODELAY, 0, 1},
        {NN_WS, NN_WS_MSG_TYPE, 1, 2},
        {NN_TLS, NN_TLS_VERIFY, 0, 1},
        {NN_TLS, NN_TLS_REQUIRE_CLIENT_CERT, 0, 1},
        {NN_SURVEYOR, NN_SURVEYOR_DEADLINE, 0, 50},
        {NN_REQ, NN_REQ_RESEND_IVL, 1, 50},
    };
    unsigned row = draw(self, COUNT_OF(rows));
    int value = rows[row].least + (int)draw(self, (unsigned)(rows[row].most - rows[row].least + 1));

    set_int(self, draw_socket(self), rows[row].level, rows[row].option, value);
}

static void call_subscribe(struct schedule_thread *self)
{
    static const char topic[] = {1};
    int option = draw(self, 2) ? NN_SUB_SUBSCRIBE : NN_SUB_UNSUBSCRIBE;

    CALL(self, nn_setsockopt(draw_socket(self), NN_SUB, option, topic, draw(self, 2)));
}

static void call_get_option(struct schedule_thread *self)
{
    char value[512];
    size_t size = sizeof value;
    int option = (int)draw(self, NN_MAXTTL + 2);

    CALL(self, nn_getsockopt(draw_socket(self), NN_SOL_SOCKET, option, value, &size));
    CALL(self, (intmax_t)(nn_get_statistic(draw_socket(self), NN_STAT_CURRENT_CONNECTIONS) & INT32_MAX));
}

static void call_events(struct schedule_thread *self)
{
    struct nn_event event;
    int s = draw_socket(self);

    CALL(self, nn_socket_monitor(s, draw(self, 4) > 0));
    for (int i = 0; i < 5 && CALL(self, nn_socket_next_event(s, &event)) == 1; i++) {
        char problem[128];
        size_t size = sizeof problem;
        CALL(self, nn_socket_event_peer(s, NN_PEER_PROBLEM, problem, &size));
    }
}

/* ---- What takes more than a call ---- */

void schedule_device_run(void *device)
{
    struct schedule_device *self = device;

    while (nn_device(self->sockets[0], self->sockets[1]) == -1 && nn_errno() == ETIMEDOUT) {
    }
    atomic_store(&self->is_running, false);
}

static void start_device(struct schedule_thread *self, struct schedule_device *device)
{
    static const int types[][2] = {{NN_REP, NN_REQ}, {NN_PULL, NN_PUSH}, {NN_SUB, NN_PUB}, {NN_BUS, NN_BUS}};
    unsigned type = draw(self, COUNT_OF(types));

    if (device->thread != NULL)
        test_thread_join(device->thread);
    for (int i = 0; i < 2; i++) {
        struct schedule_slot *slot = draw_slot(self);
        int s = (int)CALL(self, nn_socket(AF_SP_RAW, types[type][i]));
        device->sockets[i] = s;
        if (s < 0)
            continue;
        prepare(self, s, types[type][i]);
        close_socket(self, atomic_exchange(&slot->number, s));
        make_endpoint(self, slot, draw(self, 2));
    }
    atomic_store(&device->is_running, true);
    device->thread = test_thread_start(schedule_device_run, device);
}

/* A device whose sockets any thread may close. */
static void call_device(struct schedule_thread *self)
{
    struct schedule_device *device = &self->schedule->devices[draw(self, SCHEDULE_DEVICES)];

    if (atomic_exchange(&device->is_changing, true))
        return;
    if (!atomic_load(&device->is_running))
        start_device(self, device);
    atomic_store(&device->is_changing, false);
}

static void visit(struct schedule_thread *self)
{
    const char *address = draw_address(self);

    if (strncmp(address, "tcp://127", 9) == 0 || strncmp(address, "ipc:", 4) == 0 || strncmp(address, "ws:", 3) == 0)
        strange_peer_visit(&self->random, address, draw_protocol(self));
}

static void serve(struct schedule_thread *self)
{
    strange_peer_serve(&self->random, self->schedule->served[draw(self, 2)], draw_protocol(self));
}

static void host_receive(struct schedule_thread *self, int s)
{
    struct nn_received received[16];
    intmax_t count = CALL(self, nn_socket_receive_batch(s, received, COUNT_OF(received)));

    for (intmax_t i = 0; i < count; i++) {
        check_body(received[i].body, (intmax_t)received[i].body_bytes);
        if (received[i].chunk != NULL)
            nn_chunk_release(received[i].chunk);
    }
}

static void host_send(struct schedule_thread *self, int s)
{
    uint8_t body[3000];
    size_t length = draw(self, sizeof body);
    struct nn_outgoing messages[8];

    pattern_fill(body, length, (uint8_t)draw(self, 256));
    for (unsigned i = 0; i < COUNT_OF(messages); i++)
        messages[i] = (struct nn_outgoing){.body = body, .body_bytes = length};
    CALL(self, nn_socket_send_batch(s, messages, COUNT_OF(messages), draw(self, 2) ? 65536 : 0));
}

/* A thread with a loop of its own, which ends in the middle of its work, as a Worker does that is terminated. */
static void host(struct schedule_thread *self)
{
    struct nn_loop *loop = nn_loop_create(NULL);
    struct schedule_slot *slot = draw_slot(self);
    int protocol = draw_protocol(self);
    void *user;
    int events;

    CHECK(loop != NULL);
    int s = (int)CALL(self, nn_loop_socket(loop, AF_SP, protocol, loop));
    if (s >= 0) {
        prepare(self, s, protocol);
        close_socket(self, atomic_exchange(&slot->number, s));
        make_endpoint(self, slot, draw(self, 2));
        make_endpoint(self, slot, draw(self, 2));
    }
    for (unsigned turns = draw(self, HOST_TURNS); s >= 0 && turns > 0; turns--) {
        host_send(self, s);
        CALL(self, nn_loop_run(loop, 64));
        while (nn_loop_next_ready(loop, &user, &events))
            CHECK(user == loop);
        host_receive(self, s);
        usleep(draw(self, 1000));
    }
    call_begins(self, "nn_loop_destroy");
    nn_loop_destroy(loop);
    call_ends(self, 0);
}

/* Ends all sockets of the process, and lets it go on. */
static void call_term(struct schedule_thread *self)
{
    call_begins(self, "nn_term");
    nn_term();
    nn_init();
    call_ends(self, 0);
}

/* What a child does with sockets of its own. */
static void child_body(void)
{
    int s[2] = {nn_socket(AF_SP, NN_PAIR), nn_socket(AF_SP, NN_PAIR)};

    if (s[0] < 0 || s[1] < 0)
        _exit(nn_errno() == ETERM ? 0 : 2);
    CHECK_OK(nn_bind(s[0], "inproc://child"));
    CHECK_OK(nn_connect(s[1], "inproc://child"));
    CHECK_SENDS(s[1], "born");
    CHECK_RECEIVES(s[0], "born");
    _exit(0);
}

static void call_fork(struct schedule_thread *self)
{
    int status;

    if (!CAN_FORK)
        return;
    pid_t child = (pid_t)CHECK_OK(fork());
    if (child == 0) {
        alarm((unsigned)test_deadline_ms(10000) / 1000);
        child_body();
    }
    while (waitpid(child, &status, 0) < 0)
        CHECK_EQUAL(errno, EINTR);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        FAIL("a forked child ends with status %#x", (unsigned)status);
    atomic_fetch_add(&self->calls, 1);
}

void schedule_step(struct schedule_thread *self)
{
    static const struct {
        void (*call)(struct schedule_thread *self);
        unsigned weight;
    } rows[] = {
        {call_socket, 120},   {call_close, 40},      {call_bind, 60},     {call_connect, 90},
        {call_shutdown, 40},  {call_send, 150},      {call_receive, 150}, {call_send_burst, 30},
        {call_echo, 50},      {call_poll, 40},       {call_events, 20},   {call_set_option, 60},
        {call_subscribe, 20}, {call_get_option, 40}, {visit, 60},         {serve, 10},
        {host, 20},           {call_device, 10},     {call_fork, 2},      {call_term, 2},
    };
    unsigned total = 0;

    for (unsigned i = 0; i < COUNT_OF(rows); i++)
        total += rows[i].weight;
    unsigned drawn = draw(self, total);
    unsigned row = 0;
    while (drawn >= rows[row].weight)
        drawn -= rows[row++].weight;
    rows[row].call(self);
}

void schedule_close_all(struct schedule *self)
{
    for (int i = 0; i < SCHEDULE_SLOTS; i++) {
        int s = atomic_exchange(&self->slots[i].number, -1);
        if (s >= 0)
            nn_close(s);
    }
}
