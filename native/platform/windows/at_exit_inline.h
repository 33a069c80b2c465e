/* What is to run last is asked for first: when the program or the library is loaded. */
#ifndef SP_PLATFORM_WINDOWS_AT_EXIT_INLINE_H
#define SP_PLATFORM_WINDOWS_AT_EXIT_INLINE_H

#define SP_AT_LAST(name)                                                                                               \
    static void name(void);                                                                                            \
    __attribute__((constructor)) static void name##_ask(void)                                                          \
    {                                                                                                                  \
        sp_at_exit(name);                                                                                              \
    }                                                                                                                  \
    static void name(void)

#endif
