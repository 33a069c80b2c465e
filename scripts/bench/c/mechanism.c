/* Measures one exchange of C programs, for the comparison of two builds of the engine (scripts/bench/mechanisms.mjs):
 *
 *   mechanism <push|req> <address> <bytes> <milliseconds> <process|thread>
 *
 * The peer is a forked process or a thread. Prints the figures of the receiver (push) or the requester (req), for each
 * message: elapsed and CPU time in nanoseconds, the median round trip (req), page faults and voluntary context
 * switches. */
#include <nanomsg/nn.h>
#include <nanomsg/pipeline.h>
#include <nanomsg/reqrep.h>

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S 1000000000
#define WARM_UP_MS 200
#define MAX_ROUND_TRIPS 4000000
/* Messages between two readings of the clock, of short ones. */
#define STRIDE 64
#define LONG_BYTES ((size_t)32 * 1024)

static const char *address;
static size_t body_bytes;
static bool is_push;

struct figures {
    int64_t elapsed_ns;
    int64_t cpu_ns;
    long faults;
    long switches;
};

static void check(bool is_good, const char *what)
{
    if (is_good)
        return;
    perror(what);
    exit(1);
}

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

static struct figures figures_now(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (struct figures){
        .elapsed_ns = now_ns(),
        .cpu_ns = (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * (int64_t)NS_PER_S +
                  (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * INT64_C(1000),
        .faults = usage.ru_minflt,
        .switches = usage.ru_nvcsw,
    };
}

static int open_socket(int protocol)
{
    int s = nn_socket(AF_SP, protocol);
    int unlimited = -1;

    check(s >= 0, "nn_socket");
    check(nn_setsockopt(s, NN_SOL_SOCKET, NN_RCVMAXSIZE, &unlimited, sizeof unlimited) == 0, "nn_setsockopt");
    return s;
}

static void *play_peer(void *unused)
{
    int s = open_socket(is_push ? NN_PUSH : NN_REP);
    char *body = calloc(1, body_bytes);

    check(body != NULL && nn_connect(s, address) >= 0, "nn_connect");
    while (is_push ? nn_send(s, body, body_bytes, 0) >= 0
                   : nn_recv(s, body, body_bytes, 0) >= 0 && nn_send(s, body, body_bytes, 0) >= 0)
        ;
    return unused;
}

static void receive(int s, void *body)
{
    void *large;

    if (body_bytes < LONG_BYTES) {
        check(nn_recv(s, body, body_bytes, 0) >= 0, "nn_recv");
        return;
    }
    check(nn_recv(s, &large, NN_MSG, 0) >= 0, "nn_recv");
    nn_freemsg(large);
}

/* Notes round trips in `trips_ns` when it is not NULL. Returns how many messages there were. */
static size_t exchange_until(int s, void *body, int64_t deadline_ns, int64_t *trips_ns)
{
    int stride = is_push && body_bytes < LONG_BYTES ? STRIDE : 1;
    size_t count = 0;

    for (int64_t before_ns = now_ns(), after_ns; before_ns < deadline_ns && count < MAX_ROUND_TRIPS;
         before_ns = after_ns) {
        for (int i = 0; i < stride; i++) {
            check(is_push || nn_send(s, body, body_bytes, 0) >= 0, "nn_send");
            receive(s, body);
        }
        after_ns = now_ns();
        if (trips_ns != NULL && !is_push)
            trips_ns[count] = after_ns - before_ns;
        count += (size_t)stride;
    }
    return count;
}

static int compare(const void *first, const void *second)
{
    int64_t difference = *(const int64_t *)first - *(const int64_t *)second;

    return difference > 0 ? 1 : difference < 0 ? -1 : 0;
}

static void measure(int s, int milliseconds)
{
    char *body = calloc(1, body_bytes);
    int64_t *trips_ns = is_push ? NULL : calloc(MAX_ROUND_TRIPS, sizeof *trips_ns);

    check(body != NULL, "calloc");
    exchange_until(s, body, now_ns() + WARM_UP_MS * INT64_C(1000000), NULL);
    struct figures before = figures_now();
    size_t count = exchange_until(s, body, before.elapsed_ns + milliseconds * INT64_C(1000000), trips_ns);
    struct figures after = figures_now();

    if (trips_ns != NULL)
        qsort(trips_ns, count, sizeof *trips_ns, compare);
    printf("{\"messages\": %zu, \"elapsedNs\": %.1f, \"cpuNs\": %.1f, \"medianNs\": %lld, \"faults\": %.3f, "
           "\"switches\": %.3f}\n",
           count, (double)(after.elapsed_ns - before.elapsed_ns) / (double)count,
           (double)(after.cpu_ns - before.cpu_ns) / (double)count,
           trips_ns != NULL ? (long long)trips_ns[count / 2] : 0LL,
           (double)(after.faults - before.faults) / (double)count,
           (double)(after.switches - before.switches) / (double)count);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    pthread_t peer;
    pid_t child = 0;

    if (argc != 6) {
        fprintf(stderr, "usage: %s <push|req> <address> <bytes> <milliseconds> <process|thread>\n", argv[0]);
        return 2;
    }
    is_push = strcmp(argv[1], "push") == 0;
    address = argv[2];
    body_bytes = strtoul(argv[3], NULL, 10);
    if (strcmp(argv[5], "process") == 0 && (child = fork()) == 0) {
        play_peer(NULL);
        _exit(0);
    }
    int s = open_socket(is_push ? NN_PULL : NN_REQ);
    check(nn_bind(s, address) >= 0, "nn_bind");
    if (child == 0)
        check(pthread_create(&peer, NULL, play_peer, NULL) == 0, "pthread_create");
    measure(s, atoi(argv[4]));
    if (child > 0) {
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
    }
    _exit(0);
}
