/* Windows keeps them in no file. Every user can make the folder \etc of a drive: what lies there proves nothing. */
#include "platform/authorities.h"

const char *sp_authorities_file(size_t number)
{
    (void)number;
    return NULL;
}
