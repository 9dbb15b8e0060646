/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * clock.c - Has the wall clock been set?
 *
 * Stamps are of the wall clock, so a latency that spans its setting is none.
 * The distance of the wall clock from the monotonic one is looked at every
 * LOOK; what a daemon that steers the clock moves in that time (at most 500
 * ppm) is far below STEP. Between two readings the process may be put to sleep,
 * so the wall clock is read between two readings of the other, which must be
 * CLOSE.
 */
#include <inttypes.h>

#include "os/clock.h"
#include "os/log.h"
#include "run/run_internal.h"

#define LOOK  NS_PER_SEC
#define STEP  (5 * (int64_t)NS_PER_MS)
#define CLOSE NS_PER_MS
#define TRIES 3

/* Return: how far the wall clock is ahead of the monotonic one; 0: not known */
static int64_t ahead(void)
{
	for (int i = 0; i < TRIES; i++) {
		uint64_t before = clock_mono();
		uint64_t wall = clock_real();
		uint64_t after = clock_mono();

		if (after - before < CLOSE)
			return (int64_t)(wall - after);
	}
	return 0;
}

void run_clock(struct run *run)
{
	int64_t now = ahead();
	int64_t step = now - run->clock_ahead;

	run->next_clock = run->now + LOOK;
	if (now == 0 || (!run->has_sut && !run->has_mirror))
		return;
	if (run->clock_ahead == 0 || (step < STEP && step > -STEP))
		step = 0;
	run->clock_ahead = now;
	engine_clock(run->engine, step, run->now);
	observe_clock(run, step);
	if (step == 0)
		return;
	run_clear_line(run);
	log_line(LOG_WARN,
		 "the clock of this host was set by %" PRId64
		 " ms: what was under way is not measured",
		 step / (int64_t)NS_PER_MS);
}
