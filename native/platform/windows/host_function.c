/* GetProcAddress. What loads the addon exports the functions itself, as node.exe does. */
#include "platform/host_function.h"

#include "windows_headers.h"

const void *sp_host_find(const void **place, const char *name)
{
    *place = (const void *)(uintptr_t)GetProcAddress(GetModuleHandleW(NULL), name);
    return *place;
}
