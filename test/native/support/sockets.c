/* Sockets for tests of the public API. */
#include "sockets.h"

#include <nanomsg/pair.h>

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

/* How /proc shows an event of platform/event.h. */
#ifdef EVENTS_ARE_PIPES
#define EVENT_FD "pipe:"
#else
#define EVENT_FD "anon_inode:[eventfd]"
#endif

#define LIMIT_MS 8000
#define SILENCE_MS 60
#define NAMES 256

const char *test_inproc_address(void)
{
    static char names[NAMES][32];
    static atomic_uint count;
    unsigned index = atomic_fetch_add(&count, 1);

    if (index >= NAMES)
        FAIL("a case asks for more than %d names", NAMES);
    snprintf(names[index], sizeof names[index], "inproc://name-%u", index);
    return names[index];
}

int test_socket(int domain, int protocol)
{
    static atomic_bool is_prepared;
    int s = nn_socket(domain, protocol);

    if (!atomic_exchange(&is_prepared, true)) {
        test_at_end(nn_term);
        test_allow_open(EVENT_FD); /* a thread keeps what it sleeps on */
    }
    if (s >= 0) {
        SET_INT(s, NN_SOL_SOCKET, NN_SNDTIMEO, test_deadline_ms(LIMIT_MS));
        SET_INT(s, NN_SOL_SOCKET, NN_RCVTIMEO, test_deadline_ms(LIMIT_MS));
    }
    return s;
}

int test_socket_bound(int protocol, const char *address)
{
    int s = SOCKET(protocol);

    CHECK_OK(nn_bind(s, address));
    return s;
}

int test_socket_connected(int protocol, const char *address)
{
    int s = SOCKET(protocol);

    CHECK_OK(nn_connect(s, address));
    return s;
}

int test_get_int(int s, int level, int option)
{
    int value = 0;
    size_t size = sizeof value;

    CHECK_OK(nn_getsockopt(s, level, option, &value, &size));
    CHECK_EQUAL(size, sizeof value);
    return value;
}

void test_sends(int s, const char *text, const char *file, int line)
{
    size_t length = strlen(text);
    int rc = nn_send(s, text, length, 0);

    if (rc < 0)
        test_fail(file, line, "cannot send \"%s\": %s", text, nn_strerror(nn_errno()));
    if ((size_t)rc != length)
        test_fail(file, line, "sending \"%s\" gives %d, not %zu", text, rc, length);
}

const char *test_receive_text(int s, const char *file, int line)
{
    static _Thread_local char text[4096];
    int rc = nn_recv(s, text, sizeof text - 1, 0);

    if (rc < 0)
        test_fail(file, line, "cannot receive: %s", nn_strerror(nn_errno()));
    if ((size_t)rc >= sizeof text)
        test_fail(file, line, "a message of %d bytes is no text", rc);
    text[rc] = '\0';
    return text;
}

void test_receives(int s, const char *text, const char *file, int line)
{
    const char *received = test_receive_text(s, file, line);

    if (strcmp(received, text) != 0)
        test_fail(file, line, "received \"%s\", not \"%s\"", received, text);
}

void test_silent(int s, const char *file, int line)
{
    char text[64] = "";
    int before = test_get_int(s, NN_SOL_SOCKET, NN_RCVTIMEO);

    SET_INT(s, NN_SOL_SOCKET, NN_RCVTIMEO, SILENCE_MS);
    int rc = nn_recv(s, text, sizeof text - 1, 0);
    if (rc >= 0)
        test_fail(file, line, "received %d bytes, \"%s\", and not nothing", rc, text);
    if (nn_errno() != ETIMEDOUT)
        test_fail(file, line, "cannot receive: %s", nn_strerror(nn_errno()));
    SET_INT(s, NN_SOL_SOCKET, NN_RCVTIMEO, before);
}

bool test_is_ready(int s, short event, int timeout_ms)
{
    struct nn_pollfd entry = {.fd = s, .events = event};

    return CHECK_OK(nn_poll(&entry, 1, timeout_ms)) == 1;
}

/* The engine has one thread, which looks at connections in the order in which they have become readable:
 * when this message has come, those before it have. */
void test_settle(void)
{
    static int from = -1;
    static int to = -1;

    if (from < 0) {
        test_stay_on_this_processor();
        const char *address = test_tcp_address();
        to = test_socket_bound(NN_PAIR, address);
        from = test_socket_connected(NN_PAIR, address);
    }
    /* When the first has come, what a burst of sends has held is under way. */
    for (int i = 0; i < 2; i++) {
        CHECK_SENDS(from, "settle");
        /* A call that waits for the message itself would read it without the engine's thread. */
        CHECK(test_is_ready(to, NN_POLLIN, test_deadline_ms(LIMIT_MS)));
        CHECK_RECEIVES(to, "settle");
    }
}

int64_t test_wait_deadline(void)
{
    return test_now_ms() + test_deadline_ms(LIMIT_MS);
}

bool test_pause(int64_t deadline_ms)
{
    test_pause_moment();
    return test_now_ms() > deadline_ms;
}

void test_wait_statistic(int s, int statistic, uint64_t value, bool or_more, const char *file, int line)
{
    int64_t deadline_ms = test_wait_deadline();
    uint64_t current;

    while ((current = nn_get_statistic(s, statistic)) != value && !(or_more && current > value)) {
        if (test_pause(deadline_ms))
            test_fail(file, line, "statistic %d stays at %ju, and does not become %ju", statistic, (uintmax_t)current,
                      (uintmax_t)value);
    }
}
