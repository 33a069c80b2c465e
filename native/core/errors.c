/* nn_strerror: the errors that the C library does not know. */
#include "platform/error_text.h"

#include <nanomsg/nn.h>

const char *nn_strerror(int errnum)
{
    switch (errnum) {
    case ETERM:
        return "Nanomsg library was terminated";
    case EFSM:
        return "Operation cannot be performed in this state";
    default:
        return sp_error_text(errnum);
    }
}
