/* The heap is trimmed at most once a second. */
#include "util/memory_return.h"

#include "platform/memory.h"

#include <stdatomic.h>

/* The least that is worth a walk through the heap. */
#define MIN_BYTES ((size_t)1024 * 1024)
#define DELAY_NS (1000 * (sp_time_ns)SP_NS_PER_MS)
/* It takes no more than this part of the time, however large the heap is. */
#define PART_OF_TIME 50

static atomic_size_t freed_bytes;
static atomic_ullong earliest_ns; /* of the next time */

void sp_memory_note_freed(size_t bytes)
{
    atomic_fetch_add_explicit(&freed_bytes, bytes, memory_order_relaxed);
}

bool sp_memory_is_returnable(void)
{
    return atomic_load_explicit(&freed_bytes, memory_order_relaxed) >= MIN_BYTES;
}

sp_time_ns sp_memory_return_due_ns(void)
{
    sp_time_ns soon_ns = sp_now_ns() + DELAY_NS;
    sp_time_ns after_rest_ns = atomic_load_explicit(&earliest_ns, memory_order_relaxed);

    return soon_ns > after_rest_ns ? soon_ns : after_rest_ns;
}

void sp_memory_return(void)
{
    if (atomic_exchange_explicit(&freed_bytes, 0, memory_order_relaxed) < MIN_BYTES)
        return; /* another loop has done it */
    sp_time_ns began_ns = sp_now_ns();
    sp_heap_trim();
    sp_time_ns ended_ns = sp_now_ns();
    atomic_store_explicit(&earliest_ns, ended_ns + (ended_ns - began_ns) * PART_OF_TIME, memory_order_relaxed);
}
