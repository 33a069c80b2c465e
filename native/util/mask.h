/* The masking of WebSocket (RFC 6455, 5.3): bytes combined with a key of four by exclusive or. */
#ifndef SP_UTIL_MASK_H
#define SP_UTIL_MASK_H

#include <stddef.h>
#include <stdint.h>

#define SP_MASK_KEY_BYTES 4

/* Masks, or unmasks, `count` bytes into `to`, which may be `from`. The first byte meets the key's byte `phase` % 4.
 * Returns the phase of the byte that follows. */
size_t sp_mask(uint8_t *to, const uint8_t *from, size_t count, const uint8_t key[SP_MASK_KEY_BYTES], size_t phase);

#endif
