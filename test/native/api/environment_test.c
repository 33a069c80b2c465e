/* NN_PRINT_ERRORS: errors of endpoints on stderr, in the words of libnanomsg. */
#include "sockets.h"

#include <nanomsg/pair.h>
#include <nanomsg/pipeline.h>

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Whatever the case's process writes to stderr from now on can be read here. */
static FILE *capture_errors(void)
{
    int ends[2];

    CHECK_OK(pipe2(ends, O_CLOEXEC));
    CHECK_OK(dup2(ends[1], STDERR_FILENO));
    close(ends[1]);
    FILE *errors = fdopen(ends[0], "r");
    CHECK(errors != NULL);
    setvbuf(errors, NULL, _IONBF, 0); /* so that poll() sees what has not been read */
    return errors;
}

static void check_says(FILE *errors, const char *expected)
{
    char line[512] = "";

    CHECK(fgets(line, sizeof line, errors) != NULL);
    line[strcspn(line, "\n")] = '\0';
    CHECK_STRING(line, expected);
}

static void check_says_nothing(FILE *errors)
{
    struct pollfd ready = {.fd = fileno(errors), .events = POLLIN};

    CHECK_EQUAL(poll(&ready, 1, 0), 0);
}

/* Connects to an address without a listener, and waits for that number of failures. */
static int connect_in_vain(int s, const char *address, uint64_t failures)
{
    uint64_t before = nn_get_statistic(s, NN_STAT_CONNECT_ERRORS);

    SET_INT(s, NN_SOL_SOCKET, NN_RECONNECT_IVL, 1);
    int endpoint = (int)CHECK_OK(nn_connect(s, address));
    WAIT_STATISTIC_AT_LEAST(s, NN_STAT_CONNECT_ERRORS, before + failures);
    return endpoint;
}

TEST(errors_are_printed_with_the_socket_and_the_address)
{
    const char *address = test_tcp_address();
    char expected[256];

    setenv("NN_PRINT_ERRORS", "1", 1);
    FILE *errors = capture_errors();
    int s = SOCKET(NN_PAIR);

    connect_in_vain(s, address, 1);
    snprintf(expected, sizeof expected, "nanomsg: socket.%d[%s]: Error: Connection refused", s,
             address + strlen("tcp://"));
    check_says(errors, expected);
    CHECK_OK(nn_close(s));
    fclose(errors);
}

TEST(the_name_of_the_socket_is_printed_when_it_has_one)
{
    const char *address = test_ipc_address();
    char expected[256];

    setenv("NN_PRINT_ERRORS", "yes", 1);
    FILE *errors = capture_errors();
    int s = SOCKET(NN_PAIR);

    CHECK_OK(nn_setsockopt(s, NN_SOL_SOCKET, NN_SOCKET_NAME, "clock", 5));
    connect_in_vain(s, address, 1);
    snprintf(expected, sizeof expected, "nanomsg: socket.clock[%s]: Error: No such file or directory",
             address + strlen("ipc://"));
    check_says(errors, expected);
    CHECK_OK(nn_close(s));
    fclose(errors);
}

TEST(an_error_that_goes_on_is_printed_once)
{
    setenv("NN_PRINT_ERRORS", "1", 1);
    FILE *errors = capture_errors();
    int s = SOCKET(NN_PAIR);
    char line[512];

    int endpoint = connect_in_vain(s, test_tcp_address(), 5);
    CHECK(fgets(line, sizeof line, errors) != NULL);
    CHECK_OK(nn_shutdown(s, endpoint));
    check_says_nothing(errors);
    CHECK_OK(nn_close(s));
    fclose(errors);
}

TEST(a_peer_of_another_type_is_an_error_too)
{
    const char *address = test_tcp_address();
    char expected[256];

    setenv("NN_PRINT_ERRORS", "1", 1);
    FILE *errors = capture_errors();
    int peer = test_socket_bound(NN_PUSH, address);
    int s = test_socket_connected(NN_PAIR, address);

    (void)peer;
    snprintf(expected, sizeof expected, "nanomsg: socket.%d[%s]: Error: Protocol error", s, address + strlen("tcp://"));
    check_says(errors, expected);
    CHECK_OK(nn_close(s));
    fclose(errors);
}

static void check_silence(const char *setting)
{
    if (setting != NULL)
        setenv("NN_PRINT_ERRORS", setting, 1);
    else
        unsetenv("NN_PRINT_ERRORS");
    FILE *errors = capture_errors();
    int s = SOCKET(NN_PAIR);

    connect_in_vain(s, test_tcp_address(), 2);
    check_says_nothing(errors);
    CHECK_OK(nn_close(s));
    fclose(errors);
}

TEST(nothing_is_printed_without_the_variable)
{
    check_silence(NULL);
}

TEST(nothing_is_printed_when_the_variable_is_empty)
{
    check_silence("");
}
