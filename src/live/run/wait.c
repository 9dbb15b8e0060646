/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wait.c - What the loop tells the engine about time and the SUT's wire
 *
 * Theory of operation
 *
 * The engine waits for the SUT's answers, and no pause of ours may look like
 * silence of the SUT's. So the loop tells it, and the journal with it:
 *   - that the SUT's ring has been read empty, once the engine asks for that.
 *     The clock was read before the ring: what came earlier than that is in.
 *   - that we stood still: between two turns lay more than what was slept on
 *     purpose and STALL.
 *   - that the SUT's ring has lost frames, looked at before a wait ends.
 */
#include "run/run_internal.h"

#define STALL (100 * NS_PER_MS)

void run_note(struct run *run, enum engine_note what, uint64_t value)
{
	struct effects out;

	engine_note(run->engine, what, value, run->now, &out);
	observe_note(run, what, value);
	run_send(run, &out);
}

void run_turn_begins(struct run *run)
{
	uint64_t due = run->turn_at + run->slept + STALL;

	if (run->turn_at != 0 && run->now > due)
		run_note(run, ENGINE_STALLED,
			 run->now - run->turn_at - run->slept);
	run->turn_at = run->now;
	run->slept = 0;
}

void run_sut_is_read(struct run *run)
{
	uint64_t drops;

	if (!engine_waits_due(run->engine))
		return;
	drops = ring_stats(&run->sut)->drops;
	if (drops != run->sut_drops)
		run_note(run, ENGINE_SUT_DROPPED, drops - run->sut_drops);
	run->sut_drops = drops;
	run_note(run, ENGINE_SUT_READ, 0);
}
