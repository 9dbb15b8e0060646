/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * code.c - What a run found, as an exit code
 *
 * An error is what makes the rest mean nothing: an early end, answers that
 * nobody judged, clients that no SUT would answer, a baseline that nothing was
 * paired with, nothing compared. Then come a SUT that was down and the gates.
 */
#include "compare/compare.h"
#include "core/counters.h"
#include "dgram/udp.h"
#include "engine/engine.h"
#include "noise/noise.h"
#include "os/exitcode.h"
#include "outcome/outcome.h"
#include "record/health.h"
#include "shadow/counters.h"
#include "tally/counters.h"
#include "tally/stats.h"

/* What a baseline showed, or zeroes. */
static const struct noise_sums *noise(const struct engine *e)
{
	static struct noise_sums sums;
	struct noise *n = engine_noise(e);

	if (n)
		noise_settle(n, &sums);
	return &sums;
}

bool outcome_was_down(const struct engine *e, const struct options *o,
		      uint64_t now)
{
	const struct engine_stats *st = engine_stats(e);

	for (uint32_t i = 0; i < st->suts; i++)
		if (!engine_is_baseline(e, i) &&
		    health_down(&st->health[i], now) > o->allow_down)
			return true;
	return false;
}

/* Was anything compared, or, at level none, played? */
static bool was_any(const struct engine *e, const struct options *o)
{
	const uint64_t *v = engine_stats(e)->verdict;

	if (o->engine.compare == COMPARE_NONE)
		return shadow_counters(engine_shadow(e))->flows_played +
			       engine_udp(e)->forwarded >
		       0;
	return v[VERDICT_IDENTICAL] + v[VERDICT_EQUIVALENT] +
		       v[VERDICT_DIFFERENT] >
	       0;
}

int outcome_code(const struct engine *e, const struct gauge *g,
		 const struct options *o, uint64_t now, bool stopped)
{
	const struct engine_stats *st = engine_stats(e);

	if (stopped || st->reason[VERDICT_NOT_COMPARED][REASON_DESK] > 0 ||
	    networks_too_many(e, o) ||
	    (o->has_baseline && noise(e)->paired == 0))
		return EXIT_ERROR;
	if (o->engine.sut_none)
		return counter_sum(&engine_fate_list, &st->count) ==
				       st->count.frames_mirror +
					       st->count.other_legs
			       ? EXIT_SAME
			       : EXIT_ERROR;
	if (!was_any(e, o))
		return EXIT_ERROR;
	return gauge_exit(g, outcome_was_down(e, o, now) ? EXIT_DIFFERENT
							 : EXIT_SAME);
}
