/* dlsym(3). */
#include "platform/host_function.h"

#include "platform/library.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Our own jumps have the names, too, and some linkers show them to others. */
static bool is_ours(const void *function)
{
    return sp_library_of(function) == sp_library_of((const void *)(uintptr_t)sp_host_find);
}

const void *sp_host_find(const void **place, const char *name)
{
    const void *found = dlsym(RTLD_DEFAULT, name);

    *place = found != NULL && !is_ours(found) ? found : NULL;
    return *place;
}
