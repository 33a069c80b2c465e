/* The one place that takes const from a pointer: for structures and functions that have none by their interface, such
 * as struct iovec, which serves readv(2) and writev(2), or which hand a caller's own pointer back, as strchr(3). */
#ifndef SP_UTIL_WITHOUT_CONST_H
#define SP_UTIL_WITHOUT_CONST_H

static inline void *sp_without_const(const void *pointer)
{
    union {
        const void *pointer;
        void *writable;
    } same = {.pointer = pointer};
    return same.writable;
}

#endif
