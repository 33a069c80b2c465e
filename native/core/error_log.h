/* Whether errors are reported on stderr. */
#ifndef SP_CORE_ERROR_LOG_H
#define SP_CORE_ERROR_LOG_H

#include <stdbool.h>

/* Whether NN_PRINT_ERRORS asks for reports. */
bool sp_prints_errors(void);

#endif
