/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * live_wait.c - What the loop tells the engine about time and the SUT's wire
 *
 * Theory of operation
 *
 * The engine waits for the SUT's answers, and no pause of ours may look like
 * silence of the SUT's. So the loop tells it, and the journal with it:
 *   - that the SUT's ring has been read empty, once the engine asks for that. The
 *     clock was read before the ring: what came earlier than that is in.
 *   - that we stood still: between two turns lay more than what was slept on
 *     purpose and STALL.
 *   - that the SUT's ring has lost frames, looked at before a wait ends.
 *
 * When the run is over the SUT's last answers are waited for, in the same way: as
 * long as waits run, up to --final-wait, but never less than LAST_WAIT unless
 * that is asked for, so that connections close as they would.
 */
#include <inttypes.h>

#include "cmd/live.h"
#include "os/log.h"
#include "report/text.h"

#define STALL	   (100 * NS_PER_MS)
#define LAST_WAIT  (2 * NS_PER_SEC)
#define FINAL_MOST (15 * NS_PER_SEC)
#define FINAL_LOOK (10 * NS_PER_MS) /* at what is waited for: all flows */

void live_note(struct live *l, enum engine_note what, uint64_t value)
{
	struct effects out;

	engine_note(l->engine, what, value, l->now, &out);
	if (l->journal != NULL)
		journal_note(l->journal, what, value, l->now);
	live_send(l, &out);
}

void live_turn_begins(struct live *l)
{
	uint64_t due = l->turn_at + l->slept + STALL;

	if (l->turn_at != 0 && l->now > due)
		live_note(l, ENGINE_STALLED, l->now - l->turn_at - l->slept);
	l->turn_at = l->now;
	l->slept = 0;
}

void live_sut_is_read(struct live *l)
{
	uint64_t drops;

	if (!engine_waits_due(l->engine))
		return;
	drops = ring_stats(&l->sut)->drops;
	if (drops != l->sut_drops)
		live_note(l, ENGINE_SUT_DROPPED, drops - l->sut_drops);
	l->sut_drops = drops;
	live_note(l, ENGINE_SUT_READ, 0);
}

/* How long the SUT is waited for yet, by what it owes; @n: answers that it owes */
static uint64_t owed(struct live *l, uint32_t *n)
{
	uint64_t left;

	*n = 0;
	left = engine_waits_left(l->engine, l->now, n);
	return left < FINAL_MOST ? left : FINAL_MOST;
}

void live_final_begin(struct live *l, struct live_final *f)
{
	char text[TEXT_NUMBER];
	uint64_t wait;
	uint32_t n;

	live_note(l, ENGINE_FINAL, 0);
	wait = owed(l, &n);
	if (l->opt->final_given)
		wait = l->opt->final_wait;
	f->least = l->now + LAST_WAIT;
	f->most = l->now +
		  (l->opt->final_given ? l->opt->final_wait : FINAL_MOST);
	f->look = l->now;
	if (f->least > f->most)
		f->least = f->most;
	if (n > 0 && l->now + wait > f->least)
		log_line(LOG_INFO,
			 "the SUT owes %" PRIu32 " answers: waiting for them "
			 "for up to %s; Ctrl-C ends that",
			 n, text_time(text, wait));
}

bool live_final_over(struct live *l, struct live_final *f)
{
	uint32_t n;

	if (l->now >= f->most)
		return true;
	if (l->now < f->least || l->now < f->look)
		return false;
	f->look = l->now + FINAL_LOOK;
	owed(l, &n);
	return n == 0;
}

void live_final_more(struct live *l, struct live_final *f)
{
	if (l->opt->final_given)
		return;
	f->least = l->now + LAST_WAIT;
	f->most = l->now + FINAL_MOST;
}

bool live_was_down(const struct live *l)
{
	const struct engine_stats *st = engine_stats(l->engine);

	for (uint32_t i = 0; i < st->suts; i++)
		if (health_down(&st->health[i], l->now) > l->opt->allow_down)
			return true;
	return false;
}
