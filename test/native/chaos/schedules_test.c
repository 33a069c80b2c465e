/* Random schedules: eight threads that make random calls from a seed, over every transport and with peers that speak
 * and break off. A call that does not return in time fails the case, and so does a body that was mixed up; at the end
 * descriptors, threads and memory are as before.
 *
 * NN_SCHEDULES_SEED is the first seed (random by default), NN_SCHEDULES_SEEDS how many follow each other, and
 * NN_SCHEDULES_SECONDS how long each takes. The name of a case says its seed. */
#include "schedule.h"

#include "strange_peer.h"
#ifdef HAVE_TLS
#include "tls_peer.h"
#endif

#include <nanomsg/pair.h>

#include <dirent.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define THREADS 8
#define DEFAULT_SEEDS 3
#define DEFAULT_SECONDS 6
/* Beyond what the call was asked to wait. A machine that tests share is slow. */
#define CALL_LIMIT_MS 10000
#define WATCH_MS 100
#define MAX_SEEDS 10000
/* What malloc's caches of threads and the engine's tables keep. */
#define MEMORY_ALLOWANCE ((size_t)2 << 20)

NN_EXPORT void nn_init(void);

static struct schedule schedule;
static struct schedule_thread threads[THREADS];

static long setting(const char *name, long otherwise)
{
    const char *text = getenv(name);

    return text != NULL ? strtol(text, NULL, 10) : otherwise;
}

/* ---- Before and after ---- */

static int count_threads(void)
{
    DIR *list = opendir("/proc/self/task");
    struct dirent *entry;
    int count = 0;

    CHECK(list != NULL);
    while ((entry = readdir(list)) != NULL)
        count += entry->d_name[0] != '.';
    closedir(list);
    return count;
}

static size_t count_memory(void)
{
    struct mallinfo2 info = mallinfo2();

    return info.uordblks + info.hblkhd;
}

static void warm_up(void)
{
    const char *address = test_tcp_address();
    int bound = test_socket_bound(NN_PAIR, address);
    int connected = test_socket_connected(NN_PAIR, address);

    CHECK_SENDS(connected, "warm");
    CHECK_RECEIVES(bound, "warm");
    CHECK_OK(nn_close(bound));
    CHECK_OK(nn_close(connected));
}

static void wait_as_before(int threads_before, size_t memory_before)
{
    int64_t deadline_ms = test_wait_deadline();

    while (count_threads() > threads_before || count_memory() > memory_before + MEMORY_ALLOWANCE) {
        if (test_pause(deadline_ms))
            FAIL("%d threads and %zu bytes are left of %d and %zu", count_threads(), count_memory(), threads_before,
                 memory_before);
    }
}

/* ---- Addresses ---- */

static void add_address(const char *format, const char *part)
{
    char text[128];

    CHECK(schedule.address_count < SCHEDULE_ADDRESSES);
    snprintf(text, sizeof text, format, part);
    schedule.addresses[schedule.address_count] = strdup(text);
    CHECK(schedule.addresses[schedule.address_count++] != NULL);
}

static const char *port_of(const char *address)
{
    return strrchr(address, ':') + 1;
}

static void make_addresses(void)
{
    for (int i = 0; i < 3; i++) {
        add_address("%s", test_inproc_address());
        add_address("%s", test_ipc_address());
        add_address("%s", test_tcp_address());
    }
    const char *ws = test_ws_address();
    add_address("%s", ws);
    add_address("%s/a", ws);
    add_address("%s", test_ws_address());
    add_address("tcp://localhost:%s", port_of(test_localhost_address()));
    add_address("tcp://127.0.0.1:0%s", "");
    schedule.served[0] = test_tcp_address();
    schedule.served[1] = test_ws_address();
#ifdef HAVE_TLS
    add_address("%s", tls_address());
    add_address("%s", tls_wss_address());
    schedule.ca = tls_ca()->cert;
    schedule.cert = tls_server()->cert;
    schedule.key = tls_server()->key;
#endif
}

static void free_addresses(void)
{
    while (schedule.address_count > 0)
        free((char *)schedule.addresses[--schedule.address_count]);
}

/* ---- Threads ---- */

static void thread_run(void *argument)
{
    struct schedule_thread *self = argument;

    while (!atomic_load(&schedule.is_stopping))
        schedule_step(self);
}

static void report_calls(int64_t now_ms)
{
    for (int i = 0; i < THREADS; i++) {
        const char *call = atomic_load(&threads[i].call);
        printf("    thread %d, after %ld calls, %jd ms: %s\n", i, atomic_load(&threads[i].calls),
               (intmax_t)(now_ms - atomic_load(&threads[i].since_ms)), call != NULL ? call : "in no call");
    }
}

/* Aborts, so that a debugger or a core file has all stacks. */
static void watch(void)
{
    int64_t now_ms = test_now_ms();

    for (int i = 0; i < THREADS; i++) {
        const char *call = atomic_load(&threads[i].call);
        if (call == NULL || now_ms - atomic_load(&threads[i].since_ms) < test_deadline_ms(CALL_LIMIT_MS))
            continue;
        printf("    seed %ju: %s does not return\n", (uintmax_t)schedule.seed, call);
        report_calls(now_ms);
        fflush(stdout);
        abort();
    }
}

static void watchdog_run(void *is_over)
{
    while (!atomic_load((atomic_bool *)is_over)) {
        watch();
        usleep(WATCH_MS * 1000);
    }
}

static void start_threads(void)
{
    for (int i = 0; i < SCHEDULE_SLOTS; i++)
        atomic_store(&schedule.slots[i].number, -1);
    for (int i = 0; i < THREADS; i++) {
        threads[i].schedule = &schedule;
        threads[i].random = (schedule.seed * THREADS + (uint64_t)i + 1) * 0x9e3779b97f4a7c15ULL;
        threads[i].thread = test_thread_start(thread_run, &threads[i]);
    }
}

static void join_threads(void)
{
    for (int i = 0; i < THREADS; i++)
        test_thread_join(threads[i].thread);
    schedule_close_all(&schedule);
    nn_term(); /* what no slot knows of any more */
    for (int i = 0; i < SCHEDULE_DEVICES; i++) {
        if (schedule.devices[i].thread != NULL)
            test_thread_join(schedule.devices[i].thread);
    }
}

static void run_schedule(void)
{
    static atomic_bool is_over;
    long seconds = setting("NN_SCHEDULES_SECONDS", DEFAULT_SECONDS);

    CHECK_EQUAL(sscanf(test_name(), "random_calls_of_seed_%ju", (uintmax_t *)&schedule.seed), 1);
    make_addresses();
    warm_up();
    nn_term();
    nn_init();
    int threads_before = count_threads();
    size_t memory_before = count_memory();

    struct test_thread *watchdog = test_thread_start(watchdog_run, &is_over);
    start_threads();
    for (int64_t end_ms = test_now_ms() + seconds * 1000; test_now_ms() < end_ms;)
        usleep(WATCH_MS * 1000);
    atomic_store(&schedule.is_stopping, true);
    join_threads();
    atomic_store(&is_over, true);
    test_thread_join(watchdog);
    wait_as_before(threads_before, memory_before);
    free_addresses();
}

/* ---- Cases ---- */

__attribute__((constructor)) static void register_seeds(void)
{
    static struct test_case cases[MAX_SEEDS];
    static char names[MAX_SEEDS][48];
    long count = setting("NN_SCHEDULES_SEEDS", DEFAULT_SEEDS);
    long first = setting("NN_SCHEDULES_SEED", (long)(time(NULL) % 1000000));

    for (long i = 0; i < count && i < MAX_SEEDS; i++) {
        snprintf(names[i], sizeof names[i], "random_calls_of_seed_%ld_end_well", first + i);
        cases[i] = (struct test_case){.name = names[i], .body = run_schedule};
        test_register(&cases[i]);
    }
}
