/* Checking UTF-8: sixteen bytes at a time, in the vectors that every compiler of ours knows.
 *
 * A byte is right when it is a continuation exactly where one of the three bytes before it asks for one, and when the
 * four leads that allow only some second bytes (E0, ED, F0, F4) have one of those. Both follow from a byte and the
 * three before it, which are read from memory at their own offsets: nothing is carried from block to block. */
#include "util/utf8.h"

#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#endif

#define BLOCK_BYTES 16
/* How many bytes are checked together. */
#define STRIDE_BYTES 64
/* The longest way back from a byte to the lead of its character. */
#define BEFORE_BYTES 3

typedef uint8_t block __attribute__((vector_size(BLOCK_BYTES)));
typedef int8_t signed_block __attribute__((vector_size(BLOCK_BYTES)));
typedef uint64_t halves __attribute__((vector_size(BLOCK_BYTES)));

static block load(const uint8_t *bytes)
{
    block result;

    memcpy(&result, bytes, sizeof result);
    return result;
}

static bool is_zero(block bits)
{
    halves parts = (halves)bits;

    return (parts[0] | parts[1]) == 0;
}

static bool is_ascii(const uint8_t *bytes)
{
    block all = load(bytes) | load(bytes + 16) | load(bytes + 32) | load(bytes + 48);

    return is_zero(all & 0x80);
}

/* Non-zero where a byte is greater than the limit. */
static block beyond(block bytes, uint8_t limit)
{
    block limits = (block){0} + limit;
#if defined(__SSE2__)
    return (block)_mm_subs_epu8((__m128i)bytes, (__m128i)limits);
#elif defined(__ARM_NEON)
    return (block)vqsubq_u8((uint8x16_t)bytes, (uint8x16_t)limits);
#else
    return (block)(bytes > limits);
#endif
}

/* Non-zero where one of sixteen bytes is wrong; the three bytes before them belong to the text as well. Second bytes
 * are compared as signed numbers, for which there are instructions everywhere: continuations are the 64 lowest. That
 * others are none is found by the first comparison. */
static block find_errors(const uint8_t *bytes)
{
    block here = load(bytes);
    block first = load(bytes - 1);
    signed_block number = (signed_block)here;
    block is_continuation = (block)(number < (signed_block){0} - 64);
    block is_expected =
        (block)((beyond(first, 0xbf) | beyond(load(bytes - 2), 0xdf) | beyond(load(bytes - 3), 0xef)) != 0);
    block is_no_lead = (block)((here & 0xfe) == 0xc0) | beyond(here, 0xf4);
    block is_overlong = ((block)(first == 0xe0) & (block)(number < (signed_block){0} - 96)) |
                        ((block)(first == 0xf0) & (block)(number < (signed_block){0} - 112));
    block is_too_high = ((block)(first == 0xed) & (block)(number > (signed_block){0} - 97)) |
                        ((block)(first == 0xf4) & (block)(number > (signed_block){0} - 113));

    return (is_continuation ^ is_expected) | is_no_lead | is_overlong | is_too_high;
}

/* The same for a stride. */
static bool has_errors(const uint8_t *bytes)
{
    return !is_zero(find_errors(bytes) | find_errors(bytes + 16) | find_errors(bytes + 32) | find_errors(bytes + 48));
}

/* The length of the character that the bytes are, or the first `available` bytes of; 0 when there is none. */
static size_t begun_character_bytes(const uint8_t *bytes, size_t available)
{
    uint8_t lead = bytes[0];
    size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    uint8_t lowest = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    uint8_t highest = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;

    if (length == 1)
        return 1;
    if (lead < 0xc2 || lead > 0xf4 || (available > 1 && (bytes[1] < lowest || bytes[1] > highest)))
        return 0;
    for (size_t i = 2; i < length && i < available; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
    }
    return length;
}

/* The length of the character at the start, or 0 when there is none. */
static size_t character_bytes(const uint8_t *bytes, size_t available)
{
    size_t length = begun_character_bytes(bytes, available);

    return length <= available ? length : 0;
}

/* Reads characters from begin until one ends at or behind `least`. Returns where, or 0 when one is wrong. */
static size_t check_characters(const uint8_t *bytes, size_t begin, size_t least, size_t count)
{
    while (begin < least) {
        size_t length = character_bytes(bytes + begin, count - begin);
        if (length == 0)
            return 0;
        begin += length;
    }
    return begin;
}

/* Where the character begins that the byte before `end` is part of; the blocks before are right. */
static size_t last_lead(const uint8_t *bytes, size_t end)
{
    size_t lead = end - 1;

    while (lead > 0 && end - lead < 1 + BEFORE_BYTES && (bytes[lead] & 0xc0) == 0x80)
        lead--;
    return lead;
}

bool sp_utf8_is_valid(const uint8_t *bytes, size_t count)
{
    size_t at = 0;

    while (count - at >= STRIDE_BYTES && is_ascii(bytes + at))
        at += STRIDE_BYTES;
    while (count - at >= BLOCK_BYTES && is_zero(load(bytes + at) & 0x80))
        at += BLOCK_BYTES;
    if (count - at < BEFORE_BYTES + BLOCK_BYTES)
        return check_characters(bytes, at, count, count) == count;

    size_t begin = at;
    at = check_characters(bytes, begin, begin + BEFORE_BYTES, count);
    if (at == 0)
        return false;
    for (; count - at >= STRIDE_BYTES; at += STRIDE_BYTES) {
        bool is_simple = is_ascii(bytes + at) && is_zero(load(bytes + at - 3) & 0x80);
        if (!is_simple && has_errors(bytes + at))
            return false;
    }
    for (; count - at >= BLOCK_BYTES; at += BLOCK_BYTES) {
        if (!is_zero(find_errors(bytes + at)))
            return false;
    }
    at = last_lead(bytes, at);
    return check_characters(bytes, at, count, count) == count;
}

bool sp_utf8_may_begin(const uint8_t *bytes, size_t count, size_t *whole_bytes)
{
    size_t lead = count > 0 ? last_lead(bytes, count) : 0;

    *whole_bytes = count;
    if (count > 0 && begun_character_bytes(bytes + lead, count - lead) > count - lead)
        *whole_bytes = lead;
    return sp_utf8_is_valid(bytes, *whole_bytes);
}
