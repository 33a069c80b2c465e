/* From the engine's negative errno to the C API's -1 and errno. */
#ifndef SP_API_FAIL_H
#define SP_API_FAIL_H

#include <errno.h>

static inline int nn_fail(int rc)
{
    errno = -rc;
    return -1;
}

static inline int nn_result(int rc)
{
    return rc < 0 ? nn_fail(rc) : rc;
}

#endif
