/* One side of an exchange of messages, for programs that are built with this library, with libnanomsg or with NNG:
 *
 *     conversation asks|answers TYPE binds|connects ADDRESS
 *
 * It prints "ready" when it has bound or connected, and "done" when it has done its part; then it keeps its socket open
 * until its input ends, so that nothing on the way is lost. It uses nothing but the functions that all three have. */
#include <nanomsg/bus.h>
#include <nanomsg/nn.h>
#include <nanomsg/pair.h>
#include <nanomsg/pipeline.h>
#include <nanomsg/pubsub.h>
#include <nanomsg/reqrep.h>
#include <nanomsg/survey.h>

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#define LIMIT_MS 20000
#define SHORT_LIMIT_MS 100
#define PIECES_OF_WORK 200
#define PUBLICATIONS 20

__attribute__((noreturn, format(printf, 1, 2))) static void fail(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "\n");
    exit(1);
}

static int check(int rc, const char *call)
{
    if (rc < 0)
        fail("%s: %s", call, nn_strerror(nn_errno()));
    return rc;
}

static void set_int(int s, int level, int option, int value)
{
    check(nn_setsockopt(s, level, option, &value, sizeof value), "nn_setsockopt");
}

static void say(const char *word)
{
    puts(word);
    fflush(stdout);
}

/* Whether the test that started this wants it to end. */
static bool is_over(int limit_ms)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    char byte;

    return poll(&input, 1, limit_ms) == 1 && read(STDIN_FILENO, &byte, 1) == 0;
}

static void done(void)
{
    say("done");
    while (!is_over(-1)) {
    }
}

/* ---- Questions and answers ---- */

#define LONGEST 200000

static const size_t sizes[] = {0, 1, 1000, LONGEST};

static uint8_t *make_body(size_t size, size_t seed)
{
    uint8_t *body = malloc(size + 1);

    if (body == NULL)
        fail("no memory");
    for (size_t i = 0; i < size; i++)
        body[i] = (uint8_t)(i * 7 + seed);
    return body;
}

/* Receives a message and tells whether it is this one; false also when none comes in time. */
static bool receives(int s, const void *expected, size_t size, bool may_wait)
{
    void *body = NULL;
    int rc = nn_recv(s, &body, NN_MSG, 0);

    if (rc < 0 && may_wait && nn_errno() == ETIMEDOUT)
        return false;
    check(rc, "nn_recv");
    bool is_same = (size_t)rc == size && (size == 0 || memcmp(body, expected, size) == 0);
    nn_freemsg(body);
    return is_same;
}

static void ask(int s)
{
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        uint8_t *body = make_body(sizes[i], i);
        check(nn_send(s, body, sizes[i], 0), "nn_send");
        if (!receives(s, body, sizes[i], false))
            fail("the answer to %zu bytes is another one", sizes[i]);
        free(body);
    }
    done();
}

/* Where messages may be dropped, as before the peer is there: asks again until the answer has come. */
static void ask_until_answered(int s)
{
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        uint8_t *body = make_body(sizes[i], i);
        int attempts = LIMIT_MS / SHORT_LIMIT_MS;
        do {
            if (attempts-- == 0)
                fail("no answer to %zu bytes", sizes[i]);
            check(nn_send(s, body, sizes[i], 0), "nn_send");
        } while (!receives(s, body, sizes[i], true));
        free(body);
    }
    done();
}

static void ask_again(int s)
{
    set_int(s, NN_SOL_SOCKET, NN_RCVTIMEO, SHORT_LIMIT_MS);
    ask_until_answered(s);
}

/* The deadline of the survey ends nn_recv. A timeout of nn_recv that comes at the same time makes NNG's hang now and
 * then. */
static void ask_all(int s)
{
    set_int(s, NN_SURVEYOR, NN_SURVEYOR_DEADLINE, SHORT_LIMIT_MS);
    ask_until_answered(s);
}

static void answer(int s)
{
    say("done");
    set_int(s, NN_SOL_SOCKET, NN_RCVTIMEO, 20);
    while (!is_over(0)) {
        static uint8_t body[LONGEST];
        int rc = nn_recv(s, body, sizeof body, 0);
        if (rc < 0 && nn_errno() == ETIMEDOUT)
            continue;
        check(rc, "nn_recv");
        check(nn_send(s, body, (size_t)rc, 0), "nn_send");
    }
}

/* ---- Long messages ---- */

/* Above the limit of one frame of NNG's WebSockets, 1 MiB. */
static const size_t long_sizes[] = {1048576, 1048577, 16777216};

static void ask_long(int s)
{
    for (size_t i = 0; i < COUNT_OF(long_sizes); i++) {
        uint8_t *body = make_body(long_sizes[i], i);
        check(nn_send(s, body, long_sizes[i], 0), "nn_send");
        if (!receives(s, body, long_sizes[i], false))
            fail("the answer to %zu bytes is another one", long_sizes[i]);
        free(body);
    }
    done();
}

static void answer_long(int s)
{
    for (size_t i = 0; i < COUNT_OF(long_sizes); i++) {
        void *body = NULL;
        check(nn_recv(s, &body, NN_MSG, 0), "nn_recv");
        check(nn_send(s, &body, NN_MSG, 0), "nn_send");
    }
    done();
}

/* ---- Work ---- */

static size_t work_size(size_t number)
{
    return number * 37 % 5000;
}

static void give_work(int s)
{
    for (size_t i = 0; i < PIECES_OF_WORK; i++) {
        uint8_t *body = make_body(work_size(i), i);
        check(nn_send(s, body, work_size(i), 0), "nn_send");
        free(body);
    }
    done();
}

static void take_work(int s)
{
    for (size_t i = 0; i < PIECES_OF_WORK; i++) {
        uint8_t *expected = make_body(work_size(i), i);
        if (!receives(s, expected, work_size(i), false))
            fail("piece %zu of the work is another one", i);
        free(expected);
    }
    done();
}

/* ---- Publications ---- */

static void publish(int s)
{
    say("done");
    for (int number = 0; !is_over(1); number++) {
        char text[32];
        check(nn_send(s, "other", 5, 0), "nn_send");
        int length = snprintf(text, sizeof text, "topic %d", number);
        check(nn_send(s, text, (size_t)length, 0), "nn_send");
    }
}

static void subscribe(int s)
{
    int last = -1;

    for (int i = 0; i < PUBLICATIONS; i++) {
        char text[32] = "";
        int number = -1;
        check(nn_recv(s, text, sizeof text - 1, 0), "nn_recv");
        if (sscanf(text, "topic %d", &number) != 1 || number <= last)
            fail("received \"%s\" after %d", text, last);
        last = number;
    }
    done();
}

/* ---- */

static const struct part {
    const char *role;
    const char *type;
    int protocol;
    void (*play)(int s);
} parts[] = {
    {"asks", "pair", NN_PAIR, ask},
    {"answers", "pair", NN_PAIR, answer},
    {"asks", "long", NN_PAIR, ask_long},
    {"answers", "long", NN_PAIR, answer_long},
    {"asks", "req", NN_REQ, ask},
    {"answers", "rep", NN_REP, answer},
    {"asks", "push", NN_PUSH, give_work},
    {"answers", "pull", NN_PULL, take_work},
    {"asks", "pub", NN_PUB, publish},
    {"answers", "sub", NN_SUB, subscribe},
    {"asks", "surveyor", NN_SURVEYOR, ask_all},
    {"answers", "respondent", NN_RESPONDENT, answer},
    {"asks", "bus", NN_BUS, ask_again},
    {"answers", "bus", NN_BUS, answer},
};

static const struct part *find_part(const char *role, const char *type)
{
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        if (strcmp(parts[i].role, role) == 0 && strcmp(parts[i].type, type) == 0)
            return &parts[i];
    }
    fail("no part for a %s that %s", type, role);
}

static int open_socket(const struct part *part)
{
    int s = check(nn_socket(AF_SP, part->protocol), "nn_socket");

    if (part->protocol == NN_SUB)
        check(nn_setsockopt(s, NN_SUB, NN_SUB_SUBSCRIBE, "topic", 5), "nn_setsockopt");
    if (part->play == ask_long || part->play == answer_long)
        set_int(s, NN_SOL_SOCKET, NN_RCVMAXSIZE, -1);
    if (part->protocol != NN_PULL && part->protocol != NN_SUB)
        set_int(s, NN_SOL_SOCKET, NN_SNDTIMEO, LIMIT_MS);
    if (part->protocol != NN_PUSH && part->protocol != NN_PUB)
        set_int(s, NN_SOL_SOCKET, NN_RCVTIMEO, LIMIT_MS);
    return s;
}

int main(int argc, char **argv)
{
    if (argc != 5)
        fail("conversation asks|answers TYPE binds|connects ADDRESS");

    const struct part *part = find_part(argv[1], argv[2]);
    int s = open_socket(part);
    if (strcmp(argv[3], "binds") == 0)
        check(nn_bind(s, argv[4]), "nn_bind");
    else
        check(nn_connect(s, argv[4]), "nn_connect");
    say("ready");
    part->play(s);
#ifndef NN_MAY_HANG_IN_CLOSE
    check(nn_close(s), "nn_close");
#endif
    return 0;
}
