/* Calls of the system and of malloc that fail when a test says so: this file's functions take the place of the C
 * library's in the program that it is linked to or preloaded to, and fail calls of one object only, such as
 * "libnanomsg.so". */
#ifndef CHAOS_FAILING_CALLS_H
#define CHAOS_FAILING_CALLS_H

#include <stdbool.h>
#include <stddef.h>

#define FAILING_CALL_ERRORS 20

struct failing_call {
    const char *name;
    int errors[FAILING_CALL_ERRORS]; /* those of its man page; ends with 0 */
};

/* The calls that can fail; ends with a name that is NULL. */
extern const struct failing_call failing_calls[];

/* Which object's calls fail: a part of its file name. Returns false when it is not loaded. */
bool failing_calls_of(const char *object);
/* From now on calls are counted, and the call (an index of the table) after `index` more of its kind fails, once. */
void failing_calls_arm(int call, long index, int error);
/* The first `count` calls that read from sockets, or that write to them, take at most `bytes`. */
void failing_calls_cut(bool is_write, size_t bytes, long count);
/* Ends both. Returns true when the call has failed, or one was cut. */
bool failing_calls_disarm(void);

#endif
