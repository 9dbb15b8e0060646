/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * clock - The only reader of the clock
 *
 * Everything else is told the time. Monotonic time drives timers; real time is
 * only for what is compared with a capture's time stamps.
 */
#ifndef OS_CLOCK_H
#define OS_CLOCK_H

#include <stdint.h>

/** clock_mono() - Monotonic time, ns since some moment before start */
uint64_t clock_mono(void);

/** clock_real() - Time of day, ns since 1970; may jump */
uint64_t clock_real(void);

/** clock_precise() - Let this thread's sleeps end within a microsecond or so */
void clock_precise(void);

/**
 * clock_pause() - Sleep
 * @ns:	How long; a signal may end it sooner
 */
void clock_pause(uint64_t ns);

#endif /* OS_CLOCK_H */
