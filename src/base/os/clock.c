/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * clock.c - The only reader of the clock
 */
#include "os/clock.h"

#include <sys/prctl.h>
#include <time.h>

#define NS UINT64_C(1000000000)

static uint64_t clock_read(clockid_t id)
{
	struct timespec t = { 0, 0 };

	/* Cannot fail: both clocks exist since Linux 2.6. */
	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * NS + (uint64_t)t.tv_nsec;
}

uint64_t clock_mono(void)
{
	return clock_read(CLOCK_MONOTONIC);
}

uint64_t clock_real(void)
{
	return clock_read(CLOCK_REALTIME);
}

void clock_precise(void)
{
	/* Without it Linux may add 50 us. It cannot fail for one's own thread.
	 */
	prctl(PR_SET_TIMERSLACK, 1UL);
}

void clock_pause(uint64_t ns)
{
	struct timespec t = { .tv_sec = (time_t)(ns / NS),
			      .tv_nsec = (long)(ns % NS) };

	clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL);
}
