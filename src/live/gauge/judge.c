/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * judge.c - What is demanded of a run and of its endpoints, and what came of it
 *
 * Demands by a number are exact: so many answers were different, or were
 * compared. A share is a guess at what the SUT does, and has an interval
 * (gates/share.c): whole beyond the limit it fails, whole within it passes, and
 * else it is undecided, with about how many answers would tell. Sums are the
 * engine's; the records that are counted here say only how alike answers of one
 * second are, so that a record that was lost changes no verdict.
 *
 * Some ends are foreseen: more different answers than a number allows, or a
 * share that a bet and the interval both say is too large. What lasts to the
 * end of the run, as how much is compared, what is noise, or times, is not.
 */
#include <assert.h>
#include <string.h>

#include "engine/engine.h"
#include "gauge/gauge_internal.h"
#include "noise/noise.h"
#include "opt/values.h"
#include "os/exitcode.h"
#include "shadow/counters.h"
#include "tally/stats.h"
#include "text/text.h"

#define WHOLE_RUN RULES_ALL

/* --- sums --- */

static uint64_t compared_of(const uint64_t *verdict)
{
	return verdict[VERDICT_IDENTICAL] + verdict[VERDICT_EQUIVALENT] +
	       verdict[VERDICT_DIFFERENT];
}

static void sum_of(struct gauge_sum *out, const uint64_t *verdict,
		   uint64_t excused)
{
	out->compared = compared_of(verdict);
	out->all = out->compared + verdict[VERDICT_NOT_COMPARED];
	assert(excused <= verdict[VERDICT_DIFFERENT]);
	out->different = verdict[VERDICT_DIFFERENT] - excused;
}

void gauge_sums(struct gauge_sums *out, const struct engine *e,
		const struct options *o)
{
	const struct engine_stats *st = engine_stats(e);
	const struct shadow_counters *c = shadow_counters(engine_shadow(e));
	const struct udp_counters *u = engine_udp(e);
	struct noise *noise = engine_noise(e);
	struct noise_sums ns = { .excused = 0 };

	memset(out, 0, sizeof(*out));
	/* Without a baseline it is there to learn from, and excuses nothing. */
	if (!o->has_baseline)
		noise = NULL;
	if (noise)
		noise_settle(noise, &ns);
	sum_of(&out->run, st->verdict, ns.excused);
	for (uint32_t i = 1; o->engine.by && i < rules_endpoints(o->engine.by);
	     i++) {
		const char *name = rules_name(o->engine.by, i);

		sum_of(&out->endpoint[i], st->refer.verdict[i],
		       noise ? noise_excused(noise, name, strlen(name)) : 0);
	}
	if (o->engine.compare != COMPARE_NONE)
		return;
	out->run.compared = out->run.all;
	if (st->count.production + st->count.production_datagram == 0)
		out->run.different = c->requests_seen - c->requests_answered +
				     u->exchanges - u->sut_paired;
}

/* --- which there are --- */

static void put_name(struct gate *t, const char *front)
{
	static const char *const verb[] = {
		[GATE_MAX_DIFFERENT] = "max-different",
		[GATE_MIN_COMPARED] = "min-compared",
		[GATE_MAX_SLOWER] = "max-slower",
		[GATE_MAX_LEAK] = "max-leak",
	};
	struct text s;

	text_begin(&s, t->name, GATE_NAME);
	text_add(&s, "%s%s ", front, verb[t->of.verb]);
	if (t->of.verb == GATE_MAX_SLOWER) {
		text_add(&s, "p%u", t->of.permille / 10u);
		if (t->of.permille % 10 != 0)
			text_add(&s, ".%u", t->of.permille % 10u);
		text_add(&s, ":");
	}
	if (t->of.share)
		value_put_share(&s, (uint32_t)t->of.n);
	else
		text_add(&s, "%llu", (unsigned long long)t->of.n);
	t->is.name = t->name;
}

/* A least of 0 demands nothing; a most of 0 does, and is the default. */
static bool is_told(const struct rules_gate *of)
{
	return of->n > 0 || (of->share && of->verb != GATE_MIN_COMPARED);
}

static void add_run(struct gauge *g, enum gate_verb verb, uint16_t permille,
		    uint64_t n, bool share)
{
	struct gate *t = &g->gate[g->gates++];

	assert(g->gates <= GAUGE_GATES);
	t->of = (struct rules_gate){ .verb = (uint8_t)verb,
				     .share = share,
				     .endpoint = WHOLE_RUN,
				     .permille = permille,
				     .n = n };
	t->told = is_told(&t->of);
	put_name(t, "--");
}

void judge_open(struct gauge *g)
{
	const struct rules_gate *gate[RULES_GATES];
	const struct options *o = g->opt;
	uint32_t n = 0;

	if (o->engine.compare != COMPARE_NONE)
		add_run(g, GATE_MIN_COMPARED, 0, o->min_compared.n,
			o->min_compared.share);
	add_run(g, GATE_MAX_DIFFERENT, 0, o->max_different.n,
		o->max_different.share);
	for (uint32_t i = 0; i < o->slowers; i++)
		add_run(g, GATE_MAX_SLOWER, (uint16_t)o->slower[i].permille,
			o->slower[i].share, true);
	if (o->max_leak > 0)
		add_run(g, GATE_MAX_LEAK, 0, o->max_leak, false);
	if (o->engine.by)
		n = rules_gates(o->engine.by, gate);
	for (uint32_t i = 0; i < n; i++) {
		struct gate *t = &g->gate[g->gates++];

		assert(g->gates <= GAUGE_GATES);
		t->told = true;
		t->of = *gate[i];
		t->is.endpoint = rules_name(o->engine.by, t->of.endpoint);
		put_name(t, "");
	}
}

/* What the options say now: --ctl changes these two while a run goes on, and
 * what was watched for another limit says nothing of the new one.
 */
static void take_options(struct gauge *g)
{
	for (uint32_t i = 0; i < g->gates; i++) {
		struct gate *t = &g->gate[i];
		const struct option_amount *a = t->of.verb == GATE_MAX_DIFFERENT
							? &g->opt->max_different
							: &g->opt->min_compared;

		if (t->is.endpoint || t->of.verb == GATE_MAX_SLOWER ||
		    t->of.verb == GATE_MAX_LEAK ||
		    (t->of.n == a->n && t->of.share == a->share))
			continue;
		t->of.n = a->n;
		t->of.share = a->share;
		t->told = is_told(&t->of);
		t->watch = (struct gates_watch){ 0 };
		put_name(t, "--");
	}
}

static bool is_guess(const struct gate *t)
{
	return t->of.verb == GATE_MAX_DIFFERENT && t->of.share && t->of.n > 0 &&
	       t->of.n < GATES_WHOLE;
}

void judge_exchange(struct gauge *g, const struct exchange_record *x)
{
	bool hit = x->verdict == VERDICT_DIFFERENT;

	if (x->baseline || (x->verdict == VERDICT_NOT_COMPARED &&
			    g->opt->engine.compare != COMPARE_NONE))
		return;
	gates_count(&g->blocks[WHOLE_RUN], x->judged, hit);
	if (x->endpoint != WHOLE_RUN)
		gates_count(&g->blocks[x->endpoint], x->judged, hit);
	for (uint32_t i = 0; i < g->gates; i++) {
		struct gate *t = &g->gate[i];

		if (is_guess(t) && (t->of.endpoint == WHOLE_RUN ||
				    t->of.endpoint == x->endpoint))
			gates_watch(&t->watch, (uint32_t)t->of.n, hit);
	}
}

/* --- what came of them --- */

static const struct gauge_sum *sums_of(const struct gauge_sums *sums,
				       const struct gate *t)
{
	return t->of.endpoint == WHOLE_RUN ? &sums->run
					   : &sums->endpoint[t->of.endpoint];
}

static void judge_different(const struct gauge *g, struct gate *t,
			    const struct gauge_sum *s)
{
	double effect = gates_effect(&g->blocks[t->of.endpoint]);
	struct gates_interval v;

	if (!t->of.share) {
		t->is.unit = GATE_ANSWERS;
		t->is.at = (int64_t)s->different;
		t->is.state =
			s->different > t->of.n ? GATE_FAILED : GATE_PASSED;
		return;
	}
	gates_interval(s->different, s->compared, effect, &v);
	t->is.unit = GATE_SHARE;
	t->is.low = v.low;
	t->is.at = v.at;
	t->is.high = v.high;
	switch (gates_side(s->different, s->compared, effect,
			   (uint32_t)t->of.n)) {
	case GATES_BELOW:
		t->is.state = GATE_PASSED;
		break;
	case GATES_ABOVE:
		t->is.state = GATE_FAILED;
		break;
	case GATES_ACROSS:
		t->is.state = GATE_UNDECIDED;
		t->is.needs = gates_needed(s->different, s->compared, effect,
					   (uint32_t)t->of.n);
		break;
	}
}

static void judge_compared(struct gate *t, const struct gauge_sum *s)
{
	uint64_t least = t->of.share ? s->all * t->of.n / GATES_WHOLE : t->of.n;

	t->is.unit = GATE_ANSWERS;
	t->is.limit = (int64_t)least;
	t->is.at = (int64_t)s->compared;
	t->is.state = s->compared < least ? GATE_FAILED : GATE_PASSED;
	if (!t->of.share && s->compared < least)
		t->is.needs = least - s->compared;
}

/* Are these the times a gate is about? */
static bool is_about(const struct gauge *g, unsigned row, const struct gate *t)
{
	uint32_t group = g->group[row];

	if (g->row[row].metric != PERF_SERVICE_LAST)
		return false;
	if (t->of.endpoint == WHOLE_RUN)
		return group == PERF_ALL;
	/* One group alone has no row of its own: all answers are its. */
	if (group == PERF_ALL)
		return perf_groups(g->perf) == 1 &&
		       perf_key(g->perf, 0).endpoint == t->of.endpoint;
	return group < PERF_GROUPS &&
	       perf_key(g->perf, group).endpoint == t->of.endpoint;
}

/* Of several entries of --map the worst counts. */
static void judge_slower(const struct gauge *g, struct gate *t)
{
	static const int bad[] = {
		[GATE_PASSED] = 1, [GATE_UNDECIDED] = 2, [GATE_FAILED] = 3
	};
	static const struct perf_row none;
	const struct option_slower limit = { t->of.permille,
					     (uint32_t)t->of.n };
	struct report_gate one = t->is;
	int worst = 0;

	gate_slower(&t->is, &limit, &none, 0);
	for (unsigned i = 0; i < g->rows; i++) {
		if (!is_about(g, i, t))
			continue;
		gate_slower(&one, &limit, &g->row[i].row, g->row[i].error);
		if (bad[one.state] > worst)
			t->is = one;
		worst = bad[one.state] > worst ? bad[one.state] : worst;
	}
}

void judge_settle(struct gauge *g, const struct gauge_sums *sums)
{
	take_options(g);
	for (uint32_t i = 0; i < g->gates; i++) {
		struct gate *t = &g->gate[i];

		t->is.limit = (int64_t)t->of.n;
		t->is.low = t->is.at = t->is.high = 0;
		t->is.needs = 0;
		switch ((enum gate_verb)t->of.verb) {
		case GATE_MAX_DIFFERENT:
			judge_different(g, t, sums_of(sums, t));
			break;
		case GATE_MIN_COMPARED:
			judge_compared(t, sums_of(sums, t));
			break;
		case GATE_MAX_SLOWER:
			judge_slower(g, t);
			break;
		case GATE_MAX_LEAK:
			gate_leak(&t->is, g->growth ? &g->growth->rss : NULL,
				  t->of.n);
			break;
		}
	}
}

const char *gauge_hopeless(struct gauge *g, const struct gauge_sums *sums)
{
	take_options(g);
	for (uint32_t i = 0; i < g->gates; i++) {
		const struct gate *t = &g->gate[i];
		const struct gauge_sum *s = sums_of(sums, t);
		double effect = gates_effect(&g->blocks[t->of.endpoint]);

		if (t->of.verb != GATE_MAX_DIFFERENT)
			continue;
		if (!t->of.share && s->different > t->of.n)
			return t->name;
		if (t->of.share && t->of.n == 0 && s->different > 0)
			return t->name;
		if (is_guess(t) && gates_hopeless(&t->watch) &&
		    gates_side(s->different, s->compared, effect,
			       (uint32_t)t->of.n) == GATES_ABOVE)
			return t->name;
	}
	return NULL;
}

unsigned gauge_gates(const struct gauge *g, const struct report_gate **out)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < g->gates; i++)
		if (g->gate[i].of.verb != GATE_MIN_COMPARED || g->gate[i].told)
			out[n++] = &g->gate[i].is;
	return n;
}

int gauge_exit(const struct gauge *g, int code)
{
	bool undecided = false;

	for (uint32_t i = 0; i < g->gates; i++) {
		const struct gate *t = &g->gate[i];

		if (t->is.state == GATE_FAILED &&
		    t->of.verb == GATE_MIN_COMPARED)
			return EXIT_ERROR;
		if (t->is.state == GATE_FAILED && code == EXIT_SAME)
			code = EXIT_DIFFERENT;
		undecided |= t->is.state == GATE_UNDECIDED;
	}
	if (undecided && !g->opt->undecided_pass && code == EXIT_SAME)
		code = EXIT_ERROR;
	return code;
}
