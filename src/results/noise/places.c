/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * places.c - Where answers differ, and by values of which class
 *
 * Both tables are open, never full and never emptied: what finds no room when
 * their number is reached is counted by who asked.
 */
#include <string.h>

#include "noise/noise_internal.h"

_Static_assert(PLACE_SLOTS > NOISE_PLACES && SET_SLOTS > NOISE_SETS,
	       "a search ends at a free slot");

static bool is_place(const struct noise_place *p, const struct noise_answer *a,
		     const struct diff_kind *k)
{
	return p->reason == a->reason && p->name_len == a->name_len &&
	       memcmp(p->name, a->name, a->name_len) == 0 &&
	       memcmp(&p->kind, k, sizeof(*k)) == 0;
}

uint32_t noise_find(struct noise *n, const struct noise_answer *a,
		    const struct case_found *f)
{
	struct diff_kind k;
	struct noise_place *p;
	struct case_place as = { .judge = f->judge, .change = f->change };
	uint32_t i;

	_Static_assert(sizeof(f->place) <= sizeof(as.name), "a place fits");
	memcpy(as.name, f->place, sizeof(f->place));
	diff_kind_of(&k, &as, a->name, a->name_len, a->reason);
	/* What no judge has found is of a kind all the same. */
	k.judge = f->judge;
	k.change = f->change;
	i = (uint32_t)(hash_bytes(&n->key, a->name, a->name_len) ^
		       hash_bytes(&n->key, &k, sizeof(k)) ^ a->reason);
	for (i &= PLACE_SLOTS - 1; n->place_slot[i] != 0;
	     i = (i + 1) & (PLACE_SLOTS - 1))
		if (is_place(&n->place[n->place_slot[i] - 1], a, &k))
			return n->place_slot[i] - 1;
	if (n->places == NOISE_PLACES)
		return NO_PLACE;
	p = &n->place[n->places];
	*p = (struct noise_place){ .name_len = a->name_len,
				   .reason = a->reason,
				   .kind = k };
	memcpy(p->name, a->name, a->name_len);
	n->place_slot[i] = ++n->places;
	return n->places - 1;
}

uint32_t noise_class(struct noise_place *p, const struct case_class *c)
{
	uint32_t i = 0;

	while (i < p->classes &&
	       (p->class[i].is.mask != c->mask || p->class[i].is.len != c->len))
		i++;
	if (i == p->classes && i < NOISE_CLASSES)
		p->class[p->classes++] = (struct noise_class){ .is = *c };
	return i;
}

void noise_set(struct noise *n, const struct noise_at *at, uint32_t founds)
{
	size_t size = founds * sizeof(*at);
	uint32_t i = (uint32_t)hash_bytes(&n->key, at, size);
	struct set *s;

	for (i &= SET_SLOTS - 1; n->set_slot[i] != 0;
	     i = (i + 1) & (SET_SLOTS - 1)) {
		s = &n->set[n->set_slot[i] - 1];
		if (s->founds == founds && memcmp(s->at, at, size) == 0) {
			s->n++;
			return;
		}
	}
	if (n->sets == NOISE_SETS) {
		n->sums.beyond++;
		return;
	}
	s = &n->set[n->sets];
	*s = (struct set){ .n = 1, .founds = founds };
	memcpy(s->at, at, size);
	n->set_slot[i] = ++n->sets;
}
