/* Masking, at the speed of memory: sixteen bytes at a time, four times in a row for long messages. */
#include "util/mask.h"

#include "util/bytes.h"

#include <string.h>

#define BLOCK_BYTES 16
#define STRIDE_BYTES 64

typedef uint32_t block __attribute__((vector_size(BLOCK_BYTES)));

static void mask_block(uint8_t *to, const uint8_t *from, block key)
{
    block bytes;

    memcpy(&bytes, from, sizeof bytes);
    bytes ^= key;
    memcpy(to, &bytes, sizeof bytes);
}

/* The key as four bytes in a row are combined with it, of which the first is the byte `phase` % 4. */
static uint32_t turned_key(const uint8_t key[SP_MASK_KEY_BYTES], size_t phase)
{
    unsigned bits = 8 * (unsigned)(phase % SP_MASK_KEY_BYTES);
    uint32_t word;

    memcpy(&word, key, sizeof word);
    return word >> bits | word << (-bits & 31); /* util/bytes.h knows little-endian machines only */
}

/* What is shorter than a block. */
static void mask_rest(uint8_t *to, const uint8_t *from, size_t count, uint32_t key)
{
    uint32_t word;

    for (; count >= sizeof word; count -= sizeof word, to += sizeof word, from += sizeof word) {
        memcpy(&word, from, sizeof word);
        word ^= key;
        memcpy(to, &word, sizeof word);
    }
    for (size_t i = 0; i < count; i++)
        to[i] = (uint8_t)(from[i] ^ key >> 8 * i);
}

size_t sp_mask(uint8_t *to, const uint8_t *from, size_t count, const uint8_t key[SP_MASK_KEY_BYTES], size_t phase)
{
    uint32_t word = turned_key(key, phase);
    block turned = {word, word, word, word};
    size_t i = 0;

    for (; count - i >= STRIDE_BYTES; i += STRIDE_BYTES) {
        mask_block(to + i, from + i, turned);
        mask_block(to + i + 16, from + i + 16, turned);
        mask_block(to + i + 32, from + i + 32, turned);
        mask_block(to + i + 48, from + i + 48, turned);
    }
    for (; count - i >= BLOCK_BYTES; i += BLOCK_BYTES)
        mask_block(to + i, from + i, turned);
    mask_rest(to + i, from + i, count - i, word);
    return (phase + count) % SP_MASK_KEY_BYTES;
}
