/* The meters work as those of side.mjs do: a warm-up, then a window of time. Results are lines of JSON. */
#include "bench.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define WARM_UP_S 0.4
/* How many messages pass between two looks at the clock, and between two that are compared in full. */
#define STRIDE 64
#define TRIPS_LIMIT ((size_t)4 * 1024 * 1024)

uint8_t *bench_body;
size_t bench_body_bytes;

static double window_s = 1.0;
static double start_s;
static bool is_begun;
static bool is_open;
static bool is_over;
static size_t message_count;

static sem_t is_listening;

_Noreturn void bench_fail(const char *file, int line, const char *expectation)
{
    fprintf(stderr, "%s:%d: %s does not hold (%s)\n", file, line, expectation, strerror(errno));
    exit(1);
}

void bench_allow_descriptors(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static double now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void bench_listens(const char *address)
{
    printf("{\"listensAt\":\"%s\"}\n", address);
    fflush(stdout);
    sem_post(&is_listening);
}

static void check_content(const uint8_t *bytes, size_t count, bool in_full)
{
    BENCH_CHECK(count == bench_body_bytes);
    BENCH_CHECK(bytes[0] == bench_body[0] && bytes[count - 1] == bench_body[count - 1]);
    BENCH_CHECK(!in_full || memcmp(bytes, bench_body, count) == 0);
}

static void tell_open(double now)
{
    is_open = true;
    start_s = now;
    message_count = 0;
    puts("{\"window\":\"opens\"}");
    fflush(stdout);
}

static void look_at_clock(void)
{
    double now = now_s();

    if (!is_begun) {
        is_begun = true;
        start_s = now;
    } else if (!is_open && now >= start_s + WARM_UP_S) {
        tell_open(now);
    } else if (is_open && now >= start_s + window_s) {
        is_over = true;
        printf("{\"window\":\"closed\",\"messagesPerSecond\":%.1f,\"messages\":%zu}\n",
               (double)message_count / (now - start_s), message_count);
        fflush(stdout);
    }
}

void bench_received(const void *bytes, size_t count)
{
    /* Of long messages few pass: the clock is looked at more often than once in a stride. */
    static size_t until_look;
    bool is_time = until_look == 0;

    check_content(bytes, count, is_time);
    message_count++;
    if (is_time) {
        until_look = count >= 64 * 1024 ? 4 : STRIDE;
        if (!is_over)
            look_at_clock();
    }
    until_look--;
}

static int compare_trips(const void *left, const void *right)
{
    double difference = *(const double *)left - *(const double *)right;

    return (difference > 0) - (difference < 0);
}

static void tell_trips(double *trips, double now)
{
    qsort(trips, message_count, sizeof *trips, compare_trips);
    printf("{\"window\":\"closed\",\"messagesPerSecond\":%.1f,\"messages\":%zu,\"p50us\":%.3f,\"p99us\":%.3f}\n",
           (double)message_count / (now - start_s), message_count, trips[(message_count - 1) / 2] * 1e6,
           trips[(size_t)((double)(message_count - 1) * 0.99)] * 1e6);
    fflush(stdout);
}

void bench_replied(const void *bytes, size_t count)
{
    static double *trips;
    static double before;
    double now = now_s();

    check_content(bytes, count, message_count % STRIDE == 0);
    if (!is_begun) {
        trips = malloc(TRIPS_LIMIT * sizeof *trips);
        BENCH_CHECK(trips != NULL);
        is_begun = true;
        start_s = now;
    } else if (!is_open && now >= start_s + WARM_UP_S) {
        tell_open(now);
    } else if (is_open && !is_over) {
        trips[message_count++] = now - before;
        if (now >= start_s + window_s || message_count == TRIPS_LIMIT) {
            is_over = true;
            tell_trips(trips, now);
        }
    }
    before = now_s();
}

/* ---- Two threads of one process, for transports that do not leave it ---- */

struct role {
    void (*play)(const char *address);
    const char *address;
};

static void *run_role(void *argument)
{
    const struct role *role = argument;

    role->play(role->address);
    return NULL;
}

static void run_both(void (*binding)(const char *), void (*connecting)(const char *), const char *address)
{
    struct role role = {.play = binding, .address = address};
    pthread_t thread;

    BENCH_CHECK(pthread_create(&thread, NULL, run_role, &role) == 0);
    while (sem_wait(&is_listening) != 0)
        BENCH_CHECK(errno == EINTR);
    connecting(address);
    pthread_join(thread, NULL);
}

static void make_body(const char *size)
{
    static const char text[] = "nanomsg";

    bench_body_bytes = strtoul(size, NULL, 10);
    bench_body = malloc(bench_body_bytes);
    BENCH_CHECK(bench_body_bytes > 0 && bench_body != NULL);
    for (size_t i = 0; i < bench_body_bytes; i++)
        bench_body[i] = (uint8_t)text[i % (sizeof text - 1)];
}

int bench_main(int argc, char **argv, const struct bench_peer *peer)
{
    const char *window_ms = getenv("NN_BENCH_WINDOW_MS");

    if (argc == 2 && strcmp(argv[1], "version") == 0) {
        puts(peer->version());
        return 0;
    }
    if (argc != 4) {
        fprintf(stderr, "usage: %s <push|pull|req|rep|push-pull|req-rep> <address> <bytes>\n", argv[0]);
        return 2;
    }
    bench_allow_descriptors();
    const char *role = argv[1];
    const char *address = argv[2];
    make_body(argv[3]);
    sem_init(&is_listening, 0, 0);
    if (window_ms != NULL)
        window_s = strtod(window_ms, NULL) / 1000;

    if (strcmp(role, "push") == 0)
        peer->push(address);
    else if (strcmp(role, "pull") == 0)
        peer->pull(address);
    else if (strcmp(role, "req") == 0)
        peer->req(address);
    else if (strcmp(role, "rep") == 0)
        peer->rep(address);
    else if (strcmp(role, "push-pull") == 0)
        run_both(peer->pull, peer->push, address);
    else if (strcmp(role, "req-rep") == 0)
        run_both(peer->rep, peer->req, address);
    else
        return 2;
    return 0;
}
