/* Base64 (RFC 4648, section 4). */
#ifndef SP_UTIL_BASE64_H
#define SP_UTIL_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Characters that `count` bytes become, padding included. */
#define SP_BASE64_LENGTH(count) (((count) + 2) / 3 * 4)

/* Writes SP_BASE64_LENGTH(count) characters, and no NUL. */
void sp_base64_encode(const uint8_t *bytes, size_t count, char *text);

/* Whether the text is what `count` bytes can have become. */
bool sp_base64_is_of(const char *text, size_t length, size_t count);

#endif
