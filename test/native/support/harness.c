/* Runs the cases of a test program one by one, each in a forked child. The parent has one thread and
 * opens nothing, so that a child begins with a clean process. */
#include "harness.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define DEFAULT_DEADLINE_MS 30000
#define MAX_DEADLINE_MS (24 * 60 * 60 * 1000)
#define MAX_DESCRIPTORS 4096
#define MAX_AT_END 16
#define MAX_ALLOWED 16
#define MAX_TEXTS 256
#define PATH_BYTES 96 /* fits into a sockaddr_un */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define DEADLINE_FACTOR 4
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define DEADLINE_FACTOR 4
#endif
#endif
#ifndef DEADLINE_FACTOR
#define DEADLINE_FACTOR 1
#endif

static struct test_case *first_case;
static struct test_case **end_of_cases = &first_case;
static const char *current_name = "";
static void (*at_end[MAX_AT_END])(void);
static size_t at_end_count;
static const char *allowed[MAX_ALLOWED];
static size_t allowed_count;
static char directory[] = "/tmp/nn-test-XXXXXX";

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

/* ---- Descriptors ---- */

/* Marks the open descriptors; the one that reads the list is not counted. */
static void descriptors_read(bool is_open[MAX_DESCRIPTORS])
{
    DIR *list = opendir("/proc/self/fd");
    struct dirent *entry;

    if (list == NULL)
        FAIL("/proc/self/fd: %s", strerror(errno));
    memset(is_open, 0, MAX_DESCRIPTORS * sizeof is_open[0]);
    while ((entry = readdir(list)) != NULL) {
        int fd = atoi(entry->d_name);

        if (entry->d_name[0] != '.' && fd < MAX_DESCRIPTORS && fd != dirfd(list))
            is_open[fd] = true;
    }
    closedir(list);
}

void test_allow_open(const char *target_part)
{
    if (allowed_count == MAX_ALLOWED)
        FAIL("more than %d kinds of descriptors to allow", MAX_ALLOWED);
    allowed[allowed_count++] = target_part;
}

static bool is_allowed(const char *target)
{
    for (size_t i = 0; i < allowed_count; i++) {
        if (strstr(target, allowed[i]) != NULL)
            return true;
    }
    return false;
}

/* What a descriptor is of; false when it is closed by now. */
static bool descriptor_target(int fd, char target[256])
{
    char link[64];

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, target, 255);
    if (length < 0)
        return false;
    target[length] = '\0';
    return true;
}

/* Counts those that were not there before, and prints them if asked to. */
static int descriptors_left(const bool before[MAX_DESCRIPTORS], bool is_printing)
{
    bool after[MAX_DESCRIPTORS];
    char target[256];
    int count = 0;

    descriptors_read(after);
    for (int fd = 0; fd < MAX_DESCRIPTORS; fd++) {
        if (before[fd] || !after[fd] || !descriptor_target(fd, target) || is_allowed(target))
            continue;
        if (is_printing)
            printf("    descriptor %d is left open: %s\n", fd, target);
        count++;
    }
    return count;
}

/* A cancelled look-up of a name has a descriptor for a moment; a leak stays. */
#define MOMENT_LOOKS 100

static int descriptors_report_leaks(const bool before[MAX_DESCRIPTORS])
{
    struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};

    for (int looks = 0; looks < MOMENT_LOOKS && descriptors_left(before, false) > 0; looks++)
        nanosleep(&pause, NULL);
    return descriptors_left(before, true);
}

/* ---- One case ---- */

int test_deadline_ms(int deadline_ms)
{
    return deadline_ms * DEADLINE_FACTOR;
}

int test_default_deadline_ms(void)
{
    const char *text = getenv("NN_TEST_DEADLINE_MS");
    char *end;

    if (text == NULL)
        return DEFAULT_DEADLINE_MS;
    errno = 0;
    long deadline_ms = strtol(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || deadline_ms < 1 || deadline_ms > MAX_DEADLINE_MS)
        FAIL("NN_TEST_DEADLINE_MS is \"%s\", not a number from 1 to %d", text, MAX_DEADLINE_MS);
    return (int)deadline_ms;
}

/* Leaves through exit(), where the sanitizers have their say. */
__attribute__((noreturn)) static void child_run(void (*body)(void))
{
    static bool before[MAX_DESCRIPTORS];

    descriptors_read(before);
    body();
    while (at_end_count > 0)
        at_end[--at_end_count]();
    int leaks = descriptors_report_leaks(before);
    fflush(stdout);
    if (leaks > 0)
        _exit(1);
    exit(0);
}

static struct timespec time_until(const struct timespec *deadline)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    struct timespec left = {deadline->tv_sec - now.tv_sec, deadline->tv_nsec - now.tv_nsec};
    if (left.tv_nsec < 0) {
        left.tv_sec--;
        left.tv_nsec += 1000000000L;
    }
    if (left.tv_sec < 0)
        return (struct timespec){0, 0};
    return left;
}

/* Waits for the child, whose end is announced by SIGCHLD, which is blocked. Returns false when the
 * deadline has passed; the child is gone in any case. */
static bool child_wait(pid_t child, const sigset_t *child_signal, int deadline_ms, int *status)
{
    struct timespec deadline;

    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += deadline_ms / 1000;
    deadline.tv_nsec += deadline_ms % 1000 * 1000000L;
    if (deadline.tv_nsec >= 1000000000L) {
        deadline.tv_sec++;
        deadline.tv_nsec -= 1000000000L;
    }

    while (waitpid(child, status, WNOHANG) == 0) {
        struct timespec left = time_until(&deadline);

        if (left.tv_sec == 0 && left.tv_nsec == 0) {
            kill(-child, SIGKILL);
            waitpid(child, status, 0);
            return false;
        }
        sigtimedwait(child_signal, NULL, &left);
    }
    kill(-child, SIGKILL); /* what the case has started and not ended */
    return true;
}

static bool report(const char *name, bool is_in_time, int status, int deadline_ms)
{
    if (!is_in_time)
        printf("FAILED %s: did not end within %d ms\n", name, deadline_ms);
    else if (WIFSIGNALED(status))
        printf("FAILED %s: killed by signal %d (%s)\n", name, WTERMSIG(status), strsignal(WTERMSIG(status)));
    else if (WEXITSTATUS(status) == 1)
        printf("FAILED %s\n", name);
    else if (WEXITSTATUS(status) != 0)
        printf("FAILED %s: exited with %d, as a sanitizer does\n", name, WEXITSTATUS(status));
    else
        printf("ok     %s\n", name);
    fflush(stdout);
    return is_in_time && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

const char *test_name(void)
{
    return current_name;
}

bool test_run(const char *name, void (*body)(void), int deadline_ms)
{
    pid_t parent = getpid();
    int limit_ms = test_deadline_ms(deadline_ms);
    sigset_t child_signal;
    sigset_t mask_before;
    int status = 0;

    current_name = name;
    fflush(NULL);
    sigemptyset(&child_signal);
    sigaddset(&child_signal, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child_signal, &mask_before);

    pid_t child = fork();
    if (child < 0)
        FAIL("fork: %s", strerror(errno));
    if (child == 0) {
        setpgid(0, 0);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(1);
        sigprocmask(SIG_SETMASK, &mask_before, NULL);
        child_run(body);
    }
    setpgid(child, child);
    bool is_in_time = child_wait(child, &child_signal, limit_ms, &status);
    sigprocmask(SIG_SETMASK, &mask_before, NULL);
    return report(name, is_in_time, status, limit_ms);
}

/* ---- What cases need ---- */

/* Formats a text that stays valid until the case ends. */
__attribute__((format(printf, 1, 2))) static const char *keep(const char *format, ...)
{
    static char texts[MAX_TEXTS][PATH_BYTES];
    static atomic_uint count;
    unsigned index = atomic_fetch_add(&count, 1);
    va_list arguments;

    if (index >= MAX_TEXTS)
        FAIL("a case asks for more than %d addresses", MAX_TEXTS);
    va_start(arguments, format);
    vsnprintf(texts[index], PATH_BYTES, format, arguments);
    va_end(arguments);
    return texts[index];
}

/* An address of this machine for each process: what other tests connect to, and what still comes back to a port that
 * was theirs, is elsewhere. */
static struct in_addr own_host(void)
{
    uint32_t pid = (uint32_t)getpid();

    return (struct in_addr){
        .s_addr = htonl(127u << 24 | (1 + (pid >> 14 & 0x7f)) << 16 | (pid >> 7 & 0x7f) << 8 | (1 + (pid & 0x7f)))};
}

static const char *free_address(const char *scheme, struct in_addr at)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = at};
    socklen_t size = sizeof address;
    char host[INET_ADDRSTRLEN];
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) < 0)
        FAIL("cannot choose a port: %s", strerror(errno));
    close(fd);
    inet_ntop(AF_INET, &address.sin_addr, host, sizeof host);
    return keep("%s://%s:%u", scheme, host, (unsigned)ntohs(address.sin_port));
}

const char *test_tcp_address(void)
{
    return free_address("tcp", own_host());
}

const char *test_localhost_address(void)
{
    return free_address("tcp", (struct in_addr){.s_addr = htonl(INADDR_LOOPBACK)});
}

const char *test_ws_address(void)
{
    return free_address("ws", own_host());
}

const char *test_path(const char *name)
{
    return keep("%s/%s", directory, name);
}

const char *test_ipc_address(void)
{
    static atomic_uint count;

    return keep("ipc://%s/%ld-%u", directory, (long)getpid(), atomic_fetch_add(&count, 1));
}

struct test_thread {
    pthread_t id;
    void (*run)(void *argument);
    void *argument;
};

static void *thread_main(void *thread)
{
    struct test_thread *self = thread;

    self->run(self->argument);
    return NULL;
}

struct test_thread *test_thread_start(void (*run)(void *argument), void *argument)
{
    struct test_thread *thread = malloc(sizeof *thread);

    if (thread == NULL)
        FAIL("out of memory");
    thread->run = run;
    thread->argument = argument;
    int rc = pthread_create(&thread->id, NULL, thread_main, thread);
    if (rc != 0)
        FAIL("pthread_create: %s", strerror(rc));
    return thread;
}

void test_thread_join(struct test_thread *thread)
{
    int rc = pthread_join(thread->id, NULL);

    if (rc != 0)
        FAIL("pthread_join: %s", strerror(rc));
    free(thread);
}

/* ---- The program ---- */

static void directory_remove(void)
{
    DIR *list = opendir(directory);
    struct dirent *entry;

    while (list != NULL && (entry = readdir(list)) != NULL)
        unlinkat(dirfd(list), entry->d_name, 0); /* refuses "." and "..", as it should */
    if (list != NULL)
        closedir(list);
    rmdir(directory);
}

int main(int argc, char **argv)
{
    const char *filter = argc > 1 ? argv[1] : "";
    int deadline_ms = test_default_deadline_ms();
    int passed = 0;
    int failed = 0;

    if (mkdtemp(directory) == NULL) {
        perror(directory);
        return 1;
    }
    for (struct test_case *test = first_case; test != NULL; test = test->next) {
        if (strstr(test->name, filter) == NULL)
            continue;
        if (test_run(test->name, test->body, deadline_ms))
            passed++;
        else
            failed++;
    }
    directory_remove();
    printf("%d passed, %d failed\n", passed, failed);
    return failed > 0 || passed == 0;
}
