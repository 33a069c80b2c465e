/* UTF-8 (RFC 3629): no surrogates, nothing overlong, nothing beyond U+10FFFF. */
#ifndef SP_UTIL_UTF8_H
#define SP_UTIL_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether the bytes are whole characters in UTF-8. */
bool sp_utf8_is_valid(const uint8_t *bytes, size_t count);

/* Whether they may be the beginning of a text, which may end within a character. *whole_bytes: how many are whole
 * characters. */
bool sp_utf8_may_begin(const uint8_t *bytes, size_t count, size_t *whole_bytes);

#endif
