/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table.c - Flows: found by tuple, listed by age, taken from a fixed array
 *
 * Theory of operation
 *
 * Two chained hash tables over one array of flows. The mirror's table has every
 * flow, keyed by the addresses that the mirror shows and the leg; a newer
 * incarnation of a tuple stands in front of the older ones, so that a look-up
 * finds the newest. The SUT's table has those that have been played, keyed by
 * what the SUT sees: it finds the older incarnation as long as that one lives,
 * because a newer one is entered only when it starts.
 *
 * Life: flow_new() - HALF_OPEN list - flow_set_class() LIVE - TIME_WAIT -
 * flow_free(). Each list is in the order of last use, so that its head is the
 * victim. Half-open flows may take 1/8 of the table at most: a flood of SYNs
 * pushes out half-open flows, never established ones (I29).
 */
#include <errno.h>
#include <string.h>

#include "core/hash.h"
#include "core/limits.h"
#include "flow/flow.h"

#define HALF_OPEN_SHARE 8 /* the half-open list may take 1/8 */

/* A flow, with its place in both tables, takes no more than 1.25 KB. */
_Static_assert(sizeof(struct flow) <= 1280 - 2 * sizeof(struct flow *),
	       "struct flow has grown");

struct flow_table {
	struct hash_key key;
	uint32_t n;
	uint32_t mask;
	uint32_t count;
	uint32_t peak;
	uint64_t serial;
	uint32_t in_class[FLOW_CLASSES];
	struct list class[FLOW_CLASSES];
	struct flow **mirror;
	struct flow **sut;
	struct flow *free; /* by mirror_next */
	uint32_t fresh;	   /* of @flow, those from here on were never used */
	struct flow *flow;
};

/* What the SUT's table is keyed by; no padding. */
struct sut_key {
	struct ipaddr client;
	uint16_t eport;
	uint16_t sport;
	uint32_t sut;
};

static uint32_t buckets(uint32_t n)
{
	uint32_t b = 64;

	while (b < n && b < UINT32_C(1) << 30)
		b *= 2;
	return b;
}

size_t flow_table_size(uint32_t n)
{
	size_t heads = arena_need(buckets(n) * sizeof(struct flow *));

	return arena_need(sizeof(struct flow_table)) + 2 * heads +
	       arena_need((size_t)n * sizeof(struct flow));
}

int flow_table_init(struct flow_table **out, struct arena *a, uint32_t n,
		    const struct hash_key *key)
{
	uint32_t b = buckets(n);
	struct flow_table *t;

	if (a->size - a->used < flow_table_size(n))
		return -ENOMEM;
	t = arena_take(a, sizeof(*t));
	t->mirror = arena_take(a, b * sizeof(struct flow *));
	t->sut = arena_take(a, b * sizeof(struct flow *));
	t->flow = arena_take(a, (size_t)n * sizeof(struct flow));
	t->key = *key;
	t->n = n;
	t->mask = b - 1;
	for (int c = 0; c < FLOW_CLASSES; c++)
		list_init(&t->class[c]);
	*out = t;
	return 0;
}

static struct flow **mirror_head(struct flow_table *t,
				 const struct flow_key *key)
{
	uint64_t h = hash_bytes(&t->key, key, sizeof(*key));

	return &t->mirror[h & t->mask];
}

static struct flow **sut_head(struct flow_table *t, uint8_t sut, uint16_t sport,
			      const struct ipaddr *client, uint16_t eport)
{
	struct sut_key k = { *client, eport, sport, sut };
	uint64_t h = hash_bytes(&t->key, &k, sizeof(k));

	return &t->sut[h & t->mask];
}

struct flow *flow_find(struct flow_table *t, const struct flow_key *key)
{
	struct flow *f = *mirror_head(t, key);

	while (f != NULL && memcmp(&f->key, key, sizeof(*key)) != 0)
		f = f->mirror_next;
	return f;
}

struct flow *flow_find_sut(struct flow_table *t, uint8_t sut, uint16_t sport,
			   const struct ipaddr *client, uint16_t eport)
{
	struct flow *f = *sut_head(t, sut, sport, client, eport);

	while (f != NULL &&
	       !(f->sut == sut && f->sport == sport && f->eport == eport &&
		 ipaddr_eq(&f->key.client, client)))
		f = f->sut_next;
	return f;
}

bool flow_half_full(const struct flow_table *t)
{
	uint32_t max = t->n / HALF_OPEN_SHARE;

	return t->in_class[FLOW_HALF_OPEN] >= (max > 0 ? max : 1);
}

/* The flow freed last, else one that was never used: a table that is hardly used
 * takes no memory of the machine for the rest.
 */
static struct flow *take(struct flow_table *t)
{
	struct flow *f = t->free;

	if (f != NULL)
		t->free = f->mirror_next;
	else if (t->fresh < t->n)
		f = &t->flow[t->fresh++];
	return f;
}

struct flow *flow_new(struct flow_table *t, const struct flow_key *key)
{
	struct flow **head = mirror_head(t, key);
	struct flow *f = take(t);

	if (f == NULL)
		return NULL;
	memset(f, 0, sizeof(*f));
	f->key = *key;
	f->id = ++t->serial;
	timer_init(&f->timer);
	list_init(&f->attention);
	list_init(&f->more);
	for (int d = 0; d < DUE_COUNT; d++)
		f->due[d] = WHEEL_NEVER;
	f->mirror_next = *head;
	*head = f;
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

	if (f == NULL && !half_only)
		f = flow_oldest(t, FLOW_TIME_WAIT);
	if (f == NULL && !half_only)
		f = flow_oldest(t, FLOW_LIVE);
	return f;
}

void flow_bind(struct flow_table *t, struct flow *f)
{
	struct flow **head =
		sut_head(t, f->sut, f->sport, &f->key.client, f->eport);

	f->sut_next = *head;
	*head = f;
}

void flow_unbind(struct flow_table *t, struct flow *f)
{
	struct flow **p =
		sut_head(t, f->sut, f->sport, &f->key.client, f->eport);

	while (*p != NULL && *p != f)
		p = &(*p)->sut_next;
	if (*p != NULL)
		*p = f->sut_next;
	f->sut_next = NULL;
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
	struct flow **p = mirror_head(t, &f->key);

	while (*p != f)
		p = &(*p)->mirror_next;
	*p = f->mirror_next;
	flow_unbind(t, f);
	list_del(&f->lru);
	list_del(&f->attention);
	list_del(&f->more);
	t->in_class[f->class]--;
	t->count--;
	f->id = 0;
	f->mirror_next = t->free;
	t->free = f;
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
