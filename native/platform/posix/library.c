/* dladdr(3), and dlopen(3) of ourselves. */
#include "platform/library.h"

#include <dlfcn.h>
#include <stddef.h>
#include <stdint.h>

const void *sp_library_of(const void *function)
{
    Dl_info info;

    return function != NULL && dladdr(function, &info) != 0 ? info.dli_fbase : NULL;
}

void sp_library_keep(void)
{
#ifndef __ELF__
    Dl_info info;

    if (dladdr((const void *)(uintptr_t)sp_library_keep, &info) != 0)
        dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
#endif
}
