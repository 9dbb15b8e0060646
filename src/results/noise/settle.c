/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * settle.c - Is it noise?
 *
 * Places in which the baseline differs are tested all together (Holm), so that
 * two servers of one version are called different by chance in no more than
 * NOISE_ALPHA of the runs, however many places there are. Values of bytes,
 * forms and parts have no class that could be held against another's, so noise
 * there excuses nothing.
 */
#include <string.h>

#include "noise/noise_internal.h"
#include "noise/stats.h"

bool noise_alike(const struct case_class *a, const struct case_class *b)
{
	uint16_t both = a->mask & b->mask;

	return (both & ~CASE_SIZED) || (both != 0 && a->len == b->len);
}

static bool is_opaque(const struct noise_place *p)
{
	return p->kind.judge == CASE_BYTES || p->kind.judge == CASE_FORM ||
	       p->kind.judge == CASE_MULTIPART;
}

/* Had production or the baseline such a value there? */
static bool was_seen(const struct noise_place *p, uint32_t class)
{
	if (class == NOISE_CLASSES)
		return false;
	if (p->class[class].seen)
		return true;
	for (uint32_t i = 0; i < p->classes; i++)
		if (p->class[i].seen &&
		    noise_alike(&p->class[class].is, &p->class[i].is))
			return true;
	return false;
}

static void judge_places(struct noise *n)
{
	uint32_t tests = 0;

	for (uint32_t i = 0; i < n->places; i++) {
		struct noise_place *p = &n->place[i];

		p->strange = 0;
		for (uint32_t k = 0; k < p->classes; k++)
			if (!was_seen(p, k))
				p->strange += p->class[k].n;
		p->p = 1;
		p->state = NOISE_QUIET;
		if (p->baseline + p->both == 0)
			continue;
		p->state = is_opaque(p) ? NOISE_OPAQUE : NOISE_SAME;
		p->p = stats_mcnemar(p->sut, p->baseline);
		n->tested[tests] = (uint16_t)i;
		n->p[tests++] = p->p;
	}
	stats_holm(n->p, tests, NOISE_ALPHA, n->more);
	for (uint32_t i = 0; i < tests; i++)
		if (n->more[i] && n->place[n->tested[i]].state == NOISE_SAME)
			n->place[n->tested[i]].state = NOISE_MORE;
}

static bool is_noise(const struct noise *n, const struct noise_at *at)
{
	const struct noise_place *p = &n->place[at->place];

	return at->place != NO_PLACE && p->state == NOISE_SAME &&
	       was_seen(p, at->class);
}

/* Are all places of a set noise? */
static bool is_excused(const struct noise *n, const struct set *s)
{
	uint32_t k = 0;

	while (k < s->founds && is_noise(n, &s->at[k]))
		k++;
	return k == s->founds;
}

void noise_settle(struct noise *n, struct noise_sums *out)
{
	judge_places(n);
	*out = n->sums;
	out->excused = 0;
	for (uint32_t i = 0; i < n->sets; i++)
		if (is_excused(n, &n->set[i]))
			out->excused += n->set[i].n;
}

uint64_t noise_excused(const struct noise *n, const char *name, size_t len)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < n->sets; i++) {
		const struct set *s = &n->set[i];
		const struct noise_place *p;

		if (s->founds == 0 || s->at[0].place == NO_PLACE)
			continue;
		/* All places of a set are of one answer, and so of one name. */
		p = &n->place[s->at[0].place];
		if (p->name_len == len && memcmp(p->name, name, len) == 0 &&
		    is_excused(n, s))
			sum += s->n;
	}
	return sum;
}
