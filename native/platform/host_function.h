/* Functions of the program that has loaded the engine, which it may lack. In ELF their names are weak. In Mach-O and on
 * Windows a name that nothing defines keeps a library from being loaded, or from being linked: there each is a jump to
 * what was found at run time.
 *
 * A name that SP_HOST_DECLARE has marked is called like any other, once SP_HOST_ADDRESS, in the one file that has
 * SP_HOST_DEFINE, was not NULL. */
#ifndef SP_PLATFORM_HOST_FUNCTION_H
#define SP_PLATFORM_HOST_FUNCTION_H

#include <stdint.h>

#if defined(__APPLE__) || defined(_WIN32)
#ifdef __cplusplus
#define SP_HOST_BEGIN extern "C" {
#define SP_HOST_END }
#else
#define SP_HOST_BEGIN
#define SP_HOST_END
#endif

/* Where the function is, which stands at *place from now on; NULL: there is none. */
SP_HOST_BEGIN
const void *sp_host_find(const void **place, const char *name);
SP_HOST_END

/* The registers that the jump changes are those that the linker's own jumps change. */
#ifdef _WIN32
#define SP_HOST_NAME(name) ".globl " #name "\n.p2align 4\n" #name ":\n"
#define SP_HOST_JUMP(name) "jmp *sp_host_" #name "(%rip)\n"
#elif defined(__aarch64__)
#define SP_HOST_NAME(name) ".private_extern _" #name "\n.p2align 4\n_" #name ":\n"
#define SP_HOST_JUMP(name)                                                                                             \
    "adrp x16, _sp_host_" #name "@PAGE\n"                                                                              \
    "ldr x16, [x16, _sp_host_" #name "@PAGEOFF]\n"                                                                     \
    "br x16\n"
#else
#define SP_HOST_NAME(name) ".private_extern _" #name "\n.p2align 4\n_" #name ":\n"
#define SP_HOST_JUMP(name) "jmp *_sp_host_" #name "(%rip)\n"
#endif

#define SP_HOST_DECLARE(name)
#define SP_HOST_DEFINE(name)                                                                                           \
    SP_HOST_BEGIN const void *sp_host_##name;                                                                          \
    SP_HOST_END                                                                                                        \
    __asm__(".text\n" SP_HOST_NAME(name) SP_HOST_JUMP(name));
#define SP_HOST_ADDRESS(name) sp_host_find(&sp_host_##name, #name)

#else

#define SP_HOST_PRAGMA(text) _Pragma(#text)
#define SP_HOST_DECLARE(name) SP_HOST_PRAGMA(weak name)
#define SP_HOST_DEFINE(name)
#define SP_HOST_ADDRESS(name) (const void *)(uintptr_t)(name)

#endif

#endif
