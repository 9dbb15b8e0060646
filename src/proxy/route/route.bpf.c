/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/*
 * route.bpf.c - Spliced connections are routed, on the ingress of every device
 * they use
 *
 * Theory of operation
 *
 * A packet's addresses and ports are looked up; what is no pair's goes on as if
 * we were not there (TC_ACT_UNSPEC: other programs and the stack have their
 * turn), unless it is a SYN that is passed on (pass.h). Else its headers are
 * read, splice/state.h moves the pair under its
 * lock and says where the packet goes, and splice/head.h maps it. All that
 * decides is in these headers; maps.h and packet.h have what the kernel wants.
 *
 * The other programs are run by the library, by BPF_PROG_TEST_RUN: what they
 * are told is the packet, and what they say is their result, and written into
 * the packet where it is more. So what takes several steps is one system call,
 * and is done where packets are.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "core/dir.h"
#include "route/maps.h"
#include "route/packet.h"
#include "route/pass.h"
#include "route/sockets.h"
#include "route/table.h"
#include "splice/begin.h"
#include "splice/cut.h"
#include "splice/head.h"
#include "splice/pair.h"
#include "splice/state.h"

/* What cannot be read of a pair. */
static __always_inline int unread(const struct splice_pair *p,
				  struct scratch *c)
{
	if (!splice_drops(p, c->fault == SPLICE_FRAGMENT)) {
		count(JOIN_TO_STACK);
		return TC_ACT_UNSPEC;
	}
	count(JOIN_DROPPED);
	count(JOIN_FAULT + (c->fault & 7));
	return TC_ACT_SHOT;
}

/* What becomes of a segment; JOIN_BEGUN only of join_pass. */
enum {
	JOIN_FOR_STACK,
	JOIN_FOR_PEER,
	JOIN_FOR_SENDER,
	JOIN_FOR_NOBODY,
	JOIN_REUSED, /* it was of a pair that is over */
	JOIN_BEGUN,  /* there is a pair for it now */
};

/* Functions that the kernel looks at by themselves, once; the headers of the
 * packet are read.
 */

/* A segment of a pair moves it. */
__noinline int join_take(struct __sk_buff *skb, uint32_t place, uint32_t dir)
{
	struct join_slot *slot = bpf_map_lookup_elem(&join_slots, &place);
	struct join_end e = { .name.place = place, .dir = dir };
	enum dir d = dir == DIR_C2S ? DIR_C2S : DIR_S2C;
	uint64_t now = bpf_ktime_get_ns();
	uint32_t key = 0, events = 0;
	struct scratch *c;
	enum splice_act act;
	bool syn;

	c = bpf_map_lookup_elem(&join_scratch, &key);
	if (!skb || !slot || !c)
		return JOIN_FOR_STACK;
	if ((c->s.flags & SPLICE_SYN) &&
	    (slot->pair.flags & SPLICE_PAIR_OPENING))
		read_offer(c);
	e.name.generation = slot->pair.generation;
	syn = (slot->pair.flags & SPLICE_PAIR_SYN) != 0;
	bpf_spin_lock(&slot->lock);
	act = splice_step(&slot->pair, d, &c->s, now, &events);
	bpf_spin_unlock(&slot->lock);
	/* Of those that were made of a SYN the library has no record. */
	if (events && !syn)
		tell(&e, &slot->pair, events, now);
	if (events)
		follow(&e.name, events, now);
	if (events & SPLICE_EV_REUSED)
		return JOIN_REUSED;
	if (act == SPLICE_TO_NOBODY) {
		count(JOIN_HELD);
		return JOIN_FOR_NOBODY;
	}
	return act == SPLICE_TO_PEER	 ? JOIN_FOR_PEER
	       : act == SPLICE_TO_SENDER ? JOIN_FOR_SENDER
					 : JOIN_FOR_STACK;
}

/* A segment that is no pair's, or not any more, may begin one. */
__noinline int join_pass(struct __sk_buff *skb)
{
	struct join_forward *f;
	struct scratch *c;
	uint32_t key = 0;
	int r;

	c = bpf_map_lookup_elem(&join_scratch, &key);
	f = c ? forward_of(skb, c) : NULL;
	if (!f)
		return JOIN_FOR_STACK;
	r = begin(skb, c, f);
	return r == 0 ? JOIN_BEGUN : r == 1 ? JOIN_FOR_STACK : JOIN_FOR_NOBODY;
}

/* What is for a socket of ours; one that has the client's address towards the
 * server is found by a rule for its mark.
 */
static __always_inline void for_socket(struct __sk_buff *skb, uint32_t dir)
{
	count(JOIN_TO_STACK);
	if (join_config.mark != 0 && dir == DIR_S2C)
		skb->mark = join_config.mark;
}

/* A first look at a packet: is it of TCP, and whose? Return: 0; 1: it is
 * nobody's; 2: it is a message of ICMP
 */
static __always_inline int read(struct __sk_buff *skb, struct scratch *c)
{
	bool ip6 = skb->protocol == bpf_htons(ETH_P_IPV6);
	uint8_t ports[4];
	int r;

	if (skb->vlan_present)
		return 1;
	if (!ip6 && skb->protocol != bpf_htons(ETH_P_IP))
		return 1;
	r = ip6 ? read_ip6(skb, c) : read_ip4(skb, c);
	if (r != 0)
		return r;
	if (bpf_skb_load_bytes(skb, L3 + c->h.ip_len, ports, sizeof(ports)))
		return 1;
	c->t.sport = get_be16(ports);
	c->t.dport = get_be16(ports + 2);
	return 0;
}

/* Nobody's, unless it is a SYN that is passed on. */
static __always_inline int nobodys(struct __sk_buff *skb, struct scratch *c)
{
	if (join_passes == 0 || c->fault != SPLICE_FINE)
		return JOIN_FOR_STACK;
	read_rest(skb, c);
	return c->fault == SPLICE_FINE ? join_pass(skb) : JOIN_FOR_STACK;
}

SEC("tc")
int join_route(struct __sk_buff *skb)
{
	struct join_slot *slot;
	struct join_end *found;
	struct join_end e;
	struct scratch *c;
	uint32_t key = 0;
	int r;

	c = bpf_map_lookup_elem(&join_scratch, &key);
	if (!c)
		return TC_ACT_UNSPEC;
	r = read(skb, c);
	if (r == 2)
		return route_error(skb, c,
				   skb->protocol == bpf_htons(ETH_P_IPV6));
	if (r != 0)
		return TC_ACT_UNSPEC;
	found = bpf_map_lookup_elem(&join_ends, &c->t);
	if (found) {
		e = *found;
		slot = bpf_map_lookup_elem(&join_slots, &e.name.place);
		if (!slot || slot->pair.generation != e.name.generation)
			return TC_ACT_UNSPEC;
		if (c->fault == SPLICE_FINE)
			read_rest(skb, c);
		if (c->fault != SPLICE_FINE)
			return unread(&slot->pair, c);
		r = join_take(skb, e.name.place, e.dir);
		if (r == JOIN_REUSED)
			r = join_pass(skb);
		if (r == JOIN_FOR_STACK)
			for_socket(skb, e.dir);
	} else {
		r = nobodys(skb, c);
	}
	if (r == JOIN_BEGUN) {
		e = c->begun;
		r = join_take(skb, e.name.place, e.dir);
	}
	if (r == JOIN_FOR_PEER)
		return join_relay(skb, e.name.place, e.dir);
	if (r == JOIN_FOR_SENDER)
		return join_challenge(skb, e.name.place, e.dir);
	return r == JOIN_FOR_NOBODY ? TC_ACT_SHOT : TC_ACT_UNSPEC;
}

/*
 * Begin to watch two connections. Run by the library: its struct join_ask is
 * the packet, and the results are written there. Return: 0, JOIN_NO_PLACE or
 * JOIN_TAKEN
 */
SEC("tc")
int join_intend(struct __sk_buff *skb)
{
	struct join_slot *slot;
	struct join_ask a;
	struct join_name n;
	uint64_t now = bpf_ktime_get_ns();

	if (bpf_skb_load_bytes(skb, 0, &a, sizeof(a)))
		return JOIN_NO_PLACE;
	slot = take_place(&n);
	if (!slot)
		return JOIN_NO_PLACE;
	bpf_spin_lock(&slot->lock);
	splice_intend(&slot->pair, &a.tuple[DIR_C2S], &a.tuple[DIR_S2C],
		      a.ip6 != 0, n.generation, now);
	slot->way[DIR_C2S] = a.way[DIR_C2S];
	slot->way[DIR_S2C] = a.way[DIR_S2C];
	bpf_spin_unlock(&slot->lock);
	if (put_end(&a.tuple[DIR_C2S], &n, DIR_C2S) ||
	    put_end(&a.tuple[DIR_S2C], &n, DIR_S2C)) {
		join_leave(n.place, n.generation, SPLICE_GOES_ON);
		return JOIN_TAKEN;
	}
	a.name = n;
	socket_ask(skb, a.ip6 != 0, &a.tuple[DIR_C2S], &a.peer);
	bpf_skb_store_bytes(skb, 0, &a, sizeof(a), 0);
	return 0;
}

/* A pair is over. Run by the library: its struct join_call is the packet.
 * Return: 0 or JOIN_NO_PAIR
 */
SEC("tc")
int join_forget(struct __sk_buff *skb)
{
	struct join_slot *slot;
	struct join_call call;

	if (bpf_skb_load_bytes(skb, 0, &call, sizeof(call)))
		return JOIN_NO_PAIR;
	slot = bpf_map_lookup_elem(&join_slots, &call.name.place);
	if (!slot || slot->pair.generation != call.name.generation)
		return JOIN_NO_PAIR;
	return join_leave(call.name.place, call.name.generation, SPLICE_GOES_ON)
		       ? 0
		       : JOIN_NO_PAIR;
}

/*
 * Splice the two sockets of a pair. Run by the library: its struct join_call is
 * the packet. Return: see there
 */
SEC("tc")
int join_splice(struct __sk_buff *skb)
{
	struct splice_socket k[DIR_COUNT] = {};
	enum splice_refusal why;
	struct join_slot *slot;
	struct join_call call;
	uint32_t events = 0;
	uint64_t now;
	bool ip6;

	if (bpf_skb_load_bytes(skb, 0, &call, sizeof(call)))
		return JOIN_NO_PAIR;
	slot = bpf_map_lookup_elem(&join_slots, &call.name.place);
	if (!slot || slot->pair.generation != call.name.generation)
		return JOIN_NO_PAIR;
	ip6 = (slot->pair.flags & SPLICE_PAIR_IP6) != 0;
	if (socket_read(skb, ip6, &slot->pair.side[DIR_C2S].tuple,
			&k[DIR_C2S]) ||
	    socket_read(skb, ip6, &slot->pair.side[DIR_S2C].tuple, &k[DIR_S2C]))
		return JOIN_NO_SOCKET;
	k[DIR_C2S].pending = call.pending[DIR_C2S];
	k[DIR_S2C].pending = call.pending[DIR_S2C];
	k[DIR_C2S].cut = call.cut[DIR_C2S];
	k[DIR_S2C].cut = call.cut[DIR_S2C];
	k[DIR_C2S].has_cut = k[DIR_S2C].has_cut = call.has_cut != 0;
	now = bpf_ktime_get_ns();
	bpf_spin_lock(&slot->lock);
	why = splice_begin(&slot->pair, k, now, &events);
	bpf_spin_unlock(&slot->lock);
	follow(&call.name, events, now);
	if (k[DIR_C2S].rcv_nxt != k[DIR_C2S].copied_seq)
		events |= JOIN_UNREAD;
	return why == SPLICE_AGREED ? (int)(JOIN_SPLICED | events) : (int)why;
}

/*
 * A pair ends at a cut (splice/cut.h). Run by the library: its struct
 * join_cut_call is the packet. Return: see there, or JOIN_NO_PAIR
 */
SEC("tc")
int join_cut(struct __sk_buff *skb)
{
	struct join_slot *slot;
	struct join_cut_call call;
	bool done = false, reached = false;

	if (bpf_skb_load_bytes(skb, 0, &call, sizeof(call)))
		return JOIN_NO_PAIR;
	slot = bpf_map_lookup_elem(&join_slots, &call.name.place);
	if (!slot || slot->pair.generation != call.name.generation)
		return JOIN_NO_PAIR;
	bpf_spin_lock(&slot->lock);
	if (call.what == JOIN_CUT_READY)
		done = splice_ready(&slot->pair, call.cut);
	else if (call.what == JOIN_CUT_WITHDRAW)
		done = splice_withdraw(&slot->pair);
	else
		done = splice_cut_now(&slot->pair, &reached);
	bpf_spin_unlock(&slot->lock);
	if (!done)
		return 0;
	return (int)(JOIN_SPLICED | (reached ? SPLICE_EV_CUT : 0));
}

static long sweep_one(uint32_t i, void *ctx)
{
	const struct join_look *l = ctx;

	look_at(l->first + i, l->now, &l->limits);
	return 0;
}

/*
 * Let go of pairs that have lasted too long. Run by the library: its struct
 * join_look is the packet. Return: 0
 */
SEC("tc")
int join_sweep(struct __sk_buff *skb)
{
	struct join_look l;

	if (bpf_skb_load_bytes(skb, 0, &l, sizeof(l)) == 0)
		bpf_loop(l.most, sweep_one, &l, 0);
	return 0;
}

/*
 * Change the ways of a pair. Run by the library: its struct join_moved is the
 * packet.
 * Return: 0 or JOIN_NO_PAIR
 */
SEC("tc")
int join_move(struct __sk_buff *skb)
{
	struct join_slot *slot;
	struct join_moved m;
	int r = JOIN_NO_PAIR;

	if (bpf_skb_load_bytes(skb, 0, &m, sizeof(m)))
		return JOIN_NO_PAIR;
	slot = bpf_map_lookup_elem(&join_slots, &m.name.place);
	if (!slot)
		return JOIN_NO_PAIR;
	bpf_spin_lock(&slot->lock);
	if (slot->pair.generation == m.name.generation) {
		slot->way[DIR_C2S] = m.way[DIR_C2S];
		slot->way[DIR_S2C] = m.way[DIR_S2C];
		r = 0;
	}
	bpf_spin_unlock(&slot->lock);
	return r;
}

char _license[] SEC("license") = "Dual BSD/GPL";
