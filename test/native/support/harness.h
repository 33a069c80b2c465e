/* Tests of the engine: cases register themselves, and each runs in a process of its own that has a
 * deadline and must leave no descriptor open.
 *
 *     TEST(a_push_without_a_peer_times_out)
 *     {
 *         CHECK_OK(nn_bind(push, test_tcp_address()));
 *         CHECK_ERRNO(nn_send(push, "x", 1, 0), ETIMEDOUT);
 *     }
 *
 * A failing check, on whichever thread, ends the case. The program takes a part of a name: only cases
 * whose names contain it run. */
#ifndef TEST_HARNESS_H
#define TEST_HARNESS_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- Cases ---- */

struct test_case {
    const char *name;
    void (*body)(void);
    struct test_case *next;
};

void test_register(struct test_case *test);

#define TEST(case_name)                                                                                                \
    static void test_body_##case_name(void);                                                                           \
    static struct test_case test_case_##case_name = {                                                                  \
        .name = #case_name,                                                                                            \
        .body = test_body_##case_name,                                                                                 \
    };                                                                                                                 \
    __attribute__((constructor)) static void test_register_##case_name(void)                                           \
    {                                                                                                                  \
        test_register(&test_case_##case_name);                                                                         \
    }                                                                                                                  \
    static void test_body_##case_name(void)

/* The name of the case that runs, for bodies that several cases share. */
const char *test_name(void);

/* Runs fn in the child when the body has returned, before descriptors are counted; the last one
 * registered runs first, and each runs once. */
void test_at_end(void (*fn)(void));

/* Descriptors that the case leaves open are no leak when /proc/self/fd shows this text for them, as in
 * "anon_inode:[eventfd]". The text is borrowed until the case ends. */
void test_allow_open(const char *target_part);

/* The deadline of a case in main(): 30 s, or NN_TEST_DEADLINE_MS of the environment. */
int test_default_deadline_ms(void);

/* Runs one body in a process of its own and prints how it ended. Returns true when it passed. The
 * deadline grows under sanitizers. */
bool test_run(const char *name, void (*body)(void), int deadline_ms);

/* A deadline for what a test waits for itself, grown under sanitizers likewise. */
int test_deadline_ms(int deadline_ms);

/* ---- Checks ---- */

/* True, or the case fails with the expression's text. */
#define CHECK(condition) test_check((condition), #condition, __FILE__, __LINE__)

/* Equal integers. */
#define CHECK_EQUAL(actual, expected)                                                                                  \
    test_check_equal((intmax_t)(actual), (intmax_t)(expected), #actual, #expected, __FILE__, __LINE__)

/* Not negative; a failure explains -1 by errno, and other values as negative errnos. */
#define CHECK_OK(call) (errno = 0, test_check_ok((intmax_t)(call), #call, __FILE__, __LINE__))

/* -1, with this errno. */
#define CHECK_ERRNO(call, code)                                                                                        \
    (errno = 0, test_check_errno((intmax_t)(call), (code), #call, #code, __FILE__, __LINE__))

/* Equal bytes: a pointer and a count, twice. */
#define CHECK_BYTES(actual, actual_bytes, expected, expected_bytes)                                                    \
    test_check_bytes((actual), (actual_bytes), (expected), (expected_bytes), #actual, __FILE__, __LINE__)

#define CHECK_STRING(actual, expected) test_check_string((actual), (expected), #actual, __FILE__, __LINE__)

/* Ends the case with a message as of printf. */
#define FAIL(...) test_fail(__FILE__, __LINE__, __VA_ARGS__)

#ifdef __MINGW32__
#define TEST_PRINTF gnu_printf /* by __USE_MINGW_ANSI_STDIO; the system's own lacks %zu */
#else
#define TEST_PRINTF printf
#endif
__attribute__((noreturn, format(TEST_PRINTF, 3, 4))) void test_fail(const char *file, int line, const char *format,
                                                                    ...);

void test_check(bool is_true, const char *text, const char *file, int line);
void test_check_equal(intmax_t actual, intmax_t expected, const char *actual_text, const char *expected_text,
                      const char *file, int line);
intmax_t test_check_ok(intmax_t rc, const char *text, const char *file, int line);
void test_check_errno(intmax_t rc, int code, const char *text, const char *code_text, const char *file, int line);
void test_check_bytes(const void *actual, size_t actual_bytes, const void *expected, size_t expected_bytes,
                      const char *text, const char *file, int line);
void test_check_string(const char *actual, const char *expected, const char *text, const char *file, int line);

/* ---- What cases need ---- */

/* An address that nothing listens on: a port that the system has chosen, or a path in a directory that
 * is removed at the end. The text is valid until the case ends. */
const char *test_tcp_address(void);
const char *test_ipc_address(void);
const char *test_ws_address(void);
/* The same on 127.0.0.1, for tests in which the host's name counts. */
const char *test_localhost_address(void);

/* A path in that directory. */
const char *test_path(const char *name);

struct test_thread;

/* Starts a thread; joining frees it. */
struct test_thread *test_thread_start(void (*run)(void *argument), void *argument);
void test_thread_join(struct test_thread *thread);

#endif
