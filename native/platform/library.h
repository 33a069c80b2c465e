/* Libraries that are loaded in the process. */
#ifndef SP_PLATFORM_LIBRARY_H
#define SP_PLATFORM_LIBRARY_H

/* What tells the library or program that holds a function from others; NULL where none does. */
const void *sp_library_of(const void *function);

#endif
