/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/*
 * packet - What the program in the kernel does with the bytes of a packet
 *
 * Theory of operation
 *
 * Headers are copied out of the packet, mapped in the copy, and the copy is
 * written over the original.
 *
 * Checksums. The one of IPv4 is in the copy. TCP's stays in the packet, for the
 * kernel knows what it is: complete, or the pseudo header alone, to be
 * completed by a device, or of a packet whose bytes a device has summed.
 * bpf_l4_csum_replace does right by all three, if told which part of the
 * difference is of the pseudo header. With IPv6 the sum of all bytes stays as
 * it was; kernels that know BPF_F_IPV6 know that, and for others what they get
 * wrong is taken back.
 *
 * The packet leaves by bpf_redirect_neigh: neighbours are the kernel's.
 */
#ifndef ROUTE_PACKET_H
#define ROUTE_PACKET_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "core/dir.h"
#include "route/maps.h"
#include "route/table.h"
#include "splice/challenge.h"
#include "splice/head.h"
#include "splice/pair.h"
#include "splice/quote.h"
#include "splice/state.h"

#define L3	     ETH_HLEN
#define CSUM_IPV6    (1ull << 7) /* BPF_F_IPV6: newer than some headers */
#define ALL_FRAG     0x1fff	 /* of IPv4's field: the offset */
#define TCP_NUMBER   6
#define ICMP_NUMBER  1
#define ICMP6_NUMBER 58

/* --- what a packet says --- */

/* Return: 0; 1: it is nobody's; 2: it is a message of ICMP */
static __always_inline int read_ip4(struct __sk_buff *skb, struct scratch *c)
{
	uint8_t *ip = c->h.ip;

	if (bpf_skb_load_bytes(skb, L3, ip, SPLICE_IP4_MIN))
		return 1;
	if (ip[0] >> 4 == 4 && ip[9] == ICMP_NUMBER)
		return 2;
	if (ip[0] >> 4 != 4 || ip[9] != TCP_NUMBER)
		return 1;
	c->fault = splice_ip4_read(ip, skb->len - L3, &c->h, &c->total);
	if (c->fault == SPLICE_CUT)
		return 1;
	/* Only its first part says whose it is. */
	if (c->fault == SPLICE_FRAGMENT && (get_be16(ip + 6) & ALL_FRAG))
		return 1;
	__builtin_memset(&c->t, 0, sizeof(c->t));
	c->t.src[10] = c->t.src[11] = 0xff;
	c->t.dst[10] = c->t.dst[11] = 0xff;
	__builtin_memcpy(c->t.src + 12, ip + 12, 4);
	__builtin_memcpy(c->t.dst + 12, ip + 16, 4);
	return 0;
}

static __always_inline int read_ip6(struct __sk_buff *skb, struct scratch *c)
{
	uint8_t *ip = c->h.ip;
	uint8_t next, b[8];

	if (bpf_skb_load_bytes(skb, L3, ip, SPLICE_IP6_MIN) || ip[0] >> 4 != 6)
		return 1;
	c->fault = splice_ip6_read(ip, skb->len - L3, &c->h, &c->total);
	next = ip[6];
	if (next == ICMP6_NUMBER)
		return 2;
	for (uint32_t i = 0; i < SPLICE_EXT_MAX; i++) {
		if (c->fault != SPLICE_FINE || !splice_is_ext(next))
			break;
		if (bpf_skb_load_bytes(skb, L3 + c->h.ip_len, b, sizeof(b)))
			return 1;
		c->fault = splice_ip6_ext(&c->h, c->total, b, &next);
	}
	/* The first part of a datagram has TCP behind its fragment header. */
	if (c->fault == SPLICE_FRAGMENT) {
		if (b[0] != TCP_NUMBER || (get_be16(b + 2) & 0xfff8))
			return 1;
		c->h.ip_len += 8;
	} else if (c->fault != SPLICE_FINE || next != TCP_NUMBER) {
		return 1;
	}
	__builtin_memcpy(c->t.src, ip + 8, 16);
	__builtin_memcpy(c->t.dst, ip + 24, 16);
	return 0;
}

/* The rest of the headers, once it is known that they are a pair's. */
static __always_inline void read_rest(struct __sk_buff *skb, struct scratch *c)
{
	uint32_t fixed = c->h.ip6 ? SPLICE_IP6_MIN : SPLICE_IP4_MIN;
	uint32_t more = c->h.ip_len - fixed;
	uint32_t at = L3 + c->h.ip_len;

	c->fault = SPLICE_CUT;
	if (c->total < c->h.ip_len + SPLICE_TCP_MIN)
		return;
	if (more > 0) {
		if (more > SPLICE_IP_MAX - SPLICE_IP6_MIN ||
		    bpf_skb_load_bytes(skb, L3 + fixed, c->h.ip + fixed, more))
			return;
	}
	if (bpf_skb_load_bytes(skb, at, c->h.tcp, SPLICE_TCP_MIN))
		return;
	if (splice_tcp_read(&c->h, c->total - c->h.ip_len, &c->s) !=
	    SPLICE_FINE)
		return;
	more = c->h.tcp_len - SPLICE_TCP_MIN;
	if (more > 0) {
		if (more > SPLICE_OPTS_MAX ||
		    bpf_skb_load_bytes(skb, at + SPLICE_TCP_MIN,
				       c->h.tcp + SPLICE_TCP_MIN, more))
			return;
	}
	c->fault = SPLICE_FINE;
}

/* --- a packet goes --- */

/* A difference in host order, as the kernel's helpers take one. */
static __always_inline uint64_t wire_sum(uint64_t sum)
{
	return bpf_htons(csum_fold(sum));
}

static __always_inline int move_csums(struct __sk_buff *skb, struct scratch *c)
{
	uint32_t at = L3 + c->h.ip_len + SPLICE_TH_CSUM;
	uint64_t addr = wire_sum(c->h.sum_addr);
	long r;

	if (bpf_l4_csum_replace(skb, at, 0, wire_sum(c->h.sum_tcp), 0))
		return 1;
	if (!c->h.ip6)
		return bpf_l4_csum_replace(skb, at, 0, addr,
					   BPF_F_PSEUDO_HDR) != 0;
	bpf_csum_update(skb, wire_sum(c->h.sum_bare));
	r = bpf_l4_csum_replace(skb, at, 0, addr, BPF_F_PSEUDO_HDR | CSUM_IPV6);
	if (r == 0)
		return 0;
	if (bpf_l4_csum_replace(skb, at, 0, addr, BPF_F_PSEUDO_HDR))
		return 1;
	bpf_csum_update(skb, addr);
	return 0;
}

static __always_inline int write_back(struct __sk_buff *skb, struct scratch *c)
{
	uint32_t ip_len = c->h.ip_len;
	uint32_t tcp_len = c->h.tcp_len;
	uint8_t *ip = c->h.ip;

	if (ip_len < SPLICE_IP4_MIN || ip_len > SPLICE_IP_MAX ||
	    tcp_len < SPLICE_TCP_MIN || tcp_len > SPLICE_TCP_MAX)
		return 1;
	if (!c->h.ip6)
		put_be16(ip + 10, csum_move(get_be16(ip + 10),
					    c->h.sum_ip4 + c->h.sum_addr));
	if (bpf_skb_store_bytes(skb, L3, ip, ip_len, 0) ||
	    bpf_skb_store_bytes(skb, L3 + ip_len, c->h.tcp, tcp_len, 0))
		return 1;
	return move_csums(skb, c);
}

/* The packet becomes the message that it does not fit, and goes back. A packet
 * that is cut has no sum of its bytes any more, so that none needs to be kept
 * up.
 */
static __always_inline int answer(struct __sk_buff *skb,
				  const struct join_slot *slot, enum dir d,
				  struct scratch *c, uint32_t mtu)
{
	uint32_t len = (c->h.ip6 ? SPLICE_TOO_LONG_MAX : 68);

	/* A router would not answer one with options any better. */
	if (c->h.ip_len != (c->h.ip6 ? SPLICE_IP6_MIN : SPLICE_IP4_MIN))
		return TC_ACT_SHOT;
	splice_too_long(&c->t, &c->h, mtu, c->answer);
	if (bpf_skb_change_tail(skb, L3 + len, 0) ||
	    bpf_skb_store_bytes(skb, L3, c->answer, len, 0))
		return TC_ACT_SHOT;
	return bpf_redirect_neigh(slot->way[d].ifindex, NULL, 0, 0);
}

/* The packet that will leave, or the longest of those that it is made of. */
static __always_inline uint32_t longest(const struct __sk_buff *skb,
					const struct scratch *c)
{
	return skb->gso_size ? skb->gso_size + c->h.ip_len + c->h.tcp_len
			     : c->total;
}

/* Pass a packet on whose headers were read. A function that the kernel looks at
 * by itself, and once. @dir: enum dir. Return: TC_ACT_
 */
__noinline int join_relay(struct __sk_buff *skb, uint32_t place, uint32_t dir)
{
	struct join_slot *slot = bpf_map_lookup_elem(&join_slots, &place);
	enum dir d = dir == DIR_C2S ? DIR_C2S : DIR_S2C;
	struct join_way way;
	struct splice_walk w;
	struct scratch *c;
	uint32_t mtu = 0, key = 0;

	c = bpf_map_lookup_elem(&join_scratch, &key);
	if (!slot || !c)
		return TC_ACT_SHOT;
	way = slot->way[dir_reverse(d)];
	if (bpf_check_mtu(skb, way.ifindex, &mtu, 0, 0) < 0) {
		count(JOIN_FAILED);
		return TC_ACT_SHOT;
	}
	if (way.mtu != 0 && way.mtu < mtu)
		mtu = way.mtu;
	if (longest(skb, c) > mtu) {
		count(JOIN_TOO_LONG);
		return answer(skb, slot, d, c, mtu);
	}
	splice_map_start(&slot->pair, d, &c->h, &w);
	if (c->h.ip6 && c->h.ip_len > SPLICE_IP6_MIN)
		bpf_loop(SPLICE_EXT_MAX, splice_extension, &w, 0);
	if (c->h.opts_left > 0)
		bpf_loop(SPLICE_OPTS_MAX, splice_option, &w, 0);
	c->fault = c->h.fault;
	if (c->fault != SPLICE_FINE) {
		count(JOIN_DROPPED);
		count(JOIN_FAULT + (c->fault & 7));
		return TC_ACT_SHOT;
	}
	if (write_back(skb, c)) {
		count(JOIN_FAILED);
		return TC_ACT_SHOT;
	}
	splice_relayed(&slot->pair, d, &c->h);
	count(JOIN_RELAYED);
	return bpf_redirect_neigh(way.ifindex, NULL, 0, 0);
}

/* Send a SYN back as the answer to it. As join_relay(). */
__noinline int join_challenge(struct __sk_buff *skb, uint32_t place,
			      uint32_t dir)
{
	struct join_slot *slot = bpf_map_lookup_elem(&join_slots, &place);
	enum dir d = dir == DIR_C2S ? DIR_C2S : DIR_S2C;
	struct scratch *c;
	uint32_t key = 0;

	c = bpf_map_lookup_elem(&join_scratch, &key);
	if (!slot || !c)
		return TC_ACT_SHOT;
	c->fault = splice_challenge(&slot->pair, d, &c->s, &c->h);
	if (c->fault != SPLICE_FINE) {
		count(JOIN_DROPPED);
		count(JOIN_FAULT + (c->fault & 7));
		return TC_ACT_SHOT;
	}
	if (write_back(skb, c)) {
		count(JOIN_FAILED);
		return TC_ACT_SHOT;
	}
	count(JOIN_CHALLENGED);
	return bpf_redirect_neigh(slot->way[d].ifindex, NULL, 0, 0);
}

/* --- messages of ICMP --- */

/* Return: 0; 1: it quotes nothing of ours */
static __always_inline int read_quote(struct __sk_buff *skb, struct scratch *c,
				      bool ip6)
{
	uint32_t fixed = ip6 ? SPLICE_IP6_MIN : SPLICE_IP4_MIN;
	struct splice_quote *q = &c->q;
	uint32_t len;

	q->ip6 = ip6;
	__builtin_memcpy(q->ip, c->h.ip, SPLICE_IP6_MIN);
	if (ip6)
		len = get_be16(q->ip + 4);
	else if (q->ip[0] == 0x45 && !(get_be16(q->ip + 6) & 0x3fff))
		len = get_be16(q->ip + 2) - fixed;
	else
		return 1;
	if (len > SPLICE_QUOTE_MAX)
		len = SPLICE_QUOTE_MAX;
	if (len < splice_quoted_tcp(q) + SPLICE_QUOTE_TCP ||
	    bpf_skb_load_bytes(skb, L3 + fixed, q->b, len))
		return 1;
	q->len = len;
	return !splice_quote_tuple(q, &c->t);
}

static __noinline int route_error(struct __sk_buff *skb, struct scratch *c,
				  uint32_t ip6)
{
	uint32_t fixed = ip6 ? SPLICE_IP6_MIN : SPLICE_IP4_MIN;
	struct join_slot *slot;
	struct join_end *e;
	uint32_t len;
	enum dir d;

	if (!c || read_quote(skb, c, ip6 != 0))
		return TC_ACT_UNSPEC;
	e = bpf_map_lookup_elem(&join_ends, &c->t);
	if (!e)
		return TC_ACT_UNSPEC;
	d = e->dir == DIR_C2S ? DIR_C2S : DIR_S2C;
	slot = bpf_map_lookup_elem(&join_slots, &e->name.place);
	if (!slot || slot->pair.generation != e->name.generation ||
	    !splice_is_live(&slot->pair))
		return TC_ACT_UNSPEC;
	splice_map_quote(&slot->pair, d, &c->q);
	len = c->q.len;
	if (len == 0 || len > SPLICE_QUOTE_MAX ||
	    bpf_skb_store_bytes(skb, L3, c->q.ip, fixed, 0) ||
	    bpf_skb_store_bytes(skb, L3 + fixed, c->q.b, len, 0))
		return TC_ACT_SHOT;
	bpf_csum_update(skb, wire_sum(c->q.sum_bare));
	count(JOIN_ERRORS);
	return bpf_redirect_neigh(slot->way[dir_reverse(d)].ifindex, NULL, 0,
				  0);
}

#endif /* ROUTE_PACKET_H */
