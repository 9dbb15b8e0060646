/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * noise.c - Verdicts of two legs, paired
 *
 * Theory of operation
 *
 * A verdict finds its place, or places, at once; what waits for its partner is
 * no more than their numbers. Pairs lie in a ring, so that the oldest is known
 * when the ring is full, and in chains by their connection and number. A pair
 * that is whole is counted and leaves its chain; its place in the ring is free
 * when all older ones are.
 *
 * What of an answer is noise can only be told at the end, as it depends on
 * what the baseline does until then. So for each answer of the SUT's that
 * differs the set of its places and classes is counted; there are few.
 */
#include "noise/noise.h"

#include <errno.h>
#include <string.h>

#include "noise/noise_internal.h"

_Static_assert(NOISE_PLACES < UINT16_MAX, "a place's number fits");

const char *noise_state_name(enum noise_state s)
{
	static const char *const name[] = {
		[NOISE_QUIET] = "quiet",
		[NOISE_SAME] = "noise",
		[NOISE_MORE] = "more",
		[NOISE_OPAQUE] = "opaque",
	};

	return name[s];
}

size_t noise_size(void)
{
	return arena_need(sizeof(struct noise));
}

int noise_init(struct noise **out, struct arena *a, const struct hash_key *key)
{
	struct noise *n = arena_take(a, sizeof(*n));

	if (!n)
		return -ENOMEM;
	memset(n, 0, sizeof(*n));
	n->key = *key;
	*out = n;
	return 0;
}

/* --- pairs --- */

static uint32_t *slot_of(struct noise *n, uint64_t conn, uint32_t index)
{
	uint64_t id[2] = { conn, index };

	return &n->pair_slot[hash_bytes(&n->key, id, sizeof(id)) &
			     (PAIR_SLOTS - 1)];
}

static void unchain(struct noise *n, uint32_t number)
{
	struct pair *p = &n->pair[number];
	uint32_t *at = slot_of(n, p->conn, p->index);

	while (*at != number + 1)
		at = &n->pair[*at - 1].next;
	*at = p->next;
	p->used = false;
}

/* No partner will come. */
static void give_up(struct noise *n, uint32_t number)
{
	struct pair *p = &n->pair[number];

	n->sums.lost++;
	if (p->has[NOISE_SUT] && p->compared[NOISE_SUT]) {
		n->sums.alone++;
		for (unsigned i = 0; i < p->founds[NOISE_SUT]; i++)
			if (p->place[NOISE_SUT][i] != NO_PLACE)
				n->place[p->place[NOISE_SUT][i]].lone++;
	}
	unchain(n, number);
}

static struct pair *pair_of(struct noise *n, const struct noise_answer *a)
{
	uint32_t *slot = slot_of(n, a->conn, a->index);
	struct pair *p;
	uint32_t i;

	for (i = *slot; i != 0; i = n->pair[i - 1].next) {
		p = &n->pair[i - 1];
		if (p->conn == a->conn && p->index == a->index &&
		    p->asked == a->asked && !p->has[a->leg])
			return p;
	}
	while (n->pairs > 0 && !n->pair[n->head].used) {
		n->head = (n->head + 1) % NOISE_PAIRS;
		n->pairs--;
	}
	if (n->pairs == NOISE_PAIRS) {
		give_up(n, n->head);
		n->head = (n->head + 1) % NOISE_PAIRS;
		n->pairs--;
	}
	i = (n->head + n->pairs++) % NOISE_PAIRS;
	p = &n->pair[i];
	*p = (struct pair){ .conn = a->conn,
			    .asked = a->asked,
			    .index = a->index,
			    .next = *slot,
			    .used = true };
	*slot = i + 1;
	return p;
}

static bool has_place(const struct pair *p, enum noise_leg leg, uint16_t place)
{
	for (unsigned i = 0; i < p->founds[leg]; i++)
		if (p->place[leg][i] == place)
			return true;
	return false;
}

/* Both legs are there. */
static void count(struct noise *n, const struct pair *p)
{
	bool both = p->compared[NOISE_SUT] && p->compared[NOISE_BASELINE];

	n->sums.paired += both;
	n->sums.alone += p->compared[NOISE_SUT] && !both;
	for (unsigned i = 0; i < p->founds[NOISE_SUT]; i++) {
		uint16_t at = p->place[NOISE_SUT][i];

		if (at == NO_PLACE)
			continue;
		if (!both)
			n->place[at].lone++;
		else if (has_place(p, NOISE_BASELINE, at))
			n->place[at].both++;
		else
			n->place[at].sut++;
	}
	for (unsigned i = 0; both && i < p->founds[NOISE_BASELINE]; i++) {
		uint16_t at = p->place[NOISE_BASELINE][i];

		if (at != NO_PLACE && !has_place(p, NOISE_SUT, at))
			n->place[at].baseline++;
	}
}

/* --- verdicts --- */

/* Values at a place. Return: number of the class of the SUT's */
static uint32_t classes_of(struct noise_place *p, enum noise_leg leg,
			   const struct case_found *f)
{
	uint32_t prod = noise_class(p, &f->class[0]);
	uint32_t own = noise_class(p, &f->class[1]);

	if (prod < NOISE_CLASSES)
		p->class[prod].seen = true;
	if (own < NOISE_CLASSES && leg == NOISE_BASELINE)
		p->class[own].seen = true;
	if (own < NOISE_CLASSES && leg == NOISE_SUT)
		p->class[own].n++;
	return own;
}

/* In order of places and classes, so that equal sets are equal bytes; each
 * once, as a place may have values of several classes in one answer.
 */
static uint32_t insert(struct noise_at *at, uint32_t n, struct noise_at what)
{
	uint32_t i = 0;

	while (i < n &&
	       (at[i].place < what.place ||
		(at[i].place == what.place && at[i].class < what.class)))
		i++;
	if (i < n && at[i].place == what.place && at[i].class == what.class)
		return n;
	memmove(at + i + 1, at + i, (n - i) * sizeof(*at));
	at[i] = what;
	return n + 1;
}

/* The places of a set, each once. Return: their number */
static uint8_t places_of(const struct noise_at *at, uint32_t n, uint16_t *place)
{
	uint8_t k = 0;

	for (uint32_t i = 0; i < n; i++)
		if (i == 0 || at[i].place != at[i - 1].place)
			place[k++] = at[i].place;
	return k;
}

void noise_add(struct noise *n, const struct noise_answer *a)
{
	struct noise_at at[NOISE_FOUND + 1];
	uint32_t founds = 0;
	struct pair *p;

	for (uint32_t i = 0; i < a->founds; i++) {
		struct noise_at here = { NO_PLACE, NOISE_CLASSES };
		uint32_t place = noise_find(n, a, &a->found[i]);

		here.place = (uint16_t)place;
		n->sums.beyond += place == NO_PLACE;
		if (place != NO_PLACE)
			here.class = (uint16_t)classes_of(&n->place[place],
							  a->leg, &a->found[i]);
		founds = insert(at, founds, here);
	}
	if (a->leg == NOISE_SUT && founds > 0) {
		n->sums.different++;
		noise_set(n, at, founds);
	}
	p = pair_of(n, a);
	p->has[a->leg] = true;
	p->compared[a->leg] = a->compared;
	p->founds[a->leg] = places_of(at, founds, p->place[a->leg]);
	for (unsigned i = 0; a->leg == NOISE_SUT && i < p->founds[NOISE_SUT];
	     i++)
		if (p->place[NOISE_SUT][i] != NO_PLACE)
			n->place[p->place[NOISE_SUT][i]].differs++;
	if (p->has[NOISE_SUT] && p->has[NOISE_BASELINE]) {
		count(n, p);
		unchain(n, (uint32_t)(p - n->pair));
	}
}

uint32_t noise_places(const struct noise *n)
{
	return n->places;
}

const struct noise_place *noise_place(const struct noise *n, uint32_t i)
{
	return &n->place[i];
}
