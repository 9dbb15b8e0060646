/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * records.c - Run the engine again from a journal
 *
 * Theory of operation
 *
 * A journal holds each input of the engine in its order, and behind it the
 * frames that came of it. A rerun makes the engine from the header, hands it
 * the same inputs, turns its effects into bytes with the live run's own
 * function, and takes them off a queue as the journal's emitted frames come by.
 * The queue must be empty whenever the next input comes: what is in it then was
 * not sent by the run. An emitted frame that meets an empty queue may be of the
 * run's end, when every flow is ended: that is asked for then, once, and no
 * input may follow it.
 *
 * Payload lies in the pool until the run's sink was done with it. A rerun is
 * done with an effect when its frame was compared; a send that failed comes as
 * a record of its own, with the effect's number, so the last effects are kept.
 *
 * Where it sends something else it is over, unless a report is wanted: then the
 * rest goes in as well, uncompared, and the report is that of the rerun. Where
 * it sends nothing although the run did, every flow was ended to see that, and
 * the report goes up to there.
 *
 * With other rules of comparison the same frames come of it, as the comparison
 * changes none, and another report.
 *
 * The report of a rerun (--json) is that of a live run, of an engine whose
 * surroundings know little: what follows from the journal is the same, and what
 * only the wires and the process knew (drops, delays, processor time) is 0 or
 * the rerun's own.
 */
#include <inttypes.h>

#include "effect/effect.h"
#include "engine/engine.h"
#include "os/exitcode.h"
#include "rerun/rerun_internal.h"

#define STOP_WAIT 64 /* effects that wait to be compared, at most */

struct effect *rerun_kept(struct rerun *g, uint64_t number)
{
	return &g->kept[number % KEPT];
}

static void tell_records(struct rerun *g)
{
	struct engine_item t;

	while (engine_take(g->engine, &t))
		if (g->reports)
			rerun_report_item(g, &t);
}

static void tell_events(struct rerun *g)
{
	const struct case_answer *a;

	tell_records(g);
	for (uint32_t i = 0; (a = rerun_judge_answer(g, i)) != NULL; i++) {
		(void)engine_judged(g->engine, a); /* it is our own */
		tell_records(g);
	}
}

/* What could be taken back stands. */
static void unhold(struct rerun *g)
{
	bool more = true;

	while (more) {
		more = engine_unheld(g->engine);
		tell_records(g);
	}
}

/* Nobody compares what was sent: the engine is done with it. */
static void pass_over(struct rerun *g)
{
	while (g->compared < g->seen) {
		const struct effect *x = rerun_kept(g, g->compared++);

		g->sent.frames++;
		engine_sent(g->engine, x);
	}
}

static int keep_all(struct rerun *g, const struct effects *out)
{
	for (uint32_t i = 0; i < out->n; i++)
		*rerun_kept(g, g->seen++) = out->e[i];
	tell_events(g);
	if (g->differs) {
		pass_over(g);
		return 0;
	}
	if (g->seen - g->compared > STOP_WAIT)
		return rerun_differs(g, "much more is sent than by the run");
	return 0;
}

/* The run's end: every flow is ended, by as many calls as it takes. */
static int stop_some(struct rerun *g, uint64_t now)
{
	struct effects out;
	bool more = true;

	g->stopping = true;
	while (more && g->compared == g->seen) {
		more = engine_stop(g->engine, now, &out);
		if (keep_all(g, &out))
			return -1;
	}
	return 0;
}

static int on_emitted(struct rerun *g, const struct journal_record *r)
{
	if (g->differs)
		return 0;
	if (g->compared == g->seen && stop_some(g, r->now))
		return -1;
	return rerun_compare(g, &r->frame);
}

/* All that came of the input before must have been sent by the run too. */
static int before_input(struct rerun *g)
{
	const struct effect *x = rerun_kept(g, g->compared);

	if (g->differs)
		return 0;
	g->again = true;
	if (g->compared < g->seen)
		return rerun_differs(
			g,
			"the rerun sends what the run did not: flow "
			"%" PRIu64 ", %s",
			x->flow, cause_name(x->cause));
	if (g->stopping)
		return rerun_differs(g, "the run sent a frame without a cause "
					"before it");
	g->again = false;
	return 0;
}

static int on_input(struct rerun *g, const struct journal_record *r)
{
	const struct journal_header *h = journal_read_header(g->in);
	const struct journal_frame *j = &r->frame;
	struct frame_info in = { .data = j->data,
				 .cap = j->cap,
				 .wire = j->wire,
				 .ts = j->ts,
				 .link = h->link[j->iface],
				 .gso = j->gso,
				 .csum_ok = j->csum_ok,
				 .trusted = j->trusted };
	struct effects out;

	if (before_input(g))
		return -1;
	if (j->iface != JOURNAL_SUT && g->mirror_frames++ == 0)
		g->file_begun = r->now;
	engine_record(g->engine, g->frames);
	engine_frame(g->engine,
		     j->iface == JOURNAL_SUT ? ENGINE_SUT : ENGINE_MIRROR, &in,
		     r->now, &out);
	return keep_all(g, &out);
}

static int on_timeout(struct rerun *g, uint64_t now)
{
	struct effects out;

	if (before_input(g))
		return -1;
	engine_timeout(g->engine, now, &out);
	return keep_all(g, &out);
}

static int on_unsent(struct rerun *g, uint64_t number)
{
	if (g->differs)
		return 0;
	if (number >= g->seen || g->seen - number > KEPT)
		return rerun_cannot(
			g, "effect %" PRIu64 " is not known any more", number);
	engine_unsent(g->engine, rerun_kept(g, number));
	rerun_kept(g, number)->timed = false;
	g->sent.errors++;
	return 0;
}

static int on_left(struct rerun *g, uint64_t to, uint64_t stamp)
{
	if (g->differs)
		return 0;
	/* What is older was told of before, or is not timed. */
	if (g->seen - g->left > KEPT)
		g->left = g->seen - KEPT;
	if (to > g->seen || to < g->left)
		return rerun_cannot(g, "effect %" PRIu64 " is not known", to);
	for (; g->left < to; g->left++)
		if (rerun_kept(g, g->left)->timed)
			engine_left(g->engine, rerun_kept(g, g->left), stamp);
	return 0;
}

static int on_note(struct rerun *g, const struct journal_record *r)
{
	struct effects out;

	if (before_input(g))
		return -1;
	if (r->note >= ENGINE_NOTES)
		return rerun_cannot(g,
				    "record %" PRIu64 " is of a later version",
				    g->records);
	engine_note(g->engine, (enum engine_note)r->note, r->value, r->now,
		    &out);
	return keep_all(g, &out);
}

static int on_record(struct rerun *g, const struct journal_record *r)
{
	switch (r->kind) {
	case JOURNAL_FRAME:
		return r->frame.iface == JOURNAL_EMITTED ? on_emitted(g, r)
							 : on_input(g, r);
	case JOURNAL_TIMEOUT:
		return on_timeout(g, r->now);
	case JOURNAL_UNSENT:
		return on_unsent(g, r->effect);
	case JOURNAL_LEFT:
		return on_left(g, r->effect, r->stamp);
	case JOURNAL_CLOCK:
		engine_clock(g->engine, r->step, r->now);
		tell_events(g);
		return 0;
	case JOURNAL_NOTE:
		return on_note(g, r);
	case JOURNAL_REFUSED:
		if (rerun_judge_refused(g, r->flow, r->index) == 0 ||
		    g->differs)
			return 0;
		return rerun_cannot(g,
				    "record %" PRIu64
				    " is about rules, and the "
				    "run had none",
				    g->records);
	}
	return rerun_cannot(g, "record %" PRIu64 " is broken", g->records);
}

/* Where it differs, the rest goes in if a report is wanted, and the end was not
 * asked for.
 */
static int one_record(struct rerun *g, const struct journal_record *r)
{
	int rc;

	g->frames += r->kind == JOURNAL_FRAME;
	rc = on_record(g, r);
	if (rc == 0 || !g->differs || g->stopping || g->result == EXIT_ERROR ||
	    !g->reports)
		return rc;
	pass_over(g);
	return g->again ? on_record(g, r) : 0;
}

int rerun_records(struct rerun *g)
{
	struct journal_status st;
	struct journal_record r;
	int rc;

	while ((rc = journal_read_next(g->in, &r)) > 0) {
		g->now = r.now;
		if (one_record(g, &r))
			return -1;
		g->records++;
	}
	if (rc < 0)
		return rerun_cannot(g, "broken behind record %" PRIu64,
				    g->records);
	journal_read_status(g->in, &st);
	if (!st.whole && g->differs)
		return -1; /* and that is said */
	if (!st.whole)
		return rerun_cannot(
			g,
			"%s (%" PRIu64 " records lost); equal up to "
			"its end",
			st.why ? st.why : "it is not whole", st.lost);
	return 0;
}

int rerun_end(struct rerun *g)
{
	int rc = 0;

	if (g->compared == g->seen && stop_some(g, g->now))
		rc = -1;
	g->stopping = false;
	unhold(g);
	if (rc == 0)
		rc = before_input(g);
	return g->differs ? -1 : rc;
}
