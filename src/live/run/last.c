/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * last.c - The SUT's last answers, and the end of every flow
 *
 * Theory of operation
 *
 * When the run is over the SUT's last answers are waited for as in the run: as
 * long as waits run, up to --final-wait, but never less than LAST_WAIT unless
 * that is asked for, so that connections close as they would. Where a SUT that
 * is behind is waited for (--behind wait), it is for as long as it goes on; a
 * signal ends that.
 */
#include <inttypes.h>

#include "os/log.h"
#include "run/run_internal.h"
#include "shadow/counters.h"
#include "text/text.h"

#define LAST_WAIT  (2 * NS_PER_SEC)
#define FINAL_MOST (15 * NS_PER_SEC)
#define FINAL_LOOK (10 * NS_PER_MS) /* at what is waited for: all flows */

/**
 * struct last - The wait for the SUT's last answers
 * @least, @most: It does not end before, nor later
 * @look:	When to look next at what is owed
 * @progress:	What the SUT had taken and given at the last turn
 * @turns:	There was one
 */
struct last {
	uint64_t least;
	uint64_t most;
	uint64_t look;
	uint64_t progress;
	bool turns;
};

/* What the SUT has taken and given so far. */
static uint64_t progress(const struct run *run)
{
	const struct shadow_counters *c =
		shadow_counters(engine_shadow(run->engine));

	return c->requests_delivered + c->requests_answered;
}

/* How long the SUT is waited for yet, by what it owes; @n: answers that it owes
 */
static uint64_t owed(struct run *run, uint32_t *n)
{
	uint64_t left;

	*n = 0;
	left = engine_waits_left(run->engine, run->now, n);
	return left < FINAL_MOST ? left : FINAL_MOST;
}

static void final_begin(struct run *run, struct last *f)
{
	char text[TEXT_NUMBER];
	uint64_t wait;
	uint32_t n;

	run_note(run, ENGINE_FINAL, 0);
	wait = owed(run, &n);
	if (run->opt->final_given)
		wait = run->opt->final_wait;
	f->least = run->now + LAST_WAIT;
	f->most = run->now +
		  (run->opt->final_given ? run->opt->final_wait : FINAL_MOST);
	f->look = run->now;
	if (f->least > f->most)
		f->least = f->most;
	if (n > 0 && run->now + wait > f->least)
		log_line(LOG_INFO,
			 "the SUT owes %" PRIu32 " answer%s: waiting up to %s; "
			 "Ctrl-C ends that",
			 n, n == 1 ? "" : "s", text_time(text, wait));
}

static bool final_over(struct run *run, struct last *f)
{
	uint32_t n;

	if (run->now >= f->most)
		return true;
	if (run->now < f->least || run->now < f->look)
		return false;
	f->look = run->now + FINAL_LOOK;
	owed(run, &n);
	return n == 0;
}

static void final_more(struct run *run, struct last *f)
{
	if (run->opt->final_given)
		return;
	f->least = run->now + LAST_WAIT;
	f->most = run->now + FINAL_MOST;
}

static bool last_over(struct run *run, void *ctx)
{
	struct last *f = ctx;
	struct engine_occupancy occ;
	uint64_t to = progress(run);

	if (f->turns) {
		engine_occupancy(run->engine, run->now, &occ);
		if (occ.flows == 0 && occ.datagrams_open == 0)
			return true;
		if (!run->opt->engine.shadow.shed && to != f->progress)
			final_more(run, f);
	}
	f->progress = to;
	f->turns = true;
	return final_over(run, f) || run_wire_is_bad(run);
}

void run_last(struct run *run)
{
	static const struct source_ops ops = { .over = last_over };
	struct effects out;
	struct last f = { .turns = false };
	bool more = true;

	run->mirror_drops = run_drops(run);
	run->mirror_over = true;
	run->stop = false;
	final_begin(run, &f);
	if (run->has_sut)
		run_loop(run, &(struct source){ &ops, &f }, NULL);
	run_clock(run);
	run_note(run, ENGINE_ENDED, 0);
	while (more) {
		more = engine_stop(run->engine, run->now, &out);
		run_send(run, &out);
		run_flush(run);
		run_events(run);
	}
	run_desk_end(run);
}
