/* Processors. */
#ifndef SP_PLATFORM_CPU_H
#define SP_PLATFORM_CPU_H

/* On how many the calling thread may run; at least 1. */
int sp_cpu_count(void);

/* Between two looks at memory that another processor writes. */
static inline void sp_cpu_pause(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb");
#endif
}

#endif
