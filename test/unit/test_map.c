/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_map.c - Unit test of core/map
 *
 * The oracle is a list of what was put, newest last, that is looked through.
 */
#include "core/map.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "core/rng.h"

#define N     100u
#define STEPS 200000
#define KEYS  60u /* fewer than entries: several have one key */

/* With two links: an array may stand in two maps. */
struct entry {
	uint64_t key[2];
	uint32_t link[2];
};

static const struct hash_key secret = { { 11, 22 } };

static struct entry entry[N];
static struct map map[2];
static uint32_t *heads[2];

static void set_up(uint32_t n)
{
	memset(entry, 0, sizeof(entry));
	for (int k = 0; k < 2; k++) {
		heads[k] = calloc(1, map_size(n));
		if (heads[k] == NULL)
			abort();
		map_init(&map[k], n, &secret, heads[k], &entry[0].link[k],
			 sizeof(entry[0]));
	}
}

static void tear_down(void)
{
	free(heads[0]);
	free(heads[1]);
}

static uint64_t hash_of(int k, uint64_t key)
{
	return map_hash(&map[k], &key, sizeof(key));
}

static void put(int k, uint32_t i, uint64_t key)
{
	entry[i].key[k] = key;
	map_put(&map[k], hash_of(k, key), i);
}

static void cut(int k, uint32_t i)
{
	map_cut(&map[k], hash_of(k, entry[i].key[k]), i);
}

/* The entries with a key, as the map gives them; as many are in @out. */
static uint32_t all_with(int k, uint64_t key, uint32_t *out)
{
	uint64_t hash = hash_of(k, key);
	uint32_t steps = 0;
	uint32_t n = 0;

	for (uint32_t i = map_first(&map[k], hash); i != MAP_NONE;
	     i = map_next(&map[k], i)) {
		CHECK(i < N && map_has(&map[k], i));
		if (i >= N || ++steps > N)
			break;
		if (entry[i].key[k] == key)
			out[n++] = i;
	}
	return n;
}

static void an_empty_map_has_nothing(void)
{
	uint32_t got[N];

	set_up(N);
	for (uint64_t key = 0; key < KEYS; key++)
		CHECK(all_with(0, key, got) == 0);
	for (uint32_t i = 0; i < N; i++)
		CHECK(!map_has(&map[0], i));
	tear_down();
}

static void chains_are_as_many_as_entries(void)
{
	static const struct {
		uint32_t n;
		size_t chains;
	} row[] = {
		{ 0, 64 },
		{ 1, 64 },
		{ 64, 64 },
		{ 65, 128 },
		{ 1u << 20, 1u << 20 },
		{ (1u << 20) + 1, 1u << 21 },
		{ UINT32_MAX - 1, 1u << 30 }, /* no more */
	};

	for (size_t r = 0; r < ARRAY_SIZE(row); r++)
		CHECK(map_size(row[r].n) == row[r].chains * sizeof(uint32_t));
}

static void the_newest_of_a_key_comes_first(void)
{
	uint32_t got[N];

	set_up(N);
	put(0, 7, 1);
	put(0, 99, 1);
	put(0, 0, 1);
	CHECK(all_with(0, 1, got) == 3);
	CHECK(got[0] == 0 && got[1] == 99 && got[2] == 7);
	cut(0, 99);
	CHECK(all_with(0, 1, got) == 2 && got[0] == 0 && got[1] == 7);
	cut(0, 7);
	CHECK(all_with(0, 1, got) == 1 && got[0] == 0);
	cut(0, 0);
	CHECK(all_with(0, 1, got) == 0);
	tear_down();
}

/* Without a key that is a secret, one could be made of many. */
static void another_secret_gives_other_chains(void)
{
	const struct hash_key other = { { 11, 23 } };
	struct map m;
	unsigned same = 0;

	set_up(N);
	map_init(&m, N, &other, heads[1], &entry[0].link[1], sizeof(entry[0]));
	for (uint64_t key = 0; key < 1000; key++)
		same += (hash_of(0, key) & 0xffff) ==
			(map_hash(&m, &key, sizeof(key)) & 0xffff);
	CHECK(same < 5);
	tear_down();
}

/* --- against the model --- */

/* What is in a map, oldest first. */
struct model {
	uint32_t n;
	uint32_t in[N];
};

static void check_key(int k, const struct model *m, uint64_t key)
{
	uint32_t got[N];
	uint32_t n = all_with(k, key, got);
	uint32_t at = 0;

	for (uint32_t j = m->n; j-- > 0;) {
		if (entry[m->in[j]].key[k] != key)
			continue;
		CHECK(at < n && got[at] == m->in[j]);
		at++;
	}
	CHECK(at == n);
}

static void step(int k, struct model *m, struct rng *r)
{
	uint32_t i = rng_below(r, N);
	uint64_t key = rng_below(r, KEYS);
	uint32_t j = 0;

	while (j < m->n && m->in[j] != i)
		j++;
	CHECK(map_has(&map[k], i) == (j < m->n));
	if (j < m->n) {
		key = entry[i].key[k];
		cut(k, i);
		m->n--;
		memmove(&m->in[j], &m->in[j + 1],
			(m->n - j) * sizeof(m->in[0]));
	} else {
		put(k, i, key);
		m->in[m->n++] = i;
	}
	check_key(k, m, key);
}

static void two_maps_agree_with_lists(void)
{
	struct model model[2] = { { 0 } };
	struct rng r = { .s = 4711 };

	set_up(N);
	for (int s = 0; s < STEPS; s++) {
		int k = (int)rng_below(&r, 2);

		step(k, &model[k], &r);
	}
	for (int k = 0; k < 2; k++) {
		for (uint64_t key = 0; key < KEYS; key++)
			check_key(k, &model[k], key);
		while (model[k].n > 0)
			cut(k, model[k].in[--model[k].n]);
		for (uint32_t h = 0; h < map_size(N) / sizeof(uint32_t); h++)
			CHECK(heads[k][h] == 0);
	}
	tear_down();
}

static void a_full_array_is_found(void)
{
	uint32_t got[N];

	set_up(N);
	for (uint32_t i = 0; i < N; i++)
		put(0, i, 1000 + i);
	for (uint32_t i = 0; i < N; i++)
		CHECK(all_with(0, 1000 + i, got) == 1 && got[0] == i);
	tear_down();
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "an empty map has nothing", an_empty_map_has_nothing },
		{ "chains are as many as entries",
		  chains_are_as_many_as_entries },
		{ "the newest of a key comes first",
		  the_newest_of_a_key_comes_first },
		{ "another secret gives other chains",
		  another_secret_gives_other_chains },
		{ "two maps agree with lists", two_maps_agree_with_lists },
		{ "a full array is found", a_full_array_is_found },
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
