/* SHA-1 (FIPS 180-4), for the one thing that still asks for it: the accept key of a WebSocket handshake. No secret
 * depends on it. */
#ifndef SP_UTIL_SHA1_H
#define SP_UTIL_SHA1_H

#include <stddef.h>
#include <stdint.h>

#define SP_SHA1_BYTES 20

void sp_sha1(const void *bytes, size_t count, uint8_t digest[SP_SHA1_BYTES]);

#endif
