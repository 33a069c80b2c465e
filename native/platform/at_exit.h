/* The end of the program by exit() or by the return of main(), while its threads still run. */
#ifndef SP_PLATFORM_AT_EXIT_H
#define SP_PLATFORM_AT_EXIT_H

/* Calls fn when the program ends, before what was asked for earlier. Where memory is short it may not. */
void sp_at_exit(void (*fn)(void));

/* SP_AT_LAST(name) { ... } is a function that runs when the program ends, after all that was given to atexit(). */
#include "at_exit_inline.h" /* of the platform that is built for */

#endif
