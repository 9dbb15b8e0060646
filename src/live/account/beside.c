/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * beside.c - What a baseline showed, for a report
 */
#include <stdlib.h>
#include <string.h>

#include "account/account_internal.h"
#include "noise/noise.h"
#include "redact/redact.h"

static uint64_t differs(const struct report_noise_place *p)
{
	return p->sut + p->lone + p->both;
}

/* What counts first, and of it what the SUT shows most. Equal ones stand always
 * in one order, as verdicts come when they come.
 */
static int by_weight(const void *a, const void *b)
{
	const struct report_noise_place *x = a;
	const struct report_noise_place *y = b;
	uint64_t n = differs(x), m = differs(y);
	int r;

	if (x->excuses != y->excuses)
		return x->excuses ? 1 : -1;
	if (n != m)
		return n < m ? 1 : -1;
	r = snapshot_by_name(x->name, x->name_len, y->name, y->name_len);
	if (r != 0)
		return r;
	if (x->reason != y->reason)
		return x->reason < y->reason ? -1 : 1;
	return memcmp(&x->kind, &y->kind, sizeof(x->kind));
}

static void fill_place(struct report_noise_place *out, char *name,
		       const struct redact *by, const struct noise_place *p)
{
	const struct redact_text t = { .p = (const uint8_t *)p->name,
				       .n = p->name_len,
				       .to = p->name_len,
				       .cut = p->name_len == NOISE_NAME };

	*out = (struct report_noise_place){
		.name = name,
		.name_len = redact_put(by, &t, (uint8_t *)name, PLACE_SHOWN),
		.kind = p->kind,
		.reason = (enum compare_reason)p->reason,
		.state = noise_state_name(p->state),
		.excuses = p->state == NOISE_SAME && p->strange == 0,
		.sut = p->sut,
		.baseline = p->baseline,
		.both = p->both,
		.lone = p->lone,
		.strange = p->strange,
		.ppm = (uint64_t)(p->p * 1e6),
	};
}

void snapshot_noise(struct snapshot *f, const struct engine *engine,
		    const struct run_facts *x)
{
	struct noise *n = engine_noise(engine);
	struct noise_sums s;

	if (!n || !x->opt->has_baseline)
		return;
	noise_settle(n, &s);
	f->noise = (struct report_noise){ .paired = s.paired,
					  .alone = s.alone,
					  .excused = s.excused,
					  .lost = s.lost,
					  .beyond = s.beyond,
					  .place = f->noise_place,
					  .places = noise_places(n) };
	for (uint32_t i = 0; i < noise_places(n); i++)
		fill_place(&f->noise_place[i], f->noise_name[i], x->redact,
			   noise_place(n, i));
	qsort(f->noise_place, f->noise.places, sizeof(f->noise_place[0]),
	      by_weight);
	f->d.noise = &f->noise;
}
