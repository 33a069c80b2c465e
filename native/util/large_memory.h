/* Memory of large messages. Fresh memory costs a page fault for every 4 KiB, more than filling it: what one message
 * leaves is kept for the next. It is kept only while loops tend it, which they do as long as large messages come and
 * go, and never more than SP_LARGE_MEMORY_KEPT_BYTES. From any thread. */
#ifndef SP_UTIL_LARGE_MEMORY_H
#define SP_UTIL_LARGE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Shorter memory comes from malloc, which is good at it; longer memory too, since it is rare. */
#define SP_LARGE_MEMORY_MIN_BYTES ((size_t)32 * 1024)
#define SP_LARGE_MEMORY_MAX_BYTES ((size_t)16 * 1024 * 1024)
#define SP_LARGE_MEMORY_KEPT_BYTES ((size_t)64 * 1024 * 1024)

static inline bool sp_large_memory_has(size_t bytes)
{
    return bytes >= SP_LARGE_MEMORY_MIN_BYTES && bytes <= SP_LARGE_MEMORY_MAX_BYTES;
}

/* Memory of a size that sp_large_memory_has. *size_bytes is what is needed, and then what there is: up to an eighth
 * more. Returns NULL when memory is short. */
void *sp_large_memory_take(size_t *size_bytes);

/* Takes it back; size_bytes is what sp_large_memory_take has told. */
void sp_large_memory_give(void *memory, size_t size_bytes);

/* A number that grows with each take: a loop that finds it as it was a while ago stops tending. */
uint32_t sp_large_memory_takes(void);

/* One loop more tends the memory; one less, and with the last one all that is kept goes back to the system. */
void sp_large_memory_tend(void);
void sp_large_memory_leave(void);

/* For tests. */
size_t sp_large_memory_kept_bytes(void);

#endif
