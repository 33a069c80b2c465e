/* SHA-1 of a piece of memory. */
#include "util/sha1.h"

#include "util/bytes.h"

#define BLOCK_BYTES 64
#define LENGTH_BYTES 8

static uint32_t rotate(uint32_t word, int bits)
{
    return word << bits | word >> (32 - bits);
}

/* FIPS 180-4, 4.1.1: the function of a round. */
static uint32_t mix(int round, uint32_t b, uint32_t c, uint32_t d)
{
    if (round < 20)
        return (b & c) | (~b & d);
    if (round >= 40 && round < 60)
        return (b & c) | (b & d) | (c & d);
    return b ^ c ^ d;
}

static void add_block(uint32_t state[5], const uint8_t block[BLOCK_BYTES])
{
    static const uint32_t constants[4] = {0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6};
    uint32_t words[80];
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];

    for (int i = 0; i < 16; i++)
        words[i] = sp_get_u32(block + 4 * i);
    for (int i = 16; i < 80; i++)
        words[i] = rotate(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16], 1);
    for (int i = 0; i < 80; i++) {
        uint32_t next = rotate(a, 5) + mix(i, b, c, d) + e + constants[i / 20] + words[i];
        e = d;
        d = c;
        c = rotate(b, 30);
        b = a;
        a = next;
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
}

void sp_sha1(const void *bytes, size_t count, uint8_t digest[SP_SHA1_BYTES])
{
    uint32_t state[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
    const uint8_t *from = bytes;
    uint8_t last[2 * BLOCK_BYTES] = {0};
    size_t rest = count;

    for (; rest >= BLOCK_BYTES; rest -= BLOCK_BYTES, from += BLOCK_BYTES)
        add_block(state, from);

    size_t last_bytes = rest + 1 + LENGTH_BYTES <= BLOCK_BYTES ? BLOCK_BYTES : 2 * BLOCK_BYTES;
    memcpy(last, from, rest);
    last[rest] = 0x80;
    sp_put_u64(last + last_bytes - LENGTH_BYTES, (uint64_t)count * 8);
    for (size_t i = 0; i < last_bytes; i += BLOCK_BYTES)
        add_block(state, last + i);

    for (int i = 0; i < 5; i++)
        sp_put_u32(digest + 4 * i, state[i]);
}
