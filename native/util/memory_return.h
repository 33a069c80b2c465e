/* Memory goes back to the system after many connections have ended. malloc keeps what is freed between memory that is
 * still used: what a flood of peers took would stay with the process for as long as it lives. From any thread. */
#ifndef SP_UTIL_MEMORY_RETURN_H
#define SP_UTIL_MEMORY_RETURN_H

#include "platform/clock.h"

#include <stdbool.h>
#include <stddef.h>

/* The end of a connection has freed about `bytes`. Not for the memory of messages. */
void sp_memory_note_freed(size_t bytes);

/* Whether enough was freed since the last time. */
bool sp_memory_is_returnable(void);

/* When that should happen: not at once, since more may follow, and seldom where it takes long. */
sp_time_ns sp_memory_return_due_ns(void);

/* Gives back whole pages that malloc does not use, if enough was freed since the last time. */
void sp_memory_return(void);

#endif
