/* NN_PRINT_ERRORS. */
#include "core/error_log.h"

#include "platform/thread.h"

#include <stdlib.h>

/* Whether NN_PRINT_ERRORS asks for reports on stderr; read once, as the original does. */
static bool is_printing_errors;

static void read_environment(void)
{
    const char *value = getenv("NN_PRINT_ERRORS");

    is_printing_errors = value != NULL && *value != '\0';
}

bool sp_prints_errors(void)
{
    static struct sp_once once = SP_ONCE_INIT;

    sp_once_run(&once, read_environment);
    return is_printing_errors;
}
