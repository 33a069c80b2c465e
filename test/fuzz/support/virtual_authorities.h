/* The authorities that the system trusts. Reading the real ones takes a quarter of a second under AddressSanitizer, for
 * each endpoint. */
#ifndef FUZZ_VIRTUAL_AUTHORITIES_H
#define FUZZ_VIRTUAL_AUTHORITIES_H

#include <stdbool.h>

/* Whether the environment names their file and their folder. In the beginning it names neither. */
void virtual_name_authorities(bool are_named);

#endif
