/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * view.c - What a screen shows, picked from an engine
 *
 * It is asked once a second by the packet thread, so it sorts nothing and
 * judges nothing: a few numbers, and the largest of a table with a bound.
 */
#include <string.h>

#include "core/histogram.h"
#include "dgram/udp.h"
#include "record/health.h"
#include "shadow/counters.h"
#include "shadow/shadow.h"
#include "tally/stats.h"
#include "top/top.h"

static void take_suts(struct top_view *v, const struct engine_stats *st,
		      uint64_t now)
{
	v->suts = 0;
	for (uint32_t i = 0; i < st->suts && v->suts < TOP_SUTS; i++) {
		const struct health *h = &st->health[i];

		v->sut[v->suts].ip = st->sut[i];
		v->sut[v->suts].state = health_name(h->state);
		v->sut[v->suts].down = health_down(h, now);
		v->sut[v->suts++].times = h->times;
	}
}

/* The most frequent that is not there yet; NULL: there is no more. */
static const struct engine_endpoint *largest(const struct engine_stats *st,
					     const bool *there, uint32_t *at)
{
	const struct engine_endpoint *best = NULL;

	for (uint32_t i = 0; i < st->endpoints; i++) {
		const struct engine_endpoint *p = &st->endpoint[i];

		if (there[i] || (best && p->n <= best->n))
			continue;
		best = p;
		*at = i;
	}
	return best;
}

static void take_kinds(struct top_view *v, const struct engine_stats *st,
		       const struct redact *by)
{
	bool there[ENDPOINTS_MAX] = { false };
	const struct engine_endpoint *p;
	uint32_t at = 0;

	v->kinds = 0;
	while (v->kinds < TOP_KINDS && (p = largest(st, there, &at)) != NULL) {
		const struct redact_text t = { .p = (const uint8_t *)p->name,
					       .n = p->name_len,
					       .to = p->name_len,
					       .cut = p->name_len ==
						      ENDPOINT_NAME };
		uint8_t name[2 * ENDPOINT_NAME];
		size_t n = redact_put(by, &t, name, sizeof(name));

		there[at] = true;
		if (n > TOP_NAME)
			n = TOP_NAME;
		memcpy(v->kind[v->kinds].name, name, n);
		v->kind[v->kinds].len = n;
		v->kind[v->kinds].n = p->n;
		v->kind[v->kinds++].reason =
			reason_name((enum compare_reason)p->reason);
	}
}

void top_view(struct top_view *out, const struct engine *e,
	      const struct redact *by, uint64_t now)
{
	const struct engine_stats *st = engine_stats(e);
	const struct shadow *s = engine_shadow(e);

	out->flows = shadow_flows(s);
	out->requests =
		shadow_counters(s)->requests_seen + engine_udp(e)->exchanges;
	memcpy(out->verdict, st->verdict, sizeof(out->verdict));
	out->behind[0] = hist_quantile(shadow_behind(s), 500);
	out->behind[1] = hist_quantile(shadow_behind(s), 990);
	take_suts(out, st, now);
	take_kinds(out, st, by);
}
