/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gate.c - Is the SUT slower than is allowed, and does it leak?
 *
 * A gate fails if its whole interval is beyond the limit, and passes if none of
 * it is. Where the limit lies within, chance decides, and nothing is claimed:
 * an interval gets narrower with the root of the number of answers, so about
 * so many would tell as make it reach from what was seen to the limit. What is
 * no larger than the error of the instrument is no difference, and passes. A
 * leak that fails is one by vitals/series.c, too: a slope above the limit that
 * added next to nothing is left undecided.
 */
#include "gauge/gauge.h"
#include "vitals/vitals.h"

#define NEEDED_MOST 1e15

static uint64_t needed(const struct perf_row *row, const struct report_gate *g)
{
	double half = (double)(g->high - g->low) / 2;
	double way = (double)(g->limit - g->at);
	double n = (double)row->n[1];

	if (way < 0)
		way = -way;
	if (way < 1)
		return 0;
	n *= half / way * (half / way);
	return n < NEEDED_MOST ? (uint64_t)n + 1 : 0;
}

void gate_leak(struct report_gate *out, const struct vitals_growth *of,
	       size_t limit)
{
	double most = (double)limit * GROWTH_PER;

	out->state = GATE_UNDECIDED;
	out->unit = GATE_LEAK;
	out->limit = vitals_whole(most);
	out->low = out->at = out->high = 0;
	if (!of || of->says == VITALS_TOO_FEW)
		return;
	out->low = vitals_whole(of->low);
	out->at = vitals_whole(of->by);
	out->high = vitals_whole(of->high);
	if (of->high <= most)
		out->state = GATE_PASSED;
	else if (of->low > most && of->says == VITALS_LEAK)
		out->state = GATE_FAILED;
}

void gate_slower(struct report_gate *out, const struct option_slower *limit,
		 const struct perf_row *row, uint64_t error)
{
	const struct perf_quantiles *q = NULL;

	for (unsigned i = 0; i < PERF_QUANTILES; i++)
		if (perf_quantile[i] == limit->permille)
			q = &row->q[i];
	out->state = GATE_UNDECIDED;
	out->limit = limit->share;
	out->needs = 0;
	out->low = out->at = out->high = 0;
	if (!q || q->says == PERF_TOO_FEW)
		return;
	out->low = q->share_low;
	out->at = q->share;
	out->high = q->share_high;
	if (out->high <= out->limit || (q->by > 0 && (uint64_t)q->by <= error))
		out->state = GATE_PASSED;
	else if (out->low > out->limit)
		out->state = GATE_FAILED;
	else
		out->needs = needed(row, out);
}
