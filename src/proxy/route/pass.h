/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/*
 * pass - A client's SYN is passed on, and there is a pair
 *
 * Theory of operation
 *
 * A SYN to one of the forwards that is no pair's becomes one (splice/syn.h): it
 * takes a place, a port of ours that is free towards the server, and is a
 * packet of that pair like those which follow. No process sees it. What cannot
 * be a pair - all places are taken, too many are opening, no port is free - is
 * for the listener, as if there was no forward, and is counted.
 *
 * Of several servers a client gets the one that rendezvous.h gives him; which
 * of them are in is for the library to say.
 *
 * A port is free if no pair has it towards the same server, and no socket. They
 * go round; where several in turn are not, one whose pair is in TIMEWAIT is had
 * again, if the server takes what is newer (splice_may_reuse). Who is answered
 * goes back by the device by which he came.
 *
 * Those that are opening have at most a share of all places, so a flood of SYNs
 * fills that, and then the listener's queue, which knows cookies. There is no
 * timer that would end what has lasted too long: each SYN looks at some places,
 * and so at all of them in time, and the library, if it lives, looks at some
 * once a second (join_sweep).
 */
#ifndef ROUTE_PASS_H
#define ROUTE_PASS_H

#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/dir.h"
#include "core/rendezvous.h"
#include "route/maps.h"
#include "route/packet.h"
#include "route/sockets.h"
#include "route/table.h"
#include "splice/begin.h"
#include "splice/head.h"
#include "splice/over.h"
#include "splice/pair.h"
#include "splice/state.h"
#include "splice/syn.h"

#define TO_US	      0 /* PACKET_HOST: of a packet's type */
#define SOCKET_LISTEN 10

/* Has this pair lasted too long? Then it goes. @l: Limits of those that were
 * not made of a SYN; NULL: they are not looked at
 */
static __always_inline void look_at(uint32_t place, uint64_t now,
				    const struct splice_limits *l)
{
	struct join_slot *slot = bpf_map_lookup_elem(&join_slots, &place);
	/* Member by member: each is read when the program runs. */
	const struct splice_limits syn = {
		.opening = join_config.limits.opening,
		.idle = join_config.limits.idle,
		.closing = join_config.limits.closing,
		.timewait = join_config.limits.timewait,
	};
	enum splice_over why;
	uint32_t generation;

	if (slot && (slot->pair.flags & SPLICE_PAIR_SYN))
		l = &syn;
	if (!slot || !l)
		return;
	generation = slot->pair.generation;
	/* A packet may have come meanwhile, on another processor. */
	if (!join_is_taken(generation) || slot->pair.seen > now)
		return;
	why = splice_is_over(&slot->pair, l, now);
	if (why != SPLICE_GOES_ON)
		join_leave(place, generation, why);
}

static __always_inline void look_round(struct join_state *s, uint64_t now)
{
	uint32_t used = s->used;
	uint32_t at = __sync_fetch_and_add(&s->look_at, JOIN_LOOK);

	if (used == 0)
		return;
	for (int i = 0; i < JOIN_LOOK; i++)
		look_at((at + (uint32_t)i) % used, now, NULL);
}

/* Has a socket this connection, or what is left of it? */
static __always_inline bool is_used(struct __sk_buff *skb, bool ip6,
				    const struct splice_tuple *t)
{
	struct bpf_sock *sk = socket_find(skb, ip6, t);
	bool yes;

	if (!sk)
		return false;
	yes = sk->state != SOCKET_LISTEN;
	bpf_sk_release(sk);
	return yes;
}

/* Does the pair of a tuple go, since both its ends are done with it, and its
 * server would take this SYN from the same port?
 */
static __always_inline bool is_given_up(const struct splice_tuple *t,
					const struct splice_pair *new_one,
					const struct splice_segment *syn)
{
	uint32_t tsval = syn->offer.tsval + new_one->map.ts_off[DIR_C2S];
	struct splice_tuple key = *t;
	struct join_end *e = bpf_map_lookup_elem(&join_ends, &key);
	struct join_slot *slot;
	uint32_t place;

	if (!e)
		return false;
	place = e->name.place;
	slot = bpf_map_lookup_elem(&join_slots, &place);
	if (!slot || slot->pair.generation != e->name.generation ||
	    !splice_in_timewait(&slot->pair) ||
	    (slot->pair.flags & SPLICE_PAIR_RESET))
		return false;
	if (!syn->offer.has_ts)
		tsval = slot->pair.side[DIR_S2C].tsval;
	return splice_may_reuse(&slot->pair, tsval, syn->seq) &&
	       join_leave(place, e->name.generation, SPLICE_DONE);
}

/* Return: 0, and @t has a port, and leads to the pair; 1: none is free */
static __always_inline int
take_port(struct __sk_buff *skb, struct join_forward *f, struct join_slot *slot,
	  const struct join_name *n, const struct splice_segment *syn,
	  struct splice_tuple *t)
{
	for (int i = 0; i < JOIN_PORT_TRIES; i++) {
		uint32_t k = __sync_fetch_and_add(&f->next, 1);

		if (f->ports == 0)
			return 1;
		t->dport = (uint16_t)(f->port_low + k % f->ports);
		if (is_used(skb, f->ip6 != 0, t))
			continue;
		slot->pair.side[DIR_S2C].tuple.dport = t->dport;
		if (!put_end(t, n, DIR_S2C))
			return 0;
		if (i >= JOIN_PORT_TRIES / 2 &&
		    is_given_up(t, &slot->pair, syn) && !put_end(t, n, DIR_S2C))
			return 0;
	}
	return 1;
}

/* Most bytes of TCP that fit on both ways, options of TCP included. */
static __always_inline uint16_t most_of(struct __sk_buff *skb,
					const struct join_forward *f,
					const struct join_way *way)
{
	uint32_t head =
		(f->ip6 ? SPLICE_IP6_MIN : SPLICE_IP4_MIN) + SPLICE_TCP_MIN;
	uint32_t here = 0, there = 0;

	if (bpf_check_mtu(skb, skb->ifindex, &here, 0, 0) < 0 ||
	    bpf_check_mtu(skb, way->ifindex, &there, 0, 0) < 0)
		return 0;
	if (way->mtu != 0 && way->mtu < there)
		there = way->mtu;
	if (there < here)
		here = there;
	return here > head && here < 0xffff ? (uint16_t)(here - head) : 0;
}

static __always_inline void read_offer(struct scratch *c)
{
	struct splice_reading r;

	splice_offer_start(&c->h, &c->s.offer, &r);
	if (c->h.opts_left > 0)
		bpf_loop(SPLICE_OPTS_MAX, splice_offer_option, &r, 0);
}

static __always_inline void fill(struct __sk_buff *skb, struct join_slot *slot,
				 const struct join_forward *f,
				 const struct join_way *way,
				 const struct join_name *n, struct scratch *c,
				 uint64_t now)
{
	uint32_t clock = (uint32_t)(now / 1000000) + join_config.clock;
	uint16_t mss = most_of(skb, f, way);

	bpf_spin_lock(&slot->lock);
	splice_begin_syn(&slot->pair, &c->t, &c->server, f->ip6 != 0,
			 n->generation, &c->s, clock, mss, now);
	slot->way[DIR_C2S].ifindex = skb->ifindex;
	slot->way[DIR_C2S].mtu = 0;
	slot->way[DIR_S2C] = *way;
	bpf_spin_unlock(&slot->lock);
}

/* Whose client is it? */
static __always_inline const struct join_server *
choose(const struct join_forward *f, const struct splice_tuple *client)
{
	const struct hash_key key = { { join_config.key.k[0],
					join_config.key.k[1] } };
	uint64_t most = 0, hash;
	uint32_t best = 0;

	if (f->servers < 2)
		return &f->server[0];
	hash = rendezvous_client(&key, client->src);
	for (uint32_t i = 0; i < JOIN_SERVERS; i++) {
		uint64_t w;

		if (i >= f->servers)
			break;
		w = rendezvous_weight(hash, f->server[i].hash);
		if (i == 0 || w > most) {
			most = w;
			best = i;
		}
	}
	return &f->server[best & (JOIN_SERVERS - 1)];
}

static __always_inline void count_served(uint32_t at)
{
	uint64_t *n = bpf_map_lookup_elem(&join_served, &at);

	if (n)
		__sync_fetch_and_add(n, 1);
}

/* A pair for a SYN. Return: 0, and @c->begun; 1: it is for the listener;
 * 2: somebody else has made one just now
 */
static __always_inline int begin(struct __sk_buff *skb, struct scratch *c,
				 struct join_forward *f)
{
	uint64_t now = bpf_ktime_get_ns();
	const struct join_server *to;
	struct join_slot *slot;
	struct join_state *s;
	struct join_name n = { 0 };
	int taken;

	s = state();
	if (!s)
		return 1;
	look_round(s, now);
	slot = s->syn_opening * JOIN_OPENING_SHARE < join_config.pairs
		       ? take_place(&n)
		       : NULL;
	if (!slot) {
		count(JOIN_SYN_FULL);
		return 1;
	}
	read_offer(c);
	to = choose(f, &c->t);
	c->server = to->tuple;
	fill(skb, slot, f, &to->way, &n, c, now);
	taken = take_port(skb, f, slot, &n, &c->s, &c->server);
	if (taken == 0 && put_end(&c->t, &n, DIR_C2S))
		taken = 2;
	if (taken != 0) {
		/* It was nothing yet. */
		slot->pair.flags = 0;
		join_leave(n.place, n.generation, SPLICE_DONE);
		if (taken == 1)
			count(JOIN_SYN_PORTS);
		return taken;
	}
	__sync_fetch_and_add(&s->syn_live, 1);
	__sync_fetch_and_add(&s->syn_opening, 1);
	count(JOIN_SYN_BEGUN);
	count_served(to->served);
	c->begun.name = n;
	c->begun.dir = DIR_C2S;
	return 0;
}

/* Is a segment that is no pair's to be passed on? Its headers are read. NULL:
 * no
 */
static __always_inline struct join_forward *
forward_of(const struct __sk_buff *skb, const struct scratch *c)
{
	struct join_at at = { .port = c->t.dport };
	struct join_forward *f;

	if (!splice_is_syn(&c->s) || skb->pkt_type != TO_US)
		return NULL;
	__builtin_memcpy(at.ip, c->t.dst, sizeof(at.ip));
	f = bpf_map_lookup_elem(&join_forwards, &at);
	if (!f || (f->ip6 != 0) != c->h.ip6)
		return NULL;
	return splice_may_begin(&c->t, c->h.ip6) ? f : NULL;
}

#endif /* ROUTE_PASS_H */
