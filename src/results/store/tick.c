/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tick.c - A second of a run becomes a row
 */
#include "store/tick.h"

#include <assert.h>

static const struct counter counters[] = { TICK_COUNTERS(
	COUNTER_ROW, struct tick_counters) };
static const struct counter gauges[] = { TICK_GAUGES(COUNTER_ROW,
						     struct tick_gauges) };

const struct counter_list tick_counter_list = COUNTER_LIST(counters);
const struct counter_list tick_gauge_list = COUNTER_LIST(gauges);

static void put_list(struct row *r, const struct counter_list *l,
		     const void *base)
{
	for (size_t i = 0; i < l->n; i++)
		row_u64(r, counter_get(&l->row[i], base));
}

int store_tick(const struct store_tick *t, store_put_fn put, void *ctx)
{
	uint8_t p[256];
	struct row r;

	row_begin(&r, p, sizeof(p), STORE_TICK);
	row_u64(&r, t->at);
	put_list(&r, &tick_counter_list, &t->n);
	put_list(&r, &tick_gauge_list, &t->is);
	assert(row_end(&r) > 0);
	return put(ctx, p, row_end(&r));
}
