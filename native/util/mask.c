/* Masking, at the speed of memory: sixteen bytes at a time, four times in a row for long messages. */
#include "util/mask.h"

#include <string.h>

#define BLOCK_BYTES 16
#define STRIDE_BYTES 64

typedef uint8_t block __attribute__((vector_size(BLOCK_BYTES)));

static void mask_block(uint8_t *to, const uint8_t *from, block key)
{
    block bytes;

    memcpy(&bytes, from, sizeof bytes);
    bytes ^= key;
    memcpy(to, &bytes, sizeof bytes);
}

size_t sp_mask(uint8_t *to, const uint8_t *from, size_t count, const uint8_t key[SP_MASK_KEY_BYTES], size_t phase)
{
    block turned;
    size_t i = 0;

    for (size_t byte = 0; byte < BLOCK_BYTES; byte++)
        turned[byte] = key[(phase + byte) % SP_MASK_KEY_BYTES];
    for (; count - i >= STRIDE_BYTES; i += STRIDE_BYTES) {
        mask_block(to + i, from + i, turned);
        mask_block(to + i + 16, from + i + 16, turned);
        mask_block(to + i + 32, from + i + 32, turned);
        mask_block(to + i + 48, from + i + 48, turned);
    }
    for (; count - i >= BLOCK_BYTES; i += BLOCK_BYTES)
        mask_block(to + i, from + i, turned);
    for (; i < count; i++)
        to[i] = (uint8_t)(from[i] ^ key[(phase + i) % SP_MASK_KEY_BYTES]);
    return (phase + count) % SP_MASK_KEY_BYTES;
}
