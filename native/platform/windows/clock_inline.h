/* QueryPerformanceCounter and Sleep, without the headers of Windows, which most files do not need. */
#ifndef SP_PLATFORM_WINDOWS_CLOCK_INLINE_H
#define SP_PLATFORM_WINDOWS_CLOCK_INLINE_H

sp_time_ns sp_now_ns(void);
void sp_pause_1_ms(void);

#endif
