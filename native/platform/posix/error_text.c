/* strerror(3). */
#include "platform/error_text.h"

#include <string.h>

const char *sp_error_text(int number)
{
    return strerror(number);
}
