/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tally.c - Verdicts, counted
 *
 * A verdict is counted once, by the reason that tells most. A difference is counted
 * besides under each of its reasons, so that these may be more than there are
 * differences.
 */
#include "engine/engine_internal.h"

void tally(struct engine *e, struct compare_result *r)
{
	struct engine_stats *st = &e->stats;

	if (r->verdict == VERDICT_DIFFERENT && r->reasons == 0)
		r->reasons = reason_bit(r->reason);
	if (r->verdict != VERDICT_DIFFERENT)
		r->reasons = 0;
	st->verdict[r->verdict]++;
	st->reason[r->verdict][r->reason]++;
	for (unsigned i = 0; i < REASON_COUNT; i++)
		st->each[i] += r->reasons >> i & 1;
}
