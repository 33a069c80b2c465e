/* What the threads of a random schedule share: sockets, addresses, and what each thread is doing. */
#ifndef CHAOS_SCHEDULE_H
#define CHAOS_SCHEDULE_H

#include "sockets.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define SCHEDULE_SLOTS 24
#define SCHEDULE_ENDPOINTS 4
#define SCHEDULE_ADDRESSES 24
#define SCHEDULE_DEVICES 4
/* The longest time that a call of a schedule is asked to wait. */
#define SCHEDULE_WAIT_MS 50

/* Numbers of sockets and endpoints, current or not: any thread uses and replaces them at any time. */
struct schedule_slot {
    atomic_int number;
    atomic_int endpoints[SCHEDULE_ENDPOINTS];
};

struct schedule_device {
    int sockets[2];
    atomic_bool is_changing; /* a thread joins it and starts it again */
    atomic_bool is_running;
    struct test_thread *thread;
};

struct schedule {
    uint64_t seed;
    atomic_bool is_stopping;
    struct schedule_slot slots[SCHEDULE_SLOTS];
    const char *addresses[SCHEDULE_ADDRESSES];
    int address_count;
    const char *served[2];       /* addresses at which peers without the engine listen */
    const char *ca, *cert, *key; /* NULL without TLS */
    struct schedule_device devices[SCHEDULE_DEVICES];
};

/* The call that a thread is in, for the watchdog, and the calls before it. */
struct schedule_thread {
    struct schedule *schedule;
    uint64_t random;
    struct test_thread *thread;
    _Atomic(const char *) call;
    _Atomic(int64_t) since_ms;
    _Atomic(long) calls;
};

void schedule_device_run(void *device);
/* One random call, or a few that belong together. */
void schedule_step(struct schedule_thread *self);
/* Closes all sockets of slots. */
void schedule_close_all(struct schedule *self);

#endif
