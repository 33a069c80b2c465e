/* Bodies that show what was mixed up: every byte follows from the last one and from the distance to it. Any tail of
 * such a body follows the pattern as well, so that headers which a protocol has removed from its front do no harm. */
#ifndef TEST_PATTERNED_BODY_H
#define TEST_PATTERNED_BODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The front of a body may be a header that a raw socket has added. */
#define PATTERN_FRONT_BYTES ((size_t)16)

static inline uint8_t pattern_byte(uint8_t last, size_t distance)
{
    return (uint8_t)(last + distance * 7 + (distance >> 8) * 13 + (distance >> 16) * 101);
}

static inline void pattern_fill(uint8_t *body, size_t count, uint8_t last)
{
    for (size_t i = 0; i < count; i++)
        body[i] = pattern_byte(last, count - 1 - i);
}

static inline bool pattern_holds_behind(size_t front, const uint8_t *body, size_t count)
{
    for (size_t i = front; i < count; i++) {
        if (body[i] != pattern_byte(body[count - 1], count - 1 - i))
            return false;
    }
    return true;
}

static inline bool pattern_holds(const uint8_t *body, size_t count)
{
    return pattern_holds_behind(PATTERN_FRONT_BYTES, body, count);
}

/* The same behind a backtrace of any number of hops: words of 4 bytes, of which the last one has its first bit set. */
static inline bool pattern_holds_behind_backtrace(const uint8_t *body, size_t count)
{
    size_t front = 0;

    while (front < count && (body[front] & 0x80) == 0)
        front += 4;
    return front + 4 <= count && pattern_holds_behind(front + 4, body, count);
}

#endif
