/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * beside.c - Verdicts beside a baseline's
 *
 * A --map of a baseline is a leg like any other; its verdicts are counted
 * apart, and both legs' are handed to results/noise, which pairs them.
 *
 * What no judge has found has a place by its reason: of another status the
 * class is the status, so that 500 is not excused by servers that now and then
 * say 304. What has no class, as bytes, is never excused.
 */
#include <string.h>

#include "engine/engine_internal.h"
#include "tally/tally.h"
#include "noise/noise.h"

bool engine_has_baseline(const struct engine_config *cfg)
{
	for (uint32_t m = 0; m < cfg->maps; m++)
		if (cfg->map[m].baseline)
			return true;
	return false;
}

bool engine_by_place(const struct engine_config *cfg)
{
	return cfg->learn || engine_has_baseline(cfg);
}

size_t beside_size(const struct engine_config *cfg)
{
	return engine_by_place(cfg) ? noise_size() : 0;
}

int beside_init(struct engine *e, struct arena *a)
{
	for (uint32_t m = 0; m < e->cfg.maps; m++)
		e->stats.map[m].baseline = e->cfg.map[m].baseline;
	if (!engine_by_place(&e->cfg))
		return 0;
	return noise_init(&e->noise, a, &e->cfg.key);
}

struct noise *engine_noise(const struct engine *e)
{
	return e->noise;
}

bool engine_is_baseline(const struct engine *e, uint32_t sut)
{
	for (uint32_t m = 0; m < e->cfg.maps; m++)
		if (e->map_sut[m] == sut && !e->cfg.map[m].baseline)
			return false;
	return true;
}

static struct case_class number(unsigned n)
{
	return (struct case_class){ (uint16_t)CASE_SHAPE, (uint16_t)n };
}

/* Where it differs, if no judge says. */
static void by_reason(const struct compare_result *r, struct case_found *f)
{
	*f = (struct case_found){ .judge = CASE_NOBODY, .change = CASE_VALUE };
	if (r->reason == REASON_STATUS) {
		f->class[0] = number(r->status[0]);
		f->class[1] = number(r->status[1]);
	} else if (r->reason == REASON_UNANSWERED) {
		f->class[1] = number(r->how);
	} else if (r->evidence.dns != COMPARE_DNS_NOTHING) {
		f->class[1] = number(r->evidence.dns);
	}
}

void beside_note(struct engine *e, const struct exchange_record *rec,
		 const struct compare_result *r, const char *name, uint8_t len,
		 const struct case_answer *a)
{
	struct noise_answer n = {
		.conn = rec->conn,
		.asked = rec->asked,
		.index = rec->index,
		.leg = rec->baseline ? NOISE_BASELINE : NOISE_SUT,
		.compared = r->verdict != VERDICT_NOT_COMPARED,
		.reason = (uint8_t)r->reason,
		.name = name,
		.name_len = len
	};

	if (!e->noise)
		return;
	if (r->verdict == VERDICT_DIFFERENT && a && a->founds > 0) {
		n.founds = a->founds;
		memcpy(n.found, a->found, a->founds * sizeof(*n.found));
		if (a->more)
			n.found[n.founds++] =
				(struct case_found){ .judge = CASE_NOBODY,
						     .change = CASE_SOMEWHERE };
	} else if (r->verdict == VERDICT_DIFFERENT) {
		by_reason(r, &n.found[n.founds++]);
	}
	noise_add(e->noise, &n);
}
