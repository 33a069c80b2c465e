/* Cache of large buffers. Fresh memory costs a page fault for every 4 KiB, more than filling it: the buffer of one
 * large message, or the slab of many short ones, is kept for the next.
 *
 * Gain: PUSH to PULL over tcp, receiver's CPU for each message of 512 KiB 115 us instead of 146, of 1 MiB 262 us
 * instead of 433, of 4 MiB 1.3 ms instead of 2.5 (node scripts/bench/mechanisms.mjs buffer-cache). A Pull in Node.js
 * with a hundred peers that send 64 bytes without a pause: 0.2 page faults for a thousand messages instead of 3 (node
 * scripts/bench/run.mjs --field --only 'fan-in 100'); malloc gives slabs back to the system when several are freed.
 * Requests and replies of 512 KiB between two threads over inproc: fewer than 3 page faults each instead of 226
 * (test/native/util/buffer_reuse_test.c).
 *
 * Buffers are kept only while loops retain the cache, which they do as long as large messages and slabs come and go,
 * and never more than SP_BUFFER_CACHE_KEPT_BYTES; those of a size that is not asked for go back to the system after
 * SP_BUFFER_CACHE_IDLE_NS to twice that. From any thread. */
#ifndef SP_UTIL_BUFFER_CACHE_H
#define SP_UTIL_BUFFER_CACHE_H

#include "platform/clock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Smaller buffers come from malloc, which reuses them itself; larger ones, too, since they are rare. */
#define SP_BUFFER_CACHE_MIN_BYTES ((size_t)64 * 1024)
#define SP_BUFFER_CACHE_MAX_BYTES ((size_t)32 * 1024 * 1024)
#define SP_BUFFER_CACHE_KEPT_BYTES ((size_t)64 * 1024 * 1024)
#define SP_BUFFER_CACHE_IDLE_NS (500 * SP_NS_PER_MS)

static inline bool sp_buffer_cache_has(size_t bytes)
{
    return bytes >= SP_BUFFER_CACHE_MIN_BYTES && bytes <= SP_BUFFER_CACHE_MAX_BYTES;
}

/* A buffer of a size that sp_buffer_cache_has. *size_bytes is the size that is needed, and on return the real one, up
 * to an eighth more. Returns NULL when memory is short. */
void *sp_buffer_cache_get(size_t *size_bytes);

/* Takes it back; size_bytes is what sp_buffer_cache_get returned. */
void sp_buffer_cache_put(void *memory, size_t size_bytes);

/* How many buffers were taken: a loop that finds the same number after a while releases the cache. */
uint32_t sp_buffer_cache_gets(void);

/* One loop more uses the cache; one less, and after the last one all buffers go back to the system. */
void sp_buffer_cache_retain(void);
void sp_buffer_cache_release(void);

/* Frees the buffers of sizes that were not asked for since the last time, if that is long enough ago. */
void sp_buffer_cache_free_idle(void);

/* What is called when a buffer is taken and no loop uses the cache, from any thread and under any lock but a loop's: it
 * is to make a loop run, which then uses it. Programs whose messages stay in the process would otherwise never have one
 * that runs. */
void sp_buffer_cache_on_unused(void (*wake_user)(void));

/* For tests. */
size_t sp_buffer_cache_kept_bytes(void);

#endif
