/* Base64. */
#include "util/base64.h"

#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void sp_base64_encode(const uint8_t *bytes, size_t count, char *text)
{
    for (size_t i = 0; i < count; i += 3) {
        size_t here = count - i < 3 ? count - i : 3;
        uint32_t group = (uint32_t)bytes[i] << 16;
        if (here > 1)
            group |= (uint32_t)bytes[i + 1] << 8;
        if (here > 2)
            group |= bytes[i + 2];
        *text++ = alphabet[group >> 18];
        *text++ = alphabet[group >> 12 & 63];
        *text++ = here > 1 ? alphabet[group >> 6 & 63] : '=';
        *text++ = here > 2 ? alphabet[group & 63] : '=';
    }
}

bool sp_base64_is_of(const char *text, size_t length, size_t count)
{
    size_t padding = (3 - count % 3) % 3;

    if (length != SP_BASE64_LENGTH(count))
        return false;
    for (size_t i = 0; i < length; i++) {
        bool is_padding = i >= length - padding;
        if (is_padding ? text[i] != '=' : text[i] == '\0' || strchr(alphabet, text[i]) == NULL)
            return false;
    }
    return true;
}
