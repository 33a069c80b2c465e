/* GetModuleHandleEx. */
#include "platform/library.h"

#include "windows_headers.h"

#include <stddef.h>

const void *sp_library_of(const void *function)
{
    HMODULE module;
    DWORD flags = GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT;

    if (function == NULL || !GetModuleHandleExW(flags, (LPCWSTR)function, &module))
        return NULL;
    return module;
}
