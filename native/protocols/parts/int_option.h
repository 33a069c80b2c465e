/* Reading and writing options that are one int. */
#ifndef SP_PROTOCOLS_PARTS_INT_OPTION_H
#define SP_PROTOCOLS_PARTS_INT_OPTION_H

#include <errno.h>
#include <stddef.h>
#include <string.h>

/* Returns 0, or -EINVAL when the size is not that of an int or the number is below `lowest`. */
static inline int sp_int_option_set(int *option, int lowest, const void *value, size_t size)
{
    int number;

    if (size != sizeof number)
        return -EINVAL;
    memcpy(&number, value, sizeof number);
    if (number < lowest)
        return -EINVAL;
    *option = number;
    return 0;
}

/* Sets *size to the full size. Unlike for options of all sockets, no part of the number is given: -EINVAL. */
static inline int sp_int_option_get(int option, void *value, size_t *size)
{
    if (*size < sizeof option)
        return -EINVAL;
    memcpy(value, &option, sizeof option);
    *size = sizeof option;
    return 0;
}

#endif
