/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_map.c - Maps against a list
 *
 * Input: the secret and the size of the array, then operations of 2 bytes: an entry,
 * and the key that it gets if it is not in the map. One that is in is taken out.
 * After each, all with that key are what the list has, newest first. The keys are
 * fewer than the entries, so that some are equal and others share a chain.
 */
#include "core/map.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define MOST 256u
#define KEYS 128u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct entry {
	uint8_t key;
	uint32_t link;
};

/* Numbers of entries, oldest first. */
static uint32_t list[MOST];
static uint32_t listed;

static uint32_t place_of(uint32_t i)
{
	uint32_t at = 0;

	while (at < listed && list[at] != i)
		at++;
	return at;
}

static void compare(const struct map *m, const struct entry *entry, uint8_t key)
{
	uint32_t i = map_first(m, map_hash(m, &key, 1));
	uint32_t steps = 0;

	for (uint32_t at = listed; at-- > 0;) {
		if (entry[list[at]].key != key)
			continue;
		while (i != MAP_NONE && entry[i].key != key)
			i = map_next(m, i);
		assert(i == list[at]);
		i = map_next(m, i);
	}
	for (; i != MAP_NONE; i = map_next(m, i)) {
		assert(entry[i].key != key);
		assert(++steps <= listed);
	}
}

static void operate(struct map *m, struct entry *entry, uint32_t i, uint8_t key)
{
	uint32_t at = place_of(i);

	assert(map_has(m, i) == (at < listed));
	if (at < listed) {
		key = entry[i].key;
		map_cut(m, map_hash(m, &key, 1), i);
		listed--;
		memmove(&list[at], &list[at + 1],
			(listed - at) * sizeof(list[0]));
	} else {
		entry[i].key = key;
		map_put(m, map_hash(m, &key, 1), i);
		list[listed++] = i;
	}
	compare(m, entry, key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hash_key secret;
	struct entry *entry;
	struct map m;
	uint32_t *heads;
	uint32_t n;

	if (size < sizeof(secret) + 1)
		return 0;
	memcpy(&secret, data, sizeof(secret));
	n = data[sizeof(secret)] + 1u;
	data += sizeof(secret) + 1;
	size -= sizeof(secret) + 1;

	heads = calloc(1, map_size(n));
	entry = calloc(n, sizeof(*entry));
	if (heads == NULL || entry == NULL)
		abort();
	map_init(&m, n, &secret, heads, &entry[0].link, sizeof(*entry));
	listed = 0;
	for (; size >= 2; size -= 2, data += 2)
		operate(&m, entry, data[0] % n, data[1] % KEYS);
	for (uint32_t i = 0; i < n; i++)
		if (map_has(&m, i))
			operate(&m, entry, i, 0);
	for (size_t h = 0; h < map_size(n) / sizeof(*heads); h++)
		assert(heads[h] == 0);
	free(entry);
	free(heads);
	return 0;
}
