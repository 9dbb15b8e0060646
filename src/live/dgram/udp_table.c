/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * udp_table.c - Exchanges that are known, by key and by age; and those that are
 * over
 */
#include "dgram/udp_internal.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

static const struct counter rows[] = { UDP_COUNTERS(COUNTER_ROW_AS,
						    struct udp_counters) };

const struct counter_list udp_counter_list = COUNTER_LIST(rows);

size_t udp_size(uint32_t n)
{
	return arena_need(sizeof(struct udp_shadow)) +
	       2 * arena_need(map_size(n)) +
	       arena_need(sizeof(struct exchange) * n);
}

int udp_init(struct udp_shadow **out, struct arena *a, struct pool *pool,
	     uint32_t n, const struct hash_key *key, bool keep, uint64_t wait,
	     uint64_t now)
{
	struct udp_shadow *u;

	assert(n >= 1 && n <= 1u << 24);
	if (a->size - a->used < udp_size(n))
		return -ENOMEM;

	u = arena_take(a, sizeof(*u));
	u->slot = arena_take(a, sizeof(struct exchange) * n);
	for (enum who w = WHO_PROD; w <= WHO_SUT; w++)
		map_init(&u->map[w], n, key, arena_take(a, map_size(n)),
			 &u->slot->in[w], sizeof(struct exchange));
	u->pool = pool;
	u->keep = keep;
	list_init(&u->free);
	list_init(&u->open);
	list_init(&u->ended);
	list_init(&u->send);
	u->wait = wait;
	wheel_init(&u->wheel, now);
	u->slots = n;
	*out = u;
	return 0;
}

static uint32_t number_of(const struct udp_shadow *u, const struct exchange *ex)
{
	return (uint32_t)(ex - u->slot);
}

static uint64_t hash_of(const struct udp_shadow *u, const struct exchange *ex,
			enum who who)
{
	return map_hash(&u->map[who], &ex->key[who], sizeof(ex->key[who]));
}

void udp_ex_enter(struct udp_shadow *u, struct exchange *ex, enum who who)
{
	map_put(&u->map[who], hash_of(u, ex, who), number_of(u, ex));
}

struct exchange *udp_by_age(struct list *l)
{
	return list_entry(l, struct exchange, age);
}

void udp_move_to(struct exchange *ex, struct list *to)
{
	list_del(&ex->age);
	list_add_tail(to, &ex->age);
}

void udp_drop_unsent(struct udp_shadow *u, struct exchange *ex)
{
	if (!ex->unsent)
		return;
	buf_clear(u->pool, ex->unsent, BUF_EMIT);
	ex->unsent = NULL;
	list_del(&ex->send);
}

void udp_ex_end(struct udp_shadow *u, struct exchange *ex, enum udp_end end,
		uint64_t now)
{
	assert(ex->state == EX_OPEN);

	udp_drop_unsent(u, ex);
	wheel_disarm(&u->wheel, &ex->timer);
	ex->pair.end = end;
	if (u->pairs < UDP_PAIRS) {
		u->ring[(u->first + u->pairs++) % UDP_PAIRS] = ex->pair;
	} else {
		u->count.pairs_lost++;
		udp_pair_free(u, &ex->pair);
	}
	memset(ex->pair.frame, 0, sizeof(ex->pair.frame));
	ex->state = EX_ENDED;
	ex->since = now;
	u->opened--;
	udp_move_to(ex, &u->ended);
}

void udp_ex_forget(struct udp_shadow *u, struct exchange *ex)
{
	assert(ex->state == EX_ENDED);

	udp_more_over(u, ex);
	for (enum who w = WHO_PROD; w <= WHO_SUT; w++)
		map_cut(&u->map[w], hash_of(u, ex, w), number_of(u, ex));
	ex->state = EX_FREE;
	u->used--;
	udp_move_to(ex, &u->free);
}

struct exchange *udp_ex_take(struct udp_shadow *u, uint64_t now)
{
	if (list_empty(&u->free) && u->fresh < u->slots) {
		list_add_tail(&u->free, &u->slot[u->fresh++].age);
	} else if (list_empty(&u->free)) {
		if (list_empty(&u->ended)) {
			u->count.evicted++;
			udp_ex_end(u, udp_by_age(u->open.next), UDP_EVICTED,
				   now);
		} else {
			u->count.forgotten++;
		}
		udp_ex_forget(u, udp_by_age(u->ended.next));
	}
	return udp_by_age(u->free.next);
}

void udp_bound_key(struct udp_shadow *u, const struct udp_key *key,
		   uint64_t now)
{
	const struct map *m = &u->map[WHO_PROD];
	struct exchange *oldest = NULL;
	unsigned n = 0;

	for (uint32_t i = map_first(m, map_hash(m, key, sizeof(*key)));
	     i != MAP_NONE; i = map_next(m, i)) {
		struct exchange *ex = &u->slot[i];

		if (memcmp(&ex->key[WHO_PROD], key, sizeof(*key)) != 0)
			continue;
		oldest = ex;
		n++;
	}
	if (n < UDP_SAME_KEY)
		return;
	if (oldest->state == EX_OPEN) {
		u->count.same_key++;
		udp_ex_end(u, oldest, UDP_EVICTED, now);
	} else {
		u->count.forgotten++;
	}
	udp_ex_forget(u, oldest);
}

struct udp_key udp_key_of(const struct segment *seg, enum who from, uint16_t id,
			  uint8_t sut)
{
	bool c = from == WHO_CLIENT;

	return (struct udp_key){
		.client = c ? seg->src : seg->dst,
		.server = c ? seg->dst : seg->src,
		.cport = c ? seg->sport : seg->dport,
		.sport = c ? seg->dport : seg->sport,
		.id = id,
		.sut = sut,
	};
}

bool udp_pop(struct udp_shadow *u, struct udp_pair *pair)
{
	if (u->pairs == 0)
		return false;
	*pair = u->ring[u->first];
	u->first = (u->first + 1) % UDP_PAIRS;
	u->pairs--;
	return true;
}

void udp_pair_free(struct udp_shadow *u, struct udp_pair *pair)
{
	for (int w = 0; w < WHO_COUNT; w++) {
		if (pair->frame[w])
			buf_clear(u->pool, pair->frame[w], BUF_CMP);
		pair->frame[w] = NULL;
	}
}

uint32_t udp_used(const struct udp_shadow *u)
{
	return u->used;
}

uint32_t udp_open(const struct udp_shadow *u)
{
	return u->opened;
}

const struct udp_counters *udp_counters(const struct udp_shadow *u)
{
	return &u->count;
}
