/* The list of the process. That of a library, which atexit() writes to in a library, is called when all other threads
 * are dead: too late for calls that wait for a thread of the engine. The library stays loaded for what it has
 * asked for. */
#include "platform/at_exit.h"

#include "platform/thread.h"
#include "windows_headers.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAX_FUNCTIONS 8

/* The C library that this is built with, and its function that takes what the process calls at its end. */
#ifdef _UCRT
#define CRT L"ucrtbase.dll"
#define ADD "_crt_atexit"
#else
#define CRT L"msvcrt.dll"
#define ADD "_onexit"
#endif

/* The C libraries take functions that return a number. _onexit returns its argument, _crt_atexit 0: what they return is
 * not looked at. */
typedef int function_of_crt(void);
typedef intptr_t add_function(function_of_crt *fn);

static struct sp_mutex lock = SP_MUTEX_INIT(SP_RANK_NONE);
static void (*functions[MAX_FUNCTIONS])(void);
static size_t count; /* of those that are still to be called */

static int call_last(void)
{
    void (*fn)(void) = NULL;

    sp_mutex_lock(&lock);
    if (count > 0)
        fn = functions[--count];
    sp_mutex_unlock(&lock);
    if (fn != NULL)
        fn();
    return 0;
}

static void stay_loaded(void)
{
    DWORD flags = GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_PIN;
    HMODULE own;

    GetModuleHandleExW(flags, (LPCWSTR)(void *)&lock, &own);
}

void sp_at_exit(void (*fn)(void))
{
    HMODULE crt = GetModuleHandleW(CRT);
    add_function *add = crt != NULL ? (add_function *)(uintptr_t)GetProcAddress(crt, ADD) : NULL;
    bool has_room = false;

    if (add == NULL)
        return;
    stay_loaded();
    sp_mutex_lock(&lock);
    if (count < MAX_FUNCTIONS) {
        functions[count++] = fn;
        has_room = true;
    }
    sp_mutex_unlock(&lock);
    if (has_room)
        add(call_last);
}
