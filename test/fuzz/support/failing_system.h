/* System calls of the engine that fail once, because an input says so: whatever they answer, the engine comes to rest.
 * The linker puts these functions in the place of the C library's (--wrap, see CMakeLists.txt). */
#ifndef FUZZ_FAILING_SYSTEM_H
#define FUZZ_FAILING_SYSTEM_H

/* From now on nothing fails. */
void failing_system_end(void);
/* The call that the first number names fails after `index` more of its kind, with the error that the other number
 * names. Any numbers will do. */
void failing_system_arm(unsigned call, unsigned index, unsigned error);
/* For functions that are replaced elsewhere: returns true, and sets errno, when this call fails. */
int failing_system_accept_fails(void);
int failing_system_connect_fails(void);

#endif
