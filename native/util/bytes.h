/* Big-endian integers at unaligned addresses. */
#ifndef SP_UTIL_BYTES_H
#define SP_UTIL_BYTES_H

#include <stdint.h>
#include <string.h>

static inline uint16_t sp_get_u16(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static inline uint32_t sp_get_u32(const uint8_t *bytes)
{
    uint32_t number;

    memcpy(&number, bytes, sizeof number);
    return __builtin_bswap32(number);
}

static inline uint64_t sp_get_u64(const uint8_t *bytes)
{
    uint64_t number;

    memcpy(&number, bytes, sizeof number);
    return __builtin_bswap64(number);
}

static inline void sp_put_u16(uint8_t *bytes, uint16_t number)
{
    bytes[0] = (uint8_t)(number >> 8);
    bytes[1] = (uint8_t)number;
}

static inline void sp_put_u32(uint8_t *bytes, uint32_t number)
{
    number = __builtin_bswap32(number);
    memcpy(bytes, &number, sizeof number);
}

static inline void sp_put_u64(uint8_t *bytes, uint64_t number)
{
    number = __builtin_bswap64(number);
    memcpy(bytes, &number, sizeof number);
}

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "this file swaps bytes: port it to big-endian machines"
#endif

#endif
