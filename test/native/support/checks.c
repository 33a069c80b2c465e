/* The checks of cases: what they find, and the end of a case that fails. */
#include "harness.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Leaves without the exit handlers: a failed case has released nothing, which a leak check would only
 * repeat. */
void test_fail(const char *file, int line, const char *format, ...)
{
    char text[1024];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    printf("    %s:%d: %s\n", file, line, text);
    fflush(stdout);
    _exit(1);
}

void test_check(bool is_true, const char *text, const char *file, int line)
{
    if (!is_true)
        test_fail(file, line, "not true: %s", text);
}

void test_check_equal(intmax_t actual, intmax_t expected, const char *actual_text, const char *expected_text,
                      const char *file, int line)
{
    if (actual != expected)
        test_fail(file, line, "%s is %jd, not %jd (%s)", actual_text, actual, expected, expected_text);
}

intmax_t test_check_ok(intmax_t rc, const char *text, const char *file, int line)
{
    int code = rc == -1 ? errno : (int)-rc;

    if (rc < 0)
        test_fail(file, line, "%s failed: %s (%d)", text, strerror(code), code);
    return rc;
}

void test_check_errno(intmax_t rc, int code, const char *text, const char *code_text, const char *file, int line)
{
    int actual = errno;

    if (rc != -1)
        test_fail(file, line, "%s is %jd, and did not fail with %s", text, rc, code_text);
    if (actual != code)
        test_fail(file, line, "%s failed with %s (%d), not with %s (%d)", text, strerror(actual), actual, code_text,
                  code);
}

void test_check_bytes(const void *actual, size_t actual_bytes, const void *expected, size_t expected_bytes,
                      const char *text, const char *file, int line)
{
    const uint8_t *left = actual;
    const uint8_t *right = expected;

    if (actual_bytes != expected_bytes)
        test_fail(file, line, "%s has %zu bytes, not %zu", text, actual_bytes, expected_bytes);
    for (size_t i = 0; i < actual_bytes; i++) {
        if (left[i] != right[i])
            test_fail(file, line, "%s has 0x%02x, not 0x%02x, in byte %zu of %zu", text, left[i], right[i], i,
                      actual_bytes);
    }
}

void test_check_string(const char *actual, const char *expected, const char *text, const char *file, int line)
{
    if (actual == NULL)
        test_fail(file, line, "%s is NULL, not \"%s\"", text, expected);
    if (strcmp(actual, expected) != 0)
        test_fail(file, line, "%s is \"%s\", not \"%s\"", text, actual, expected);
}
