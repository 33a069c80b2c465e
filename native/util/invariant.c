/* The end of a process whose state cannot be. */
#include "util/invariant.h"

#include <stdio.h>
#include <stdlib.h>

void sp_invariant_broken(const char *file, int line, const char *what)
{
    fprintf(stderr, "nanomsg-native: %s:%d: broken invariant: %s\n", file, line, what);
    abort();
}
