/* What the tests of sockets ask of Windows. */
#include "../system.h"

#include <windows.h>

#define PAUSE_MS 2

void test_stay_on_this_processor(void)
{
    SetThreadAffinityMask(GetCurrentThread(), (DWORD_PTR)1 << GetCurrentProcessorNumber() % (8 * sizeof(DWORD_PTR)));
}

int64_t test_now_ms(void)
{
    return (int64_t)GetTickCount64();
}

void test_pause_moment(void)
{
    Sleep(PAUSE_MS);
}
