/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * map.c - Chains of entries with one hash, linked by number
 *
 * Theory of operation
 *
 * There are as many chains as entries, rounded up to a power of two, so that a
 * chain has one entry on average when all are in use; the key of the hash is a
 * secret, so that nobody outside can choose keys that share a chain. A chain is
 * linked by numbers of 32 bits, which lie in the entries: a look-up touches the
 * head and the entries, whose keys must be read anyway, and nothing else.
 *
 * Chained, not open: entries stay where they are (others point to them),
 * several may have one key and come newest first, and one that goes leaves no
 * mark that later look-ups would have to step over.
 *
 * Zero is "empty" in a head and "in no chain" in a link, so that memory fresh
 * from the kernel needs no touch. A link therefore has a value of its own for
 * the end.
 */
#include "core/map.h"

#include <assert.h>

#define CHAINS_LEAST 64u
#define CHAINS_MOST  (UINT32_C(1) << 30)

static uint32_t chains(uint32_t n)
{
	uint32_t c = CHAINS_LEAST;

	while (c < n && c < CHAINS_MOST)
		c *= 2;
	return c;
}

size_t map_size(uint32_t n)
{
	return chains(n) * sizeof(uint32_t);
}

void map_init(struct map *m, uint32_t n, const struct hash_key *key,
	      uint32_t *heads, uint32_t *links, size_t stride)
{
	assert(n < UINT32_MAX && stride % sizeof(uint32_t) == 0);

	*m = (struct map){ .key = *key,
			   .n = n,
			   .mask = chains(n) - 1,
			   .stride = stride,
			   .link = (uint8_t *)links,
			   .head = heads };
}

void map_put(struct map *m, uint64_t hash, uint32_t i)
{
	uint32_t *head = &m->head[hash & m->mask];

	assert(i < m->n && !map_has(m, i));

	*map_link(m, i) = *head != 0 ? *head : MAP_END;
	*head = i + 1;
}

void map_cut(struct map *m, uint64_t hash, uint32_t i)
{
	uint32_t *head = &m->head[hash & m->mask];
	uint32_t *at = head;
	uint32_t *own = map_link(m, i);

	assert(i < m->n && *own != 0);

	while (*at != i + 1) {
		assert(*at != 0 && *at != MAP_END); /* it is in this chain */
		at = map_link(m, *at - 1);
	}
	*at = at == head && *own == MAP_END ? 0 : *own;
	*own = 0;
}
