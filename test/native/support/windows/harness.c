/* The harness on Windows, which has no fork: the program starts itself for each case, with its name. Cases that need
 * what there is not, such as ipc, are skipped. Handles that a case leaves open are not counted. */
#include "../harness.h"

#include <winsock2.h>

#include <process.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>
#include <ws2tcpip.h>

#define DEFAULT_DEADLINE_MS 60000
#define MAX_AT_END 16
#define MAX_TEXTS 256
#define TEXT_BYTES 96
#define SKIPPED 77 /* the status of a case */
#define CASE_ARGUMENT "--case"

static struct test_case *first_case;
static struct test_case **end_of_cases = &first_case;
static const char *current_name = "";
static void (*at_end[MAX_AT_END])(void);
static size_t at_end_count;
static int skipped;

/* ---- Registering ---- */

void test_register(struct test_case *test)
{
    *end_of_cases = test;
    end_of_cases = &test->next;
}

void test_at_end(void (*fn)(void))
{
    for (size_t i = 0; i < at_end_count; i++) {
        if (at_end[i] == fn)
            return;
    }
    if (at_end_count == MAX_AT_END)
        FAIL("more than %d functions to run at the end", MAX_AT_END);
    at_end[at_end_count++] = fn;
}

void test_allow_open(const char *target_part)
{
    (void)target_part;
}

/* ---- Cases ---- */

int test_deadline_ms(int deadline_ms)
{
    return deadline_ms;
}

int test_default_deadline_ms(void)
{
    const char *text = getenv("NN_TEST_DEADLINE_MS");

    return text != NULL && atoi(text) > 0 ? atoi(text) : DEFAULT_DEADLINE_MS;
}

const char *test_name(void)
{
    return current_name;
}

/* A case that crashes ends, instead of waiting for a debugger. */
static LONG WINAPI end_crashed(EXCEPTION_POINTERS *what)
{
    TerminateProcess(GetCurrentProcess(), what->ExceptionRecord->ExceptionCode);
    return EXCEPTION_EXECUTE_HANDLER;
}

static int run_here(const char *name)
{
    SetUnhandledExceptionFilter(end_crashed);

    struct test_case *test = first_case;

    while (test != NULL && strcmp(test->name, name) != 0)
        test = test->next;
    if (test == NULL)
        FAIL("there is no case %s", name);
    current_name = test->name;
    test->body();
    while (at_end_count > 0)
        at_end[--at_end_count]();
    return 0;
}

/* A process that does not outlive its case, nor do those that it starts. */
static HANDLE start_case(const char *name, HANDLE job)
{
    char path[MAX_PATH];
    char command[2 * MAX_PATH];
    STARTUPINFOA startup = {.cb = sizeof startup};
    PROCESS_INFORMATION process;

    if (GetModuleFileNameA(NULL, path, sizeof path) == 0)
        FAIL("GetModuleFileName: %lu", GetLastError());
    snprintf(command, sizeof command, "\"%s\" %s %s", path, CASE_ARGUMENT, name);
    if (!CreateProcessA(path, command, NULL, NULL, TRUE, CREATE_SUSPENDED, NULL, NULL, &startup, &process))
        FAIL("CreateProcess: %lu", GetLastError());
    AssignProcessToJobObject(job, process.hProcess);
    ResumeThread(process.hThread);
    CloseHandle(process.hThread);
    return process.hProcess;
}

static bool report(const char *name, bool is_in_time, DWORD status, int deadline_ms)
{
    if (!is_in_time)
        printf("FAILED %s: did not end within %d ms\n", name, deadline_ms);
    else if (status == SKIPPED)
        printf("skip   %s\n", name);
    else if (status == 1)
        printf("FAILED %s\n", name);
    else if (status != 0)
        printf("FAILED %s: ended with 0x%lx\n", name, status);
    else
        printf("ok     %s\n", name);
    fflush(stdout);
    return is_in_time && (status == 0 || status == SKIPPED);
}

bool test_run(const char *name, void (*body)(void), int deadline_ms)
{
    DWORD status = 1;

    (void)body;
    fflush(stdout);
    HANDLE job = CreateJobObjectA(NULL, NULL);
    HANDLE process = start_case(name, job);
    bool is_in_time = WaitForSingleObject(process, (DWORD)deadline_ms) == WAIT_OBJECT_0;
    if (is_in_time)
        GetExitCodeProcess(process, &status);
    else
        TerminateProcess(process, 1);
    TerminateJobObject(job, 1);
    CloseHandle(process);
    CloseHandle(job);
    skipped += is_in_time && status == SKIPPED;
    return report(name, is_in_time, status, deadline_ms);
}

/* ---- What cases need ---- */

__attribute__((format(printf, 1, 2))) static const char *keep(const char *format, ...)
{
    static char texts[MAX_TEXTS][TEXT_BYTES];
    static atomic_uint count;
    unsigned index = atomic_fetch_add(&count, 1);
    va_list arguments;

    if (index >= MAX_TEXTS)
        FAIL("a case asks for more than %d addresses", MAX_TEXTS);
    va_start(arguments, format);
    vsnprintf(texts[index], TEXT_BYTES, format, arguments);
    va_end(arguments);
    return texts[index];
}

static const char *free_address(const char *scheme)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    int size = sizeof address;
    WSADATA unused;

    WSAStartup(MAKEWORD(2, 2), &unused);
    SOCKET fd = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd == INVALID_SOCKET || bind(fd, (struct sockaddr *)&address, size) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) != 0)
        FAIL("cannot choose a port: %d", WSAGetLastError());
    closesocket(fd);
    return keep("%s://127.0.0.1:%u", scheme, (unsigned)ntohs(address.sin_port));
}

const char *test_tcp_address(void)
{
    return free_address("tcp");
}

const char *test_localhost_address(void)
{
    return free_address("tcp");
}

const char *test_ws_address(void)
{
    return free_address("ws");
}

const char *test_ipc_address(void)
{
    fflush(stdout);
    _exit(SKIPPED);
}

const char *test_path(const char *name)
{
    return keep("%s", name);
}

struct test_thread {
    HANDLE handle;
    void (*run)(void *argument);
    void *argument;
};

static unsigned __stdcall thread_main(void *thread)
{
    struct test_thread *self = thread;

    self->run(self->argument);
    return 0;
}

struct test_thread *test_thread_start(void (*run)(void *argument), void *argument)
{
    struct test_thread *thread = malloc(sizeof *thread);

    if (thread == NULL)
        FAIL("out of memory");
    thread->run = run;
    thread->argument = argument;
    thread->handle = (HANDLE)_beginthreadex(NULL, 0, thread_main, thread, 0, NULL);
    if (thread->handle == NULL)
        FAIL("_beginthreadex: %s", strerror(errno));
    return thread;
}

void test_thread_join(struct test_thread *thread)
{
    WaitForSingleObject(thread->handle, INFINITE);
    CloseHandle(thread->handle);
    free(thread);
}

/* ---- The program ---- */

int main(int argc, char **argv)
{
    int deadline_ms = test_default_deadline_ms();
    int passed = 0;
    int failed = 0;

    if (argc > 2 && strcmp(argv[1], CASE_ARGUMENT) == 0)
        return run_here(argv[2]);
    for (struct test_case *test = first_case; test != NULL; test = test->next) {
        if (argc > 1 && strstr(test->name, argv[1]) == NULL)
            continue;
        if (test_run(test->name, test->body, deadline_ms))
            passed++;
        else
            failed++;
    }
    printf("%d passed, %d failed, %d skipped\n", passed - skipped, failed, skipped);
    return failed > 0 || passed == skipped;
}
