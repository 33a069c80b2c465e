/* What errors are called. */
#ifndef SP_PLATFORM_ERROR_TEXT_H
#define SP_PLATFORM_ERROR_TEXT_H

/* The text of an errno of the system; of any other number, too. */
const char *sp_error_text(int number);

#endif
