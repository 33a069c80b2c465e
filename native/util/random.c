/* xorshift64* per thread, seeded by the kernel; and a store of the kernel's own numbers. */
#include "util/random.h"

#include "util/clock.h"

#include <string.h>
#include <sys/random.h>
#include <unistd.h>

static _Thread_local uint64_t state;
static _Thread_local pid_t seeded_in; /* a forked child must not repeat its parent's numbers */

static uint64_t random_next(void)
{
    if (state == 0 || seeded_in != getpid()) {
        if (getrandom(&state, sizeof state, 0) != (ssize_t)sizeof state)
            state = sp_now_ns() ^ (uint64_t)(uintptr_t)&state;
        state |= 1;
        seeded_in = getpid();
    }
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return state * 0x2545f4914f6cdd1du;
}

uint32_t sp_random_u32(void)
{
    return (uint32_t)(random_next() >> 32);
}

void sp_random_fill(void *bytes, size_t count)
{
    uint8_t *to = bytes;

    while (count > 0) {
        uint32_t number = sp_random_u32();
        size_t part = count < sizeof number ? count : sizeof number;
        memcpy(to, &number, part);
        to += part;
        count -= part;
    }
}

uint32_t sp_random_unpredictable_u32(void)
{
    static _Thread_local uint32_t store[64];
    static _Thread_local size_t left;

    if (left == 0) {
        if (getrandom(store, sizeof store, 0) != (ssize_t)sizeof store)
            sp_random_fill(store, sizeof store); /* a kernel without getrandom */
        left = sizeof store / sizeof store[0];
    }
    return store[--left];
}
