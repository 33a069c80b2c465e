/* Where systems keep the certificates of authorities that all programs trust. */
#ifndef SP_PLATFORM_AUTHORITIES_H
#define SP_PLATFORM_AUTHORITIES_H

#include <stddef.h>

/* The file that may have them, by its number from 0 on; NULL: there are no more. */
const char *sp_authorities_file(size_t number);

#endif
