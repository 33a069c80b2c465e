/* xorshift64* per thread, seeded by the kernel; and a store of the kernel's own numbers. A forked child begins both
 * anew: it must not repeat its parent's numbers. */
#include "util/random.h"

#include "platform/clock.h"
#include "platform/fork.h"
#include "platform/random.h"

#include <string.h>

/* Fetched from the kernel in one call. */
#define STORE_WORDS 256

static _Thread_local uint64_t state;
static _Thread_local unsigned seeded_in; /* the process, by its depth of forks */

static uint64_t random_next(void)
{
    if (state == 0 || seeded_in != sp_fork_depth()) {
        if (sp_system_random(&state, sizeof state) != sizeof state)
            state = sp_now_ns() ^ (uint64_t)(uintptr_t)&state;
        state |= 1;
        seeded_in = sp_fork_depth();
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
    static _Thread_local uint32_t store[STORE_WORDS];
    static _Thread_local size_t left;
    static _Thread_local unsigned fetched_in;

    if (left == 0 || fetched_in != sp_fork_depth()) {
        left = sp_system_random(store, sizeof store) / sizeof store[0]; /* a signal may shorten it */
        if (left == 0) {
            sp_random_fill(store, sizeof store); /* a system without its own */
            left = STORE_WORDS;
        }
        fetched_in = sp_fork_depth();
    }
    return store[--left];
}
