/* What must hold in each run of a fuzzer. A violation ends the process, as the sanitizers do. */
#ifndef FUZZ_CHECK_H
#define FUZZ_CHECK_H

#include <stdio.h>
#include <stdlib.h>

#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            fuzz_violated(#condition, __FILE__, __LINE__);                                                             \
    } while (0)

_Noreturn static inline void fuzz_violated(const char *condition, const char *file, int line)
{
    fprintf(stderr, "%s:%d: violated: %s\n", file, line, condition);
    abort();
}

#endif
