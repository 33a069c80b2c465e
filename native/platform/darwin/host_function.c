/* dlsym(3). */
#include "platform/host_function.h"

#include <dlfcn.h>

const void *sp_host_find(const void **place, const char *name)
{
    *place = dlsym(RTLD_DEFAULT, name);
    return *place;
}
