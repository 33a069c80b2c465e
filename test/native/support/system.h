/* What the tests of sockets ask of the operating system. */
#ifndef TEST_SYSTEM_H
#define TEST_SYSTEM_H

#include <stdint.h>

/* Keeps the calling thread, and those that it starts, on the processor that it runs on. */
void test_stay_on_this_processor(void);

int64_t test_now_ms(void);

/* Waits before a condition is looked at again. */
void test_pause_moment(void);

#endif
