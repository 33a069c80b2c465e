/* Checking UTF-8: sixteen bytes at a time, in the vectors that every compiler of ours knows.
 *
 * A byte is right when it is a continuation exactly where one of the three bytes before it asks for one, and when the
 * four leads that allow only some second bytes (E0, ED, F0, F4) have one of those. Both follow from a byte and the
 * three before it, which are read from memory at their own offsets: nothing is carried from block to block. */
#include "util/utf8.h"

#include <string.h>

#define BLOCK_BYTES 16
#define ASCII_BYTES 64
/* The longest way back from a byte to the lead of its character. */
#define BEFORE_BYTES 3

typedef uint8_t block __attribute__((vector_size(BLOCK_BYTES)));
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

/* Non-zero where one of sixteen bytes is wrong; the three bytes before them belong to the text as well. */
static block find_errors(const uint8_t *bytes)
{
    block here = load(bytes);
    block first = load(bytes - 1);
    block second = load(bytes - 2);
    block third = load(bytes - 3);
    block is_continuation = (block)((here & 0xc0) == 0x80);
    block is_expected = (block)(first >= 0xc0) | (block)(second >= 0xe0) | (block)(third >= 0xf0);
    block is_no_lead = (block)(here == 0xc0) | (block)(here == 0xc1) | (block)(here > 0xf4);
    block is_overlong =
        ((block)(first == 0xe0) & (block)(here < 0xa0)) | ((block)(first == 0xf0) & (block)(here < 0x90));
    block is_too_high =
        ((block)(first == 0xed) & (block)(here > 0x9f)) | ((block)(first == 0xf4) & (block)(here > 0x8f));

    return (is_continuation ^ is_expected) | is_no_lead | is_overlong | is_too_high;
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

    while (count - at >= ASCII_BYTES && is_ascii(bytes + at))
        at += ASCII_BYTES;
    if (count - at < BEFORE_BYTES + BLOCK_BYTES)
        return check_characters(bytes, at, count, count) == count;

    size_t begin = at;
    at = check_characters(bytes, begin, begin + BEFORE_BYTES, count);
    if (at == 0)
        return false;
    for (; count - at >= BLOCK_BYTES; at += BLOCK_BYTES) {
        if (count - at >= ASCII_BYTES + BLOCK_BYTES && is_ascii(bytes + at) && is_zero(load(bytes + at - 3) & 0x80)) {
            at += ASCII_BYTES - BLOCK_BYTES;
            continue;
        }
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
