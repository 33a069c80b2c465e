/* BCryptGenRandom. */
#include "platform/random.h"

#include "windows_headers.h"

#include <bcrypt.h>
#include <stdint.h>

size_t sp_system_random(void *bytes, size_t count)
{
    ULONG part = count > UINT32_MAX ? UINT32_MAX : (ULONG)count;

    return BCryptGenRandom(NULL, bytes, part, BCRYPT_USE_SYSTEM_PREFERRED_RNG) >= 0 ? part : 0;
}
