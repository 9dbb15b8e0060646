/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shares.c - How many connections each client has
 *
 * There are as many places as connections, so there is always one.
 */
#include <assert.h>
#include <string.h>

#include "dial/shares.h"

size_t shares_size(uint32_t n)
{
	return arena_need(map_size(n)) + arena_need(n * sizeof(struct client));
}

void shares_init(struct shares *c, struct arena *a, uint32_t n,
		 const struct hash_key *key)
{
	uint32_t *heads = arena_take(a, map_size(n));

	c->client = arena_take(a, n * sizeof(struct client));
	map_init(&c->map, n, key, heads, &c->client[0].link,
		 sizeof(struct client));
	for (uint32_t i = 0; i < n; i++)
		c->client[i].next = i + 1 < n ? i + 1 : MAP_NONE;
	c->free = 0;
}

/* Who has a /64 has all of its addresses. */
static struct ipaddr who_is(const struct ipaddr *ip)
{
	struct ipaddr who = *ip;

	if (!ipaddr_is4(ip))
		memset(who.b + 8, 0, 8);
	return who;
}

static uint32_t find(struct shares *c, const struct ipaddr *who, uint64_t hash)
{
	uint32_t i = map_first(&c->map, hash);

	while (i != MAP_NONE && !ipaddr_eq(&c->client[i].ip, who))
		i = map_next(&c->map, i);
	return i;
}

uint32_t shares_take(struct shares *c, const struct ipaddr *ip, uint32_t most)
{
	struct ipaddr who = who_is(ip);
	uint64_t hash = map_hash(&c->map, who.b, sizeof(who.b));
	uint32_t i = find(c, &who, hash);

	if (i == MAP_NONE) {
		i = c->free;
		assert(i != MAP_NONE);
		c->free = c->client[i].next;
		c->client[i].ip = who;
		c->client[i].n = 0;
		map_put(&c->map, hash, i);
	}
	if (most > 0 && c->client[i].n >= most)
		return MAP_NONE;
	c->client[i].n++;
	return i;
}

void shares_give(struct shares *c, uint32_t at)
{
	struct client *k = &c->client[at];

	assert(k->n > 0);
	if (--k->n > 0)
		return;
	map_cut(&c->map, map_hash(&c->map, k->ip.b, sizeof(k->ip.b)), at);
	k->next = c->free;
	c->free = at;
}
