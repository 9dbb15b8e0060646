/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table.c - Flows: found by tuple, listed by age, taken from a fixed array
 *
 * Theory of operation
 *
 * Two maps over one array of flows. The mirror's has every flow, keyed by the
 * addresses that the mirror shows and the leg; a newer incarnation of a tuple
 * stands in front of the older ones, so that a look-up finds the newest. The
 * SUT's has those that have been played, keyed by what the SUT sees: it finds
 * the older incarnation as long as that one lives, because a newer one is
 * entered only when it starts.
 *
 * Life: flow_new() - HALF_OPEN list - flow_set_class() LIVE - TIME_WAIT -
 * flow_free(). Each list is in the order of last use, so that its head is the
 * victim. Half-open flows may take 1/8 of the table at most: a flood of SYNs
 * pushes out half-open flows, never established ones (I29).
 */
#include <errno.h>
#include <string.h>

#include "core/limits.h"
#include "core/map.h"
#include "flow/flow.h"

#define HALF_OPEN_SHARE 8 /* the half-open list may take 1/8 */

/* A flow, with its place in both maps, takes no more than 1.25 KB. */
_Static_assert(sizeof(struct flow) <= 1280 - 2 * sizeof(uint32_t),
	       "struct flow has grown");

struct flow_table {
	uint32_t n;
	uint32_t count;
	uint32_t peak;
	uint64_t serial;
	uint32_t in_class[FLOW_CLASSES];
	struct list class[FLOW_CLASSES];
	struct map mirror;
	struct map sut;
	struct list free; /* by lru, freed last at the end */
	uint32_t fresh;	  /* of @flow, those from here on were never used */
	struct flow *flow;
};

/* What the SUT's map is keyed by; no padding. */
struct sut_key {
	struct ipaddr client;
	uint16_t eport;
	uint16_t sport;
	uint32_t sut;
};

size_t flow_table_size(uint32_t n)
{
	return arena_need(sizeof(struct flow_table)) +
	       2 * arena_need(map_size(n)) +
	       arena_need((size_t)n * sizeof(struct flow));
}

int flow_table_init(struct flow_table **out, struct arena *a, uint32_t n,
		    const struct hash_key *key)
{
	struct flow_table *t;

	if (a->size - a->used < flow_table_size(n))
		return -ENOMEM;
	t = arena_take(a, sizeof(*t));
	t->flow = arena_take(a, (size_t)n * sizeof(struct flow));
	map_init(&t->mirror, n, key, arena_take(a, map_size(n)),
		 &t->flow->in_mirror, sizeof(struct flow));
	map_init(&t->sut, n, key, arena_take(a, map_size(n)), &t->flow->in_sut,
		 sizeof(struct flow));
	t->n = n;
	for (int c = 0; c < FLOW_CLASSES; c++)
		list_init(&t->class[c]);
	list_init(&t->free);
	*out = t;
	return 0;
}

static uint32_t number_of(const struct flow_table *t, const struct flow *f)
{
	return (uint32_t)(f - t->flow);
}

static uint64_t sut_hash(const struct flow_table *t, uint8_t sut,
			 uint16_t sport, const struct ipaddr *client,
			 uint16_t eport)
{
	struct sut_key k = { *client, eport, sport, sut };

	return map_hash(&t->sut, &k, sizeof(k));
}

/* The first flow with this key, from number @i of a chain on. */
static struct flow *first_from(struct flow_table *t, uint32_t i,
			       const struct flow_key *key)
{
	while (i != MAP_NONE && memcmp(&t->flow[i].key, key, sizeof(*key)) != 0)
		i = map_next(&t->mirror, i);
	return i != MAP_NONE ? &t->flow[i] : NULL;
}

struct flow *flow_find(struct flow_table *t, const struct flow_key *key)
{
	uint64_t hash = map_hash(&t->mirror, key, sizeof(*key));

	return first_from(t, map_first(&t->mirror, hash), key);
}

struct flow *flow_older(struct flow_table *t, const struct flow *f)
{
	return first_from(t, map_next(&t->mirror, number_of(t, f)), &f->key);
}

struct flow *flow_find_sut(struct flow_table *t, uint8_t sut, uint16_t sport,
			   const struct ipaddr *client, uint16_t eport)
{
	uint32_t i = map_first(&t->sut, sut_hash(t, sut, sport, client, eport));

	for (; i != MAP_NONE; i = map_next(&t->sut, i)) {
		struct flow *f = &t->flow[i];

		if (f->sut == sut && f->sport == sport && f->eport == eport &&
		    ipaddr_eq(&f->key.client, client))
			return f;
	}
	return NULL;
}

bool flow_half_full(const struct flow_table *t)
{
	uint32_t max = t->n / HALF_OPEN_SHARE;

	return t->in_class[FLOW_HALF_OPEN] >= (max > 0 ? max : 1);
}

/* The flow freed last, else one that was never used: a table that is hardly
 * used takes no memory of the machine for the rest.
 */
static struct flow *take(struct flow_table *t)
{
	struct flow *f = NULL;

	if (!list_empty(&t->free)) {
		f = list_entry(t->free.prev, struct flow, lru);
		list_del(&f->lru);
	} else if (t->fresh < t->n) {
		f = &t->flow[t->fresh++];
	}
	return f;
}

struct flow *flow_new(struct flow_table *t, const struct flow_key *key)
{
	struct flow *f = take(t);

	if (!f)
		return NULL;
	memset(f, 0, sizeof(*f));
	f->key = *key;
	f->id = ++t->serial;
	timer_init(&f->timer);
	list_init(&f->attention);
	list_init(&f->more);
	for (int d = 0; d < DUE_COUNT; d++)
		f->due[d] = WHEEL_NEVER;
	map_put(&t->mirror, map_hash(&t->mirror, key, sizeof(*key)),
		number_of(t, f));
	list_add_tail(&t->class[FLOW_HALF_OPEN], &f -> lru);
	t->in_class[FLOW_HALF_OPEN]++;
	if (++t->count > t->peak)
		t->peak = t->count;
	return f;
}

struct flow *flow_oldest(const struct flow_table *t, enum flow_class c)
{
	const struct list *head = &t->class[c];

	if (list_empty(head))
		return NULL;
	return list_entry(head->next, struct flow, lru);
}

struct flow *flow_victim(struct flow_table *t, bool half_only)
{
	struct flow *f = flow_oldest(t, FLOW_HALF_OPEN);

	if (!f && !half_only)
		f = flow_oldest(t, FLOW_TIME_WAIT);
	if (!f && !half_only)
		f = flow_oldest(t, FLOW_LIVE);
	return f;
}

void flow_bind(struct flow_table *t, struct flow *f)
{
	uint64_t h = sut_hash(t, f->sut, f->sport, &f->key.client, f->eport);

	map_put(&t->sut, h, number_of(t, f));
}

void flow_unbind(struct flow_table *t, struct flow *f)
{
	uint64_t h;

	if (!map_has(&t->sut, number_of(t, f)))
		return;
	h = sut_hash(t, f->sut, f->sport, &f->key.client, f->eport);
	map_cut(&t->sut, h, number_of(t, f));
}

void flow_touch(struct flow_table *t, struct flow *f)
{
	list_del(&f->lru);
	list_add_tail(&t->class[f->class], &f -> lru);
}

void flow_set_class(struct flow_table *t, struct flow *f, enum flow_class c)
{
	t->in_class[f->class]--;
	t->in_class[c]++;
	f->class = (uint8_t)c;
	flow_touch(t, f);
}

void flow_free(struct flow_table *t, struct flow *f)
{
	map_cut(&t->mirror, map_hash(&t->mirror, &f->key, sizeof(f->key)),
		number_of(t, f));
	flow_unbind(t, f);
	list_del(&f->lru);
	list_del(&f->attention);
	list_del(&f->more);
	t->in_class[f->class]--;
	t->count--;
	f->id = 0;
	list_add_tail(&t->free, &f->lru);
}

uint32_t flow_count(const struct flow_table *t)
{
	return t->count;
}

uint32_t flow_peak(const struct flow_table *t)
{
	return t->peak;
}

uint32_t flow_table_n(const struct flow_table *t)
{
	return t->n;
}

struct flow *flow_at(struct flow_table *t, uint32_t i)
{
	return i < t->fresh && t->flow[i].id != 0 ? &t->flow[i] : NULL;
}

const char *flow_end_name(enum flow_end e)
{
	static const char *const name[] = {
#define X(id, text) text,
		FLOW_ENDS(X)
#undef X
	};

	return name[e];
}
