/* dladdr(3). */
#include "platform/library.h"

#include <dlfcn.h>
#include <stddef.h>

const void *sp_library_of(const void *function)
{
    Dl_info info;

    return function != NULL && dladdr(function, &info) != 0 ? info.dli_fbase : NULL;
}
