/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * judged.c - A run's desk: started, fed, heard, and given up
 *
 * Theory of operation
 *
 * The engine hands cases over in the midst of a call, which costs a copy;
 * answers are taken between two calls, as its records are. A case that finds no
 * room is written into the journal in front of the input that it came of, as
 * that is written when the engine has had it: so a rerun knows before it asks.
 * Once a second the desk is looked for. At the end it is waited for while it
 * goes on, up to JUDGED_WAIT without an answer and JUDGED_MOST in all; a signal
 * ends that, too. What it owes then is not compared, and the run is an error,
 * as nobody knows what was in it.
 */
#include <errno.h>
#include <inttypes.h>

#include "app/tokens.h"
#include "desk/desk.h"
#include "os/clock.h"
#include "os/log.h"
#include "os/random.h"
#include "run/run_internal.h"

#define JUDGED_EVERY NS_PER_SEC
#define JUDGED_TURN  256 /* answers that are taken in one turn */
#define JUDGED_WAIT  (10 * NS_PER_SEC)
#define JUDGED_MOST  (60 * NS_PER_SEC)
#define JUDGED_NAP   NS_PER_MS
#define RING_LEAST   ((size_t)16 << 20)
#define HEADS	     (64u << 10) /* more than heads and trailers of both have */

static size_t longest_of(const struct engine_config *o)
{
	return 2 * o->keep + HEADS;
}

static size_t ring_of(const struct engine_config *o)
{
	size_t ring = RING_LEAST;

	while (ring < 4 * longest_of(o))
		ring *= 2;
	return ring;
}

int run_desk_open(struct run *run, struct errbuf *e)
{
	const struct engine_config *o = &run->opt->engine;
	struct desk_config c = { .rules = o->by,
				 .redact = &run->redact,
				 .all = engine_by_place(o),
				 .ring = ring_of(o),
				 .longest = longest_of(o),
				 .user = run->user };

	if (!o->by)
		return 0;
	if (random_bytes(&c.key, sizeof(c.key)) != 0)
		return errbuf_set(e, -EIO,
				  "the kernel gives no random numbers");
	run->desk_seed = tokens_seed(&c.key);
	return desk_start(&run->desk, &c, e);
}

static int refer(void *ctx, uint64_t flow, uint32_t index, const struct keep *k,
		 const struct case_view *c)
{
	struct run *run = ctx;

	(void)flow;
	(void)index;
	return desk_put(run->desk, k, c);
}

static void refused(void *ctx, uint64_t flow, uint32_t index)
{
	struct run *run = ctx;

	if (run->journal)
		journal_refused(run->journal, flow, index, run->now);
}

void run_desk_of(struct run *run, struct engine_config *cfg)
{
	cfg->desk = (struct engine_desk){ .refer = refer,
					  .refused = refused,
					  .seed = run->desk_seed,
					  .room = ring_of(cfg),
					  .ctx = run };
}

static void give_up(struct run *run, const char *why)
{
	bool more = true;

	run_clear_line(run);
	log_line(LOG_ERROR,
		 "the desk %s: what --rules leave to it is not judged from "
		 "here on, %" PRIu32 " answers are owed",
		 why, engine_out(run->engine));
	run->desk_gone = true;
	desk_leave(run->desk);
	while (more) {
		more = engine_desk_gone(run->engine);
		run_records(run);
	}
}

void run_judged(struct run *run)
{
	struct case_answer a;
	unsigned n = 0;
	int r = 0;

	if (!run->desk || run->desk_gone)
		return;
	while (n++ < JUDGED_TURN && (r = desk_take(run->desk, &a)) > 0) {
		r = engine_judged(run->engine, &a);
		if (r != 0)
			break;
		run_records(run);
	}
	if (r < 0)
		give_up(run, "says what no judge would");
}

/* Has it died? What it had said before counts. */
static void look(struct run *run)
{
	if (desk_lives(run->desk))
		return;
	run_judged(run);
	if (!run->desk_gone)
		give_up(run, "has died");
}

void run_look_at_desk(struct run *run)
{
	if (!run->desk || run->desk_gone || run->now < run->next_desk)
		return;
	run->next_desk = run->now + JUDGED_EVERY;
	look(run);
}

/* Nobody takes an answer back any more. */
static void unhold(struct run *run)
{
	bool more = run->desk;

	while (more) {
		more = engine_unheld(run->engine);
		run_records(run);
	}
}

static void wait_for_desk(struct run *run)
{
	uint64_t begun = clock_mono();
	uint64_t at = begun;
	uint32_t was = UINT32_MAX;

	run->stop = false;
	while (run->desk && !run->desk_gone && engine_out(run->engine) > 0) {
		uint64_t now = clock_mono();
		uint32_t out;

		run_judged(run);
		out = engine_out(run->engine);
		if (out != was)
			at = now;
		was = out;
		if (out > 0)
			look(run);
		if (run->desk_gone)
			return;
		run_look_at_signals(run);
		if (run->stop)
			give_up(run, "was not waited for");
		else if (now - at > JUDGED_WAIT || now - begun > JUDGED_MOST)
			give_up(run, "does not answer");
		else if (out > 0)
			clock_pause(JUDGED_NAP);
	}
}

void run_desk_end(struct run *run)
{
	wait_for_desk(run);
	unhold(run);
}
