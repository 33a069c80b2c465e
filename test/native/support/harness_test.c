/* The harness notices what it is for: failing checks, hangs, crashes, leaks. Each case here runs a
 * sample that misbehaves, and reads what is said about it. */
#include "harness.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SHORT_MS 200
#define LONG_MS 20000

struct outcome {
    bool passed;
    char text[4096];
};

/* Runs a sample with standard output in a file, which is returned as text. */
static struct outcome run(void (*sample)(void), int deadline_ms)
{
    struct outcome outcome = {.passed = false};

    fflush(stdout);
    int saved = dup(STDOUT_FILENO);
    int file = open(test_path("output"), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    CHECK_OK(saved);
    CHECK_OK(file);
    CHECK_OK(dup2(file, STDOUT_FILENO));
    outcome.passed = test_run("sample", sample, deadline_ms);
    CHECK_OK(dup2(saved, STDOUT_FILENO));
    CHECK_OK(pread(file, outcome.text, sizeof outcome.text - 1, 0));
    close(file);
    close(saved);
    return outcome;
}

#define CHECK_SAYS(outcome, words)                                                                                     \
    do {                                                                                                               \
        if (strstr((outcome).text, words) == NULL)                                                                     \
            FAIL("\"%s\" is not said in: %s", words, (outcome).text);                                                  \
    } while (0)

/* ---- Checks ---- */

static void sample_that_holds(void)
{
    CHECK(1 + 1 == 2);
    CHECK_EQUAL(-3, -3);
    CHECK_OK(0);
    CHECK_OK(7);
    CHECK_ERRNO(close(-1), EBADF);
    CHECK_BYTES("a\0b", 3, "a\0b", 3);
    CHECK_BYTES(NULL, 0, "", 0);
    CHECK_STRING("same", "same");
}

static void sample_condition(void)
{
    CHECK(1 + 1 == 3);
}
static void sample_equal(void)
{
    CHECK_EQUAL(6 * 7, 43);
}
static void sample_errno_of_call(void)
{
    CHECK_OK(close(-1));
}
static void sample_negative_errno(void)
{
    CHECK_OK(-EAGAIN);
}
static void sample_no_error(void)
{
    CHECK_ERRNO(0, EBADF);
}
static void sample_other_error(void)
{
    CHECK_ERRNO(close(-1), EINVAL);
}
static void sample_bytes(void)
{
    CHECK_BYTES("abc", 3, "abd", 3);
}
static void sample_byte_count(void)
{
    CHECK_BYTES("abc", 3, "abc", 2);
}
static void sample_string(void)
{
    CHECK_STRING("left", "right");
}
static void sample_null_string(void)
{
    CHECK_STRING(NULL, "right");
}

TEST(checks_that_hold_pass)
{
    struct outcome outcome = run(sample_that_holds, LONG_MS);

    CHECK(outcome.passed);
    CHECK_STRING(outcome.text, "ok     sample\n");
}

TEST(checks_that_do_not_hold_fail_and_show_the_values)
{
    static const struct {
        void (*sample)(void);
        const char *words;
    } rows[] = {
        {sample_condition, "not true: 1 + 1 == 3"},       {sample_equal, "6 * 7 is 42, not 43"},
        {sample_errno_of_call, "Bad file descriptor"},    {sample_negative_errno, "Resource temporarily unavailable"},
        {sample_no_error, "did not fail with EBADF"},     {sample_other_error, "not with EINVAL"},
        {sample_bytes, "0x63, not 0x64, in byte 2 of 3"}, {sample_byte_count, "has 3 bytes, not 2"},
        {sample_string, "is \"left\", not \"right\""},    {sample_null_string, "is NULL, not \"right\""},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct outcome outcome = run(rows[i].sample, LONG_MS);

        CHECK(!outcome.passed);
        CHECK_SAYS(outcome, rows[i].words);
        CHECK_SAYS(outcome, "harness_test.c:");
        CHECK_SAYS(outcome, "FAILED sample");
    }
}

static void fail_on_a_thread(void *argument)
{
    (void)argument;
    FAIL("from a thread");
}

static void sample_thread_that_fails(void)
{
    test_thread_join(test_thread_start(fail_on_a_thread, NULL));
}

TEST(a_check_that_fails_on_another_thread_fails_the_case)
{
    struct outcome outcome = run(sample_thread_that_fails, LONG_MS);

    CHECK(!outcome.passed);
    CHECK_SAYS(outcome, "from a thread");
}

/* ---- Processes ---- */

static void sample_hang(void)
{
    for (;;)
        pause();
}

static void sample_abort(void)
{
    signal(SIGABRT, SIG_DFL);
    abort();
}

static void sample_exit(void)
{
    _exit(9);
}

TEST(a_case_that_hangs_is_ended_at_its_deadline)
{
    struct outcome outcome = run(sample_hang, SHORT_MS);

    CHECK(!outcome.passed);
    CHECK_SAYS(outcome, "did not end within");
}

TEST(the_environment_sets_the_deadline_of_cases)
{
    CHECK_OK(unsetenv("NN_TEST_DEADLINE_MS"));
    CHECK_EQUAL(test_default_deadline_ms(), 30000);
    CHECK_OK(setenv("NN_TEST_DEADLINE_MS", "1500", 1));
    CHECK_EQUAL(test_default_deadline_ms(), 1500);
}

static void sample_deadline_that_is_no_number(void)
{
    CHECK_OK(setenv("NN_TEST_DEADLINE_MS", "30s", 1));
    test_default_deadline_ms();
}

TEST(a_deadline_that_is_no_number_is_refused)
{
    struct outcome outcome = run(sample_deadline_that_is_no_number, LONG_MS);

    CHECK(!outcome.passed);
    CHECK_SAYS(outcome, "NN_TEST_DEADLINE_MS is \"30s\"");
}

TEST(a_case_that_crashes_fails_with_the_signal)
{
    struct outcome outcome = run(sample_abort, LONG_MS);

    CHECK(!outcome.passed);
    CHECK_SAYS(outcome, "killed by signal 6");
}

TEST(a_case_that_leaves_early_fails_with_its_status)
{
    struct outcome outcome = run(sample_exit, LONG_MS);

    CHECK(!outcome.passed);
    CHECK_SAYS(outcome, "exited with 9");
}

static int pipe_to_descendant[2];

static void sample_with_descendant(void)
{
    if (fork() == 0)
        sample_hang();
}

/* The read end sees the end of file when no process holds the write end any more. */
TEST(what_a_case_has_started_ends_with_it)
{
    char byte;

    CHECK_OK(pipe(pipe_to_descendant));
    struct outcome outcome = run(sample_with_descendant, LONG_MS);
    CHECK(outcome.passed);
    close(pipe_to_descendant[1]);
    CHECK_EQUAL(read(pipe_to_descendant[0], &byte, 1), 0);
    close(pipe_to_descendant[0]);
}

/* ---- Descriptors ---- */

static int left_open;

static void sample_leak(void)
{
    left_open = open("/dev/null", O_RDONLY);
    CHECK_OK(left_open);
}

static void close_left_open(void)
{
    close(left_open);
}

static void sample_leak_released_at_the_end(void)
{
    sample_leak();
    test_at_end(close_left_open);
    test_at_end(close_left_open);
}

TEST(a_descriptor_that_is_left_open_fails_the_case)
{
    struct outcome outcome = run(sample_leak, LONG_MS);

    CHECK(!outcome.passed);
    CHECK_SAYS(outcome, "is left open: /dev/null");
}

static void sample_leak_allowed(void)
{
    test_allow_open("/dev/null");
    sample_leak();
}

static void sample_other_leak_than_allowed(void)
{
    test_allow_open("anon_inode:[eventfd]");
    sample_leak();
}

TEST(a_descriptor_of_a_kind_that_may_stay_open_is_no_leak)
{
    CHECK(run(sample_leak_allowed, LONG_MS).passed);
    CHECK(!run(sample_other_leak_than_allowed, LONG_MS).passed);
}

TEST(a_descriptor_that_is_closed_at_the_end_is_no_leak)
{
    CHECK(run(sample_leak_released_at_the_end, LONG_MS).passed);
}

/* ---- Addresses ---- */

TEST(addresses_are_distinct_and_stay_valid)
{
    const char *first = test_ipc_address();
    const char *second = test_ipc_address();

    CHECK(strcmp(first, second) != 0);
    CHECK(strncmp(first, "ipc:///tmp/", 11) == 0);
    CHECK(strncmp(test_tcp_address(), "tcp://127.", 10) == 0);
    CHECK(strlen(first + strlen("ipc://")) < 108);
}
