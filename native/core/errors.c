/* nn_strerror: the errors that the C library does not know. */
#include <nanomsg/nn.h>

#include <string.h>

const char *nn_strerror(int errnum)
{
    switch (errnum) {
    case ETERM:
        return "Nanomsg library was terminated";
    case EFSM:
        return "Operation cannot be performed in this state";
    default:
        return strerror(errnum);
    }
}
