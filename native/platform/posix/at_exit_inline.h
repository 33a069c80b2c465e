/* Destructors of the program, or of the library when it stays loaded. */
#ifndef SP_PLATFORM_POSIX_AT_EXIT_INLINE_H
#define SP_PLATFORM_POSIX_AT_EXIT_INLINE_H

#define SP_AT_LAST(name)                                                                                               \
    static void name(void);                                                                                            \
    __attribute__((destructor)) static void name(void)

#endif
