/* The processors of the thread's group, of 64 at most, that the process may use. */
#include "platform/cpu.h"

#include "windows_headers.h"

int sp_cpu_count(void)
{
    DWORD_PTR own = 0;
    DWORD_PTR all = 0;
    int count = 0;

    GetProcessAffinityMask(GetCurrentProcess(), &own, &all); /* 0 where the process has threads in several groups */
    for (; own != 0; own &= own - 1)
        count++;
    return count > 0 ? count : (int)GetActiveProcessorCount(ALL_PROCESSOR_GROUPS);
}
