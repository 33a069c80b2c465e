/* What the tests of the public API share: sockets that the case's end closes, messages that are text,
 * and conditions that are waited for. */
#ifndef TEST_SOCKETS_H
#define TEST_SOCKETS_H

#include "harness.h"
#include "system.h"

#include <nanomsg/nn.h>

/* Declares a case once for every transport; the body asks new_address for what it binds. */
#define TEST_OVER_TRANSPORTS(case_name)                                                                                \
    static void test_over_##case_name(const char *(*new_address)(void));                                               \
    TEST(case_name##_over_inproc)                                                                                      \
    {                                                                                                                  \
        test_over_##case_name(test_inproc_address);                                                                    \
    }                                                                                                                  \
    TEST(case_name##_over_ipc)                                                                                         \
    {                                                                                                                  \
        test_over_##case_name(test_ipc_address);                                                                       \
    }                                                                                                                  \
    TEST(case_name##_over_tcp)                                                                                         \
    {                                                                                                                  \
        test_over_##case_name(test_tcp_address);                                                                       \
    }                                                                                                                  \
    static void test_over_##case_name(const char *(*new_address)(void))

/* A name that no socket is bound to. The text is valid until the case ends. */
const char *test_inproc_address(void);

/* A socket whose calls give up before the case's own deadline, so that a failure tells its line. The
 * case ends with nn_term(). */
#define SOCKET(protocol) ((int)CHECK_OK(test_socket(AF_SP, (protocol))))
int test_socket(int domain, int protocol);

/* The same, bound or connected. */
int test_socket_bound(int protocol, const char *address);
int test_socket_connected(int protocol, const char *address);

#define SET_INT(s, level, option, value)                                                                               \
    do {                                                                                                               \
        int set_value = (value);                                                                                       \
        CHECK_OK(nn_setsockopt((s), (level), (option), &set_value, sizeof set_value));                                 \
    } while (0)
int test_get_int(int s, int level, int option);

/* Messages of text, without a final NUL. */
#define CHECK_SENDS(s, text) test_sends((s), (text), __FILE__, __LINE__)
#define CHECK_RECEIVES(s, text) test_receives((s), (text), __FILE__, __LINE__)
void test_sends(int s, const char *text, const char *file, int line);
void test_receives(int s, const char *text, const char *file, int line);

/* Receives one message of text into memory of the case, which the next call reuses. */
#define RECEIVE_TEXT(s) test_receive_text((s), __FILE__, __LINE__)
const char *test_receive_text(int s, const char *file, int line);

/* Fails unless nothing comes for a while. */
#define CHECK_SILENT(s) test_silent((s), __FILE__, __LINE__)
void test_silent(int s, const char *file, int line);

/* Waits until a statistic has, or has at least, the value. */
#define WAIT_STATISTIC(s, statistic, value) test_wait_statistic((s), (statistic), (value), false, __FILE__, __LINE__)
#define WAIT_STATISTIC_AT_LEAST(s, statistic, value)                                                                   \
    test_wait_statistic((s), (statistic), (value), true, __FILE__, __LINE__)
void test_wait_statistic(int s, int statistic, uint64_t value, bool or_more, const char *file, int line);

/* Waits until a socket has `count` peers. */
#define WAIT_PEERS(s, count) WAIT_STATISTIC((s), NN_STAT_CURRENT_CONNECTIONS, (count))

/* Waits until the engine has read all that this thread has sent so far over connections that both sides
 * have counted, so that it is known what can be received. Call it once before the first sending too: from
 * there on the thread stays on one processor, where packets to ourselves keep their order. */
void test_settle(void);

/* Whether a message could be received, or sent, by then. */
bool test_is_ready(int s, short event, int timeout_ms);
/* Whether the system says of a thread of this process that it sleeps. */
bool test_is_asleep(long thread_id);

/* Waits a moment before a condition is looked at again; true when the time is up. */
bool test_pause(int64_t deadline_ms);
/* A deadline for test_pause that fits a case. */
int64_t test_wait_deadline(void);

#endif
