/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prove_table.c - Networks that are known, and addresses of them that are
 * nobody's
 */
#include "lan/prove_internal.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#define BITS_4	      (IPADDR_4IN6 + 24)
#define BITS_6	      64
#define SHOWN_LEAST   (1u << 13)
#define SHOWN_MOST    (1u << 20)
#define SHOWN_PER_NET 16
#define DRAWS	      16 /* then all are looked through */
#define HOST_LOW      2
#define HOST_COUNT    252		     /* 2 to 253 */
#define SEED_SALT     UINT64_C(0x70726f7665) /* not the wire's numbers */

static uint32_t power_from(uint32_t n, uint32_t least, uint32_t most)
{
	uint32_t b = least;

	while (b < n && b < most)
		b *= 2;
	return b;
}

static uint32_t shown_bits(uint32_t nets)
{
	uint32_t want = nets < SHOWN_MOST / SHOWN_PER_NET ? nets * SHOWN_PER_NET
							  : SHOWN_MOST;

	return power_from(want, SHOWN_LEAST, SHOWN_MOST);
}

size_t prove_size(uint32_t nets)
{
	return arena_need(sizeof(struct prove)) + arena_need(map_size(nets)) +
	       arena_need(nets * sizeof(struct net)) +
	       arena_need(shown_bits(nets) / 8);
}

static void control_init(struct prove *p, struct control *c)
{
	uint32_t host = 1 + rng_below(&p->rng, (1u << 17) - 2);
	uint8_t four[4];

	if (ipaddr_is4(&c->sut.ip)) {
		put_be32(four, 0xc6120000u | host); /* 198.18.0.0/15 */
		c->probe.from = ipaddr_from4(four);
		return;
	}
	put_be32(c->probe.from.b, 0x20010db8u);
	put_be32(c->probe.from.b + 4, (uint32_t)rng_next(&p->rng));
	put_be32(c->probe.from.b + 8, (uint32_t)rng_next(&p->rng));
	put_be32(c->probe.from.b + 12, (uint32_t)rng_next(&p->rng) | 1);
}

int prove_init(struct prove **out, struct arena *a, const struct prove_cfg *cfg,
	       uint64_t now)
{
	struct prove *p;

	assert(cfg->suts <= MAP_MAX && cfg->nevers <= 2 * MAP_MAX);
	assert(cfg->nets >= 1 && cfg->nets <= PROVE_NETS);
	if (a->size - a->used < prove_size(cfg->nets))
		return -ENOMEM;
	p = arena_take(a, sizeof(*p));
	p->net = arena_take(a, cfg->nets * sizeof(struct net));
	map_init(&p->map, cfg->nets, &cfg->key,
		 arena_take(a, map_size(cfg->nets)), &p->net->in,
		 sizeof(struct net));
	p->shown = arena_take(a, shown_bits(cfg->nets) / 8);
	p->each = cfg->each;
	p->suts = cfg->suts;
	p->nevers = cfg->nevers;
	if (cfg->nevers > 0)
		memcpy(p->never, cfg->never, cfg->nevers * sizeof(p->never[0]));
	p->nets = cfg->nets;
	p->shown_mask = shown_bits(cfg->nets) - 1;
	p->rng.s = cfg->seed ^ SEED_SALT;
	list_init(&p->queue);
	list_init(&p->settled);
	list_init(&p->news);
	wheel_init(&p->wheel, now);
	for (uint32_t i = 0; i < p->suts; i++) {
		p->control[i].sut = cfg->sut[i];
		control_init(p, &p->control[i]);
	}
	*out = p;
	return 0;
}

uint8_t prove_bits(const struct ipaddr *client)
{
	return ipaddr_is4(client) ? BITS_4 : BITS_6;
}

struct net_key net_key_of(uint8_t sut, const struct ipaddr *client)
{
	struct net_key k = { *client, sut };
	uint32_t n = prove_bits(client) / 8;

	memset(k.net.b + n, 0, sizeof(k.net.b) - n);
	return k;
}

static uint64_t hash_of(const struct prove *p, const struct net_key *k)
{
	return map_hash(&p->map, k, sizeof(*k));
}

struct net *net_find(struct prove *p, const struct net_key *k)
{
	uint32_t i = map_first(&p->map, hash_of(p, k));

	while (i != MAP_NONE && memcmp(&p->net[i].key, k, sizeof(*k)) != 0)
		i = map_next(&p->map, i);
	return i != MAP_NONE ? &p->net[i] : NULL;
}

/* A place in the table: one never used, or that of the one settled longest ago.
 */
static struct net *place(struct prove *p)
{
	struct net *n;

	if (p->fresh < p->nets)
		return &p->net[p->fresh++];
	if (list_empty(&p->settled))
		return NULL;
	n = list_entry(p->settled.next, struct net, settled);
	map_cut(&p->map, hash_of(p, &n->key), (uint32_t)(n - p->net));
	list_del(&n->settled);
	p->count.forgotten++;
	return n;
}

void net_touch(struct prove *p, struct net *n)
{
	if (n->state == NET_QUEUED || n->state == NET_ASKED ||
	    !list_empty(&n->news))
		return;
	list_del(&n->settled);
	list_add_tail(&p->settled, &n->settled);
}

struct net *net_get(struct prove *p, uint8_t sut, const struct ipaddr *client)
{
	struct net_key k = net_key_of(sut, client);
	struct net *n = net_find(p, &k);

	if (!n) {
		n = place(p);
		if (!n) {
			p->count.full++;
			return NULL;
		}
		memset(n, 0, sizeof(*n));
		n->key = k;
		list_init(&n->settled);
		list_init(&n->news);
		list_init(&n->flows);
		list_init(&n->queries);
		timer_init(&n->timer);
		map_put(&p->map, hash_of(p, &k), (uint32_t)(n - p->net));
	}
	net_touch(p, n);
	return n;
}

static uint32_t shown_at(const struct prove *p, const struct ipaddr *ip)
{
	return (uint32_t)map_hash(&p->map, ip, sizeof(*ip)) & p->shown_mask;
}

void prove_show(struct prove *p, const struct ipaddr *ip)
{
	uint32_t at = shown_at(p, ip);
	uint8_t bit = (uint8_t)(1u << at % 8);

	if (p->shown[at / 8] & bit)
		return;
	if (p->shown_n > (p->shown_mask + 1) / 4 * 3) {
		memset(p->shown, 0, (p->shown_mask + 1) / 8);
		p->shown_n = 0;
	}
	p->shown[at / 8] |= bit;
	p->shown_n++;
}

static bool is_nobody(const struct prove *p, const struct ipaddr *ip)
{
	uint32_t at = shown_at(p, ip);

	for (uint32_t i = 0; i < p->nevers; i++)
		if (ipaddr_eq(&p->never[i], ip))
			return false;
	return !(p->shown[at / 8] & 1u << at % 8);
}

static bool draw6(struct prove *p, struct ipaddr *ip)
{
	for (int i = 0; i < DRAWS; i++) {
		put_be32(ip->b + 8, (uint32_t)rng_next(&p->rng));
		put_be32(ip->b + 12, (uint32_t)rng_next(&p->rng) | 1);
		if (is_nobody(p, ip))
			return true;
	}
	return false;
}

bool net_draw(struct prove *p, const struct net *n, struct ipaddr *ip)
{
	uint32_t host;

	*ip = n->key.net;
	if (!ipaddr_is4(ip))
		return draw6(p, ip);
	for (int i = 0; i < DRAWS; i++) {
		host = rng_below(&p->rng, HOST_COUNT);
		ip->b[15] = (uint8_t)(HOST_LOW + host);
		if (is_nobody(p, ip))
			return true;
	}
	host = rng_below(&p->rng, HOST_COUNT);
	for (uint32_t i = 0; i < HOST_COUNT; i++) {
		ip->b[15] = (uint8_t)(HOST_LOW + (host + i) % HOST_COUNT);
		if (is_nobody(p, ip))
			return true;
	}
	return false;
}
