/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * perf.c - Times of answers, by endpoint and side, in blocks of time
 *
 * Theory of operation
 *
 * A group is an endpoint of the rules at an entry of --map. Of each group, side
 * and metric there is a series: a fine histogram of the whole run, which is
 * what a person and HdrHistogram are told, and a coarse one for each block of
 * time, which intervals are made of (settle.c): answers of one second are alike
 * since the server is in one state, so a block is what can be drawn again, and
 * not an answer.
 *
 * Times lie close together, so a histogram is a row of pieces of 16 counters
 * that are taken where a value falls. All pieces come from one pool of
 * PERF_CHUNKS; a value for which there is none is not counted, but as lost.
 * There are PERF_BLOCKS blocks. When time passes the last one, two become one
 * everywhere, and a block is twice as long from then on.
 *
 * A series counts a value in both histograms or in none, so that its number
 * is the sum of either.
 */
#include "perf/perf.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "perf/perf_internal.h"

const unsigned perf_quantile[PERF_QUANTILES] = { 500, 900, 990, 999 };

const char *perf_metric_name(enum perf_metric m)
{
	static const char *const name[] = {
#define X(id, text) [id] = text,
		PERF_METRICS_LIST(X)
#undef X
	};

	return name[m];
}

const char *perf_says_name(enum perf_says s)
{
	static const char *const name[] = {
#define X(id, text) [id] = text,
		PERF_SAYS_LIST(X)
#undef X
	};

	return name[s];
}

size_t perf_size(void)
{
	return arena_need(sizeof(struct perf)) +
	       arena_need(sizeof(struct perf_chunk) * (PERF_CHUNKS + 1)) +
	       arena_need(sizeof(struct perf_group) * (PERF_ALL + 1)) +
	       arena_need(sizeof(struct perf_scratch));
}

int perf_init(struct perf **out, struct arena *a, uint64_t seed)
{
	struct arena was = *a;
	struct perf *p = arena_take(a, sizeof(*p));

	if (p) {
		p->chunk = arena_take(a, sizeof(*p->chunk) * (PERF_CHUNKS + 1));
		p->group = arena_take(a, sizeof(*p->group) * (PERF_ALL + 1));
		p->scratch = arena_take(a, sizeof(*p->scratch));
	}
	if (!p || !p->chunk || !p->group || !p->scratch) {
		*a = was;
		return -ENOMEM;
	}
	p->seed = seed;
	p->length = PERF_BLOCK;
	*out = p;
	return 0;
}

/* --- pieces --- */

/* Is there room for @n more? */
static bool has_room(const struct perf *p, uint32_t n)
{
	return PERF_CHUNKS - p->used >= n || (n == 1 && p->free != 0) ||
	       (p->free != 0 && p->chunk[p->free].n[0] != 0);
}

static uint16_t take_chunk(struct perf *p)
{
	uint32_t at = p->free;

	if (at != 0)
		p->free = p->chunk[at].n[0];
	else
		at = ++p->used;
	assert(at <= PERF_CHUNKS);
	p->chunk[at] = (struct perf_chunk){ { 0 } };
	return (uint16_t)at;
}

static void give_chunk(struct perf *p, uint16_t at)
{
	p->chunk[at].n[0] = p->free;
	p->free = at;
}

static uint32_t *counter(struct perf *p, uint16_t *index, uint32_t bucket)
{
	uint16_t *at = &index[bucket >> CHUNK_BITS];

	if (*at == 0)
		*at = take_chunk(p);
	return &p->chunk[*at].n[bucket % CHUNK];
}

/* --- blocks --- */

/* The counts of @from, which is empty then, go to @to. */
static void move_block(struct perf *p, uint16_t *to, uint16_t *from)
{
	for (uint32_t i = 0; i < COARSE / CHUNK; i++) {
		if (from[i] == 0)
			continue;
		if (to[i] == 0) {
			to[i] = from[i];
		} else {
			for (uint32_t k = 0; k < CHUNK; k++)
				p->chunk[to[i]].n[k] += p->chunk[from[i]].n[k];
			give_chunk(p, from[i]);
		}
		from[i] = 0;
	}
}

static void halve(struct perf *p, struct perf_series *s)
{
	if (s->n == 0)
		return;
	for (uint32_t b = 0; b < PERF_BLOCKS / 2; b++) {
		if (b > 0)
			move_block(p, s->block[b], s->block[2 * b]);
		move_block(p, s->block[b], s->block[2 * b + 1]);
	}
}

static uint32_t block_at(struct perf *p, uint64_t at)
{
	if (p->begun == 0)
		p->begun = at;
	if (at < p->begun)
		return 0;
	while ((at - p->begun) / p->length >= PERF_BLOCKS) {
		for (uint32_t g = 0; g <= PERF_ALL; g++)
			for (unsigned i = 0; i < PERF_SIDES; i++)
				for (unsigned m = 0; m < PERF_METRICS; m++)
					halve(p, &p->group[g].series[i][m]);
		p->length *= 2;
	}
	return (uint32_t)((at - p->begun) / p->length);
}

/* --- values --- */

static uint32_t group_of(struct perf *p, uint32_t map, uint32_t endpoint)
{
	for (uint32_t g = 0; g < p->groups; g++)
		if (p->group[g].key.map == map &&
		    p->group[g].key.endpoint == endpoint)
			return g;
	if (p->groups == PERF_GROUPS)
		return PERF_OTHER;
	p->group[p->groups].key = (struct perf_key){ map, endpoint };
	return p->groups++;
}

static void count(struct perf *p, uint32_t group, uint32_t block,
		  enum perf_side side, enum perf_metric m, uint64_t v)
{
	struct perf_series *s = &p->group[group].series[side][m];
	uint32_t coarse = perf_bucket(v, COARSE_BITS);
	uint32_t fine = perf_bucket(v, FINE_BITS);
	uint32_t wants = s->block[block][coarse >> CHUNK_BITS] == 0 ? 1 : 0;
	uint32_t *n[2];

	if (s->all[fine >> CHUNK_BITS] == 0)
		wants++;
	if (wants > 0 && !has_room(p, wants)) {
		p->lost++;
		return;
	}
	n[0] = counter(p, s->block[block], coarse);
	n[1] = counter(p, s->all, fine);
	if (*n[0] == UINT32_MAX || *n[1] == UINT32_MAX) {
		p->lost++;
		return;
	}
	++*n[0];
	++*n[1];
	s->n++;
}

void perf_value(struct perf *p, uint32_t map, uint32_t endpoint, uint64_t at,
		enum perf_side side, enum perf_metric m, uint64_t v)
{
	uint32_t g = group_of(p, map, endpoint);

	p->beyond += g == PERF_OTHER;
	count(p, g, block_at(p, at), side, m, v);
}

static void add_side(struct perf *p, const struct perf_answer *a, uint32_t g,
		     uint32_t block, unsigned i, enum perf_side side)
{
	uint64_t waited = i == 0 ? 0 : a->waited;
	uint64_t took = a->last[i] - a->first[i];

	if (a->first[i] == 0 || a->last[i] < a->first[i])
		return;
	count(p, g, block, side, PERF_SERVICE_FIRST, a->first[i]);
	count(p, g, block, side, PERF_SERVICE_LAST, a->last[i]);
	if (i == 0 || waited > 0) {
		count(p, g, block, side, PERF_RESPONSE_FIRST,
		      a->first[i] + waited);
		count(p, g, block, side, PERF_RESPONSE_LAST,
		      a->last[i] + waited);
	}
	if (took > 0 && a->bytes[i] <= UINT64_MAX / 1000000000)
		count(p, g, block, side, PERF_THROUGHPUT,
		      a->bytes[i] * 1000000000 / took);
}

void perf_add(struct perf *p, const struct perf_answer *a)
{
	uint32_t g = group_of(p, a->map, a->endpoint);
	uint32_t block = block_at(p, a->at);

	enum perf_side side = a->baseline ? PERF_BASELINE : PERF_SUT;

	p->beyond += g == PERF_OTHER;
	if (!a->baseline) {
		add_side(p, a, g, block, 0, PERF_PROD);
		add_side(p, a, PERF_ALL, block, 0, PERF_PROD);
	}
	add_side(p, a, g, block, 1, side);
	add_side(p, a, PERF_ALL, block, 1, side);
}

/* --- what there is --- */

uint64_t perf_lost(const struct perf *p)
{
	return p->lost;
}

uint64_t perf_beyond(const struct perf *p)
{
	return p->beyond;
}

uint32_t perf_groups(const struct perf *p)
{
	return p->groups;
}

struct perf_key perf_key(const struct perf *p, uint32_t group)
{
	assert(group < p->groups);
	return p->group[group].key;
}

struct perf_series *perf_series(const struct perf *p, uint32_t group,
				enum perf_side side, enum perf_metric m)
{
	assert(group <= PERF_ALL);
	return &p->group[group].series[side][m];
}

uint64_t perf_count(const struct perf *p, uint32_t group, enum perf_side side,
		    enum perf_metric m)
{
	return perf_series(p, group, side, m)->n;
}

/* --- what holds --- */

static uint64_t sum_of(const struct perf *p, const uint16_t *index, uint32_t n,
		       uint32_t *chunks)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < n; i++) {
		*chunks += index[i] != 0;
		for (uint32_t k = 0; index[i] != 0 && k < CHUNK; k++)
			sum += p->chunk[index[i]].n[k];
	}
	return sum;
}

static void check_series(const struct perf *p, const struct perf_series *s,
			 uint32_t *chunks)
{
	uint64_t sum = 0;

	for (uint32_t b = 0; b < PERF_BLOCKS; b++)
		sum += sum_of(p, s->block[b], COARSE / CHUNK, chunks);
	assert(sum == s->n);
	sum = sum_of(p, s->all, FINE / CHUNK, chunks);
	assert(sum == s->n);
}

void perf_check(const struct perf *p)
{
	uint32_t chunks = 0;

	for (uint32_t g = 0; g <= PERF_ALL; g++)
		for (unsigned i = 0; i < PERF_SIDES; i++)
			for (unsigned m = 0; m < PERF_METRICS; m++)
				check_series(p, &p->group[g].series[i][m],
					     &chunks);
	for (uint32_t at = p->free; at != 0; at = p->chunk[at].n[0])
		chunks++;
	assert(chunks == p->used);
}
