/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/*
 * route.bpf.c - Spliced connections are routed, on the ingress of every device
 * they use
 *
 * Theory of operation
 *
 * A packet's addresses and ports are looked up; what is no pair's goes on as if
 * we were not there (TC_ACT_UNSPEC: other programs and the stack have their
 * turn). Else its headers are read, splice/state.h moves the pair under its
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
#include "join/maps.h"
#include "join/packet.h"
#include "join/sockets.h"
#include "join/table.h"
#include "splice/begin.h"
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

static __always_inline int take(struct __sk_buff *skb, struct join_slot *slot,
				const struct join_end *e, struct scratch *c)
{
	uint64_t now = bpf_ktime_get_ns();
	enum dir d = e->dir == DIR_C2S ? DIR_C2S : DIR_S2C;
	struct splice_segment s = c->s;
	enum splice_act act;
	uint32_t events = 0;

	bpf_spin_lock(&slot->lock);
	act = splice_step(&slot->pair, d, &s, now, &events);
	bpf_spin_unlock(&slot->lock);
	if (events) {
		follow(slot, &e->name, events, now);
		tell(e, events, now);
	}
	if (act == SPLICE_TO_STACK) {
		count(JOIN_TO_STACK);
		return TC_ACT_UNSPEC;
	}
	return relay(skb, slot, d, c);
}

SEC("tc")
int join_route(struct __sk_buff *skb)
{
	struct join_slot *slot;
	struct join_end *found;
	struct join_end e;
	struct scratch *c;
	bool ip6 = skb->protocol == bpf_htons(ETH_P_IPV6);
	uint32_t key = 0;
	uint8_t ports[4];
	int r;

	c = bpf_map_lookup_elem(&join_scratch, &key);
	if (!c || skb->vlan_present)
		return TC_ACT_UNSPEC;
	if (!ip6 && skb->protocol != bpf_htons(ETH_P_IP))
		return TC_ACT_UNSPEC;
	r = ip6 ? read_ip6(skb, c) : read_ip4(skb, c);
	if (r == 2)
		return route_error(skb, c, ip6);
	if (r != 0)
		return TC_ACT_UNSPEC;
	if (bpf_skb_load_bytes(skb, L3 + c->h.ip_len, ports, sizeof(ports)))
		return TC_ACT_UNSPEC;
	c->t.sport = get_be16(ports);
	c->t.dport = get_be16(ports + 2);
	found = bpf_map_lookup_elem(&join_ends, &c->t);
	if (!found)
		return TC_ACT_UNSPEC;
	e = *found;
	slot = bpf_map_lookup_elem(&join_slots, &e.name.place);
	if (!slot || slot->pair.generation != e.name.generation)
		return TC_ACT_UNSPEC;
	if (c->fault == SPLICE_FINE)
		read_rest(skb, c);
	if (c->fault != SPLICE_FINE)
		return unread(&slot->pair, c);
	return take(skb, slot, &e, c);
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
		leave(slot, &n);
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
	return leave(slot, &call.name) ? 0 : JOIN_NO_PAIR;
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
	now = bpf_ktime_get_ns();
	bpf_spin_lock(&slot->lock);
	why = splice_begin(&slot->pair, k, now, &events);
	bpf_spin_unlock(&slot->lock);
	follow(slot, &call.name, events, now);
	return why == SPLICE_AGREED ? (int)(JOIN_SPLICED | events) : (int)why;
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
