/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * map - Look-up by key in an array of its owner
 *
 * The owner has an array of at most @n entries, each with a uint32_t for the
 * map to link it by, and with the key that the map never sees: it is handed a
 * hash, and gives the entries that may be it. An array can stand in several
 * maps, with a link for each.
 *
 *	hash = map_hash(m, key, len);
 *	for (i = map_first(m, hash); i != MAP_NONE; i = map_next(m, i))
 *		if (has_key(&entry[i], key))
 *			...
 *
 * Entries with one hash are given newest first; between them may be others,
 * whose hash is different. Equal keys are allowed.
 *
 * A link of zero means "in no map": an entry whose bytes were cleared while it
 * was in one has broken its chain.
 */
#ifndef CORE_MAP_H
#define CORE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/hash.h"

#define MAP_NONE UINT32_MAX /* no entry's number */
#define MAP_END	 UINT32_MAX /* a link: of the last entry in its chain */

/**
 * struct map - A map; all members are private
 * @key:	For the hash
 * @n:		Entries of the array
 * @mask:	Number of chains - 1
 * @stride:	From one entry's link to the next one's, bytes
 * @link:	Of entry 0. 0: in no chain; MAP_END; else number of the next + 1
 * @head:	Number of each chain's first entry + 1, 0: it is empty
 */
struct map {
	struct hash_key key;
	uint32_t n;
	uint32_t mask;
	size_t stride;
	uint8_t *link;
	uint32_t *head;
};

/** map_size() - Bytes of the heads of a map over an array of @n entries */
size_t map_size(uint32_t n);

/**
 * map_init() - Make an empty map
 * @m:		Filled in
 * @n:		Entries of the array, less than UINT32_MAX
 * @key:	Secret; copied
 * @heads:	map_size(@n) bytes for uint32_t, all zero; stay the owner's
 * @links:	The link of entry 0, all links being zero
 * @stride:	Size of an entry
 */
void map_init(struct map *m, uint32_t n, const struct hash_key *key,
	      uint32_t *heads, uint32_t *links, size_t stride);

/** map_hash() - Hash of a key's @len bytes; they have no padding */
static inline uint64_t map_hash(const struct map *m, const void *key,
				size_t len)
{
	return hash_bytes(&m->key, key, len);
}

/** map_link() - The link of entry @i, below n */
static inline uint32_t *map_link(const struct map *m, uint32_t i)
{
	return (uint32_t *)(void *)(m->link + i * m->stride);
}

/** map_first() - The newest entry whose hash may be @hash, or MAP_NONE */
static inline uint32_t map_first(const struct map *m, uint64_t hash)
{
	return m->head[hash & m->mask] - 1;
}

/**
 * map_next() - The next older one behind @i, which is in the map; or MAP_NONE
 */
static inline uint32_t map_next(const struct map *m, uint32_t i)
{
	uint32_t link = *map_link(m, i);

	return link == MAP_END ? MAP_NONE : link - 1;
}

/** map_has() - Is entry @i in the map? */
static inline bool map_has(const struct map *m, uint32_t i)
{
	return *map_link(m, i) != 0;
}

/** map_put() - Enter @i, which is not in, in front of all with its hash */
void map_put(struct map *m, uint64_t hash, uint32_t i);

/** map_cut() - Take out @i, which was put with @hash. The time grows with the
 * number of newer entries in its chain
 */
void map_cut(struct map *m, uint64_t hash, uint32_t i);

#endif /* CORE_MAP_H */
