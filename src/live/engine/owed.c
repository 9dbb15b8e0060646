/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * owed.c - How far the SUT is, for who feeds a capture without its times
 */
#include "engine/engine_internal.h"

/* Bytes by which production is ahead in the exchange that the SUT is at. */
static uint32_t ahead_by(const struct flow *f)
{
	const struct exchange *x = f->x.at[WHO_SUT];
	uint32_t p = f->w.p.nxt - f->w.p_base;
	uint32_t s = f->leg.s.nxt - f->leg.base;

	/* What ended on both sides is not ahead, whatever its lengths were. */
	if (!x || !(x->flags & (X_P_BEGUN | X_HAVE_P)))
		return 0;
	return p > s ? p - s : 0;
}

static enum engine_owed leg_owed(const struct flow *f, uint32_t ahead,
				 bool answers)
{
	if (f->leg.state == LEG_NONE || f->leg.state == LEG_CLOSED)
		return f->older ? ENGINE_BUSY : ENGINE_OVER;
	/* Who waits for what was not handed in does not wait for the SUT. */
	if (f->leg.state != LEG_OPEN ||
	    (f->q.send && !shadow_waits_for_production(f)))
		return ENGINE_BUSY;
	if (answers && f->x.marks[WHO_SUT] < f->x.marks[WHO_CLIENT])
		return ENGINE_BUSY;
	return ahead_by(f) > ahead ? ENGINE_AHEAD : ENGINE_EVEN;
}

enum engine_owed engine_owed(struct engine *e, const struct flow_key *key,
			     uint32_t ahead, bool answers)
{
	enum engine_owed most = ENGINE_OVER;
	struct flow_key k = *key;

	for (uint32_t m = 0; m < e->cfg.maps; m++) {
		const struct flow *f;
		enum engine_owed owed;

		if (!engine_is_prod(&e->cfg.map[m], &k.prod, k.pport))
			continue;
		k.map = m;
		f = shadow_find(e->shadow, &k);
		owed = f ? leg_owed(f, ahead, answers) : ENGINE_OVER;
		if (owed > most)
			most = owed;
	}
	return most;
}
