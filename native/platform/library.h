/* Libraries that are loaded in the process. */
#ifndef SP_PLATFORM_LIBRARY_H
#define SP_PLATFORM_LIBRARY_H

/* What tells the library or program that holds a function from others; NULL where none does. */
const void *sp_library_of(const void *function);

/* Keeps this code in the process until it ends, as threads run in it and handlers are registered. In ELF the linker
 * sees to that (nodelete). */
void sp_library_keep(void);

#endif
