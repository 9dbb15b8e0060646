/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_flow_table.c - Unit test of flow/table
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "core/hash.h"
#include "core/rng.h"
#include "flow/flow.h"

static const struct hash_key hash_key = { { 1, 2 } };

static struct arena arena;

static struct flow_table *set_up(uint32_t n)
{
	struct flow_table *t = NULL;

	arena.size = flow_table_size(n);
	arena.used = 0;
	arena.base = aligned_alloc(ARENA_ALIGN, arena.size);
	if (arena.base == NULL)
		abort();
	memset(arena.base, 0, arena.size);
	if (flow_table_init(&t, &arena, n, &hash_key) != 0)
		abort();
	CHECK(arena.used == arena.size);
	return t;
}

static void tear_down(struct flow_table *t)
{
	for (uint32_t i = 0; i < flow_table_n(t); i++)
		if (flow_at(t, i) != NULL)
			flow_free(t, flow_at(t, i));
	CHECK(flow_count(t) == 0);
	CHECK(flow_victim(t, false) == NULL);
	free(arena.base);
}

static struct flow_key key_of(uint32_t i)
{
	uint8_t c[4] = { 10, 0, (uint8_t)(i >> 8), (uint8_t)i };
	uint8_t p[4] = { 10, 9, 0, 1 };
	struct flow_key k;

	memset(&k, 0, sizeof(k));
	k.client = ipaddr_from4(c);
	k.prod = ipaddr_from4(p);
	k.cport = (uint16_t)(1000 + i % 7);
	k.pport = 80;
	return k;
}

/* A flow whose leg is played to SUT 0, port 8080. */
static struct flow *bound(struct flow_table *t, const struct flow_key *k)
{
	struct flow *f = flow_new(t, k);

	if (f == NULL)
		abort();
	f->sport = 8080;
	f->eport = k->cport;
	flow_bind(t, f);
	return f;
}

static void test_size(void)
{
	struct flow_table *t = NULL;
	struct arena a = { .base = NULL, .size = flow_table_size(10) - 1 };

	CHECK(flow_table_init(&t, &a, 10, &hash_key) == -ENOMEM);
	CHECK(t == NULL && a.used == 0);
	for (uint32_t n = 1; n < 1u << 20; n *= 2) /* a chain a flow, twice */
		CHECK(flow_table_size(n) >=
		      n * (sizeof(struct flow) + 2 * sizeof(uint32_t)));
	/* Larger ones have no more chains, and need memory all the same. */
	CHECK(flow_table_size(UINT32_MAX) - flow_table_size(1u << 31) >=
	      ((size_t)1 << 31) * sizeof(struct flow) - 4096);
}

/* Oracle: an array of flows by key. */
static void test_random(void)
{
	enum { KEYS = 200, ROOM = 120 };
	struct flow_table *t = set_up(ROOM);
	struct flow *of[KEYS] = { 0 };
	struct rng rng = { 9 };
	uint32_t count = 0;
	uint32_t peak = 0;

	for (int i = 0; i < 20000; i++) {
		uint32_t n = rng_below(&rng, KEYS);
		struct flow_key k = key_of(n);

		CHECK(flow_find(t, &k) == of[n]);
		CHECK(flow_find_sut(t, 0, 8080, &k.client, k.cport) == of[n]);
		CHECK(flow_find_sut(t, 1, 8080, &k.client, k.cport) == NULL);
		if (of[n] != NULL) {
			flow_free(t, of[n]);
			of[n] = NULL;
			count--;
		} else if (count < ROOM) {
			of[n] = bound(t, &k);
			CHECK(of[n]->id != 0 && of[n]->class == FLOW_HALF_OPEN);
			count++;
		} else {
			CHECK(flow_new(t, &k) == NULL);
		}
		peak = count > peak ? count : peak;
		CHECK(flow_count(t) == count && flow_peak(t) == peak);
	}
	tear_down(t);
}

static void test_new_is_clean(void)
{
	struct flow_table *t = set_up(1);
	struct flow_key k = key_of(1);
	struct flow *f = bound(t, &k);
	uint64_t id = f->id;

	f->w.flags = 0xffff;
	f->w.c_ack = 5;
	flow_set_class(t, f, FLOW_LIVE);
	flow_free(t, f);
	CHECK(flow_at(t, 0) == NULL);
	f = flow_new(t, &k);
	CHECK(f != NULL && f->id > id && f->w.flags == 0 && f->w.c_ack == 0);
	CHECK(f != NULL && f->class == FLOW_HALF_OPEN);
	for (int d = 0; f != NULL && d < DUE_COUNT; d++)
		CHECK(f->due[d] == WHEEL_NEVER);
	CHECK(f != NULL && !timer_armed(&f->timer));
	tear_down(t);
}

static void test_incarnations(void)
{
	struct flow_table *t = set_up(4);
	struct flow_key k = key_of(1);
	struct flow_key other_map = key_of(1);
	struct flow *old = bound(t, &k);
	struct flow *new = flow_new(t, &k);

	other_map.map = 1;
	CHECK(flow_find(t, &k) == new);
	CHECK(flow_find(t, &other_map) == NULL);
	/* The SUT still means the older one, until the newer one is played. */
	CHECK(flow_find_sut(t, 0, 8080, &k.client, k.cport) == old);
	flow_free(t, old);
	CHECK(flow_find(t, &k) == new);
	CHECK(flow_find_sut(t, 0, 8080, &k.client, k.cport) == NULL);
	new->sport = 8080;
	new->eport = k.cport;
	flow_unbind(t, new); /* it is not in: no harm */
	flow_bind(t, new);
	CHECK(flow_find_sut(t, 0, 8080, &k.client, k.cport) == new);
	flow_unbind(t, new);
	CHECK(flow_find_sut(t, 0, 8080, &k.client, k.cport) == NULL);
	CHECK(flow_find(t, &k) == new);
	tear_down(t);
}

static void test_victims(void)
{
	struct flow_table *t = set_up(16);
	struct flow *f[6];

	CHECK(flow_victim(t, false) == NULL);
	for (uint32_t i = 0; i < 6; i++) {
		struct flow_key k = key_of(i);

		f[i] = bound(t, &k);
	}
	flow_set_class(t, f[2], FLOW_LIVE);
	flow_set_class(t, f[3], FLOW_LIVE);
	flow_set_class(t, f[5], FLOW_TIME_WAIT);
	flow_set_class(t, f[4], FLOW_TIME_WAIT);
	flow_touch(t, f[2]); /* now 3 is the longest idle */
	flow_touch(t, f[0]); /* and 1 the oldest half-open */
	CHECK(flow_oldest(t, FLOW_LIVE) == f[3]);
	/* The order of I29, until nothing is left. */
	static const int order[] = { 1, 0, 5, 4, 3, 2 };
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		CHECK(flow_victim(t, false) == f[order[i]]);
		CHECK(flow_victim(t, true) == (i < 2 ? f[order[i]] : NULL));
		flow_free(t, f[order[i]]);
	}
	tear_down(t);
}

/* 1/8 of the table may be half-open, and never less than one flow. */
static void test_half_full(void)
{
	static const uint32_t sizes[][2] = {
		{ 1, 1 }, { 7, 1 }, { 8, 1 }, { 16, 2 }, { 100, 12 }
	};

	for (size_t s = 0; s < ARRAY_SIZE(sizes); s++) {
		struct flow_table *t = set_up(sizes[s][0]);

		for (uint32_t i = 0; i < sizes[s][1]; i++) {
			struct flow_key k = key_of(i);

			CHECK(!flow_half_full(t));
			bound(t, &k);
		}
		CHECK(flow_half_full(t));
		flow_set_class(t, flow_victim(t, true), FLOW_LIVE);
		CHECK(!flow_half_full(t));
		/* What has gone makes room. */
		for (uint32_t i = sizes[s][1]; i + 1 < sizes[s][0]; i++) {
			struct flow_key k = key_of(i);
			struct flow *f = bound(t, &k);

			CHECK(flow_half_full(t));
			flow_free(t, f);
			CHECK(!flow_half_full(t));
		}
		tear_down(t);
	}
}

static void test_names(void)
{
	CHECK(strcmp(flow_end_name(FLOW_END_NONE), "none") == 0);
	CHECK(strcmp(flow_end_name(FLOW_END_STOPPED), "stopped") == 0);
	for (unsigned i = 0; i < FLOW_END_COUNT; i++)
		for (unsigned j = 0; j < i; j++)
			CHECK(strcmp(flow_end_name((enum flow_end)i),
				     flow_end_name((enum flow_end)j)) != 0);
}

static const struct check_test tests[] = {
	{ "an arena that is too small", test_size },
	{ "found by either side's addresses", test_random },
	{ "a flow used again is clean", test_new_is_clean },
	{ "incarnations and legs of one tuple", test_incarnations },
	{ "victims: half-open, time-wait, longest idle", test_victims },
	{ "1/8 may be half-open", test_half_full },
	{ "names of ends", test_names },
};

int main(void)
{
	return check_main(tests, ARRAY_SIZE(tests));
}
